"""Parquet that somebody sent, bounded before it is unpacked: 60 kB of it can say terabytes."""

from __future__ import annotations

import io
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from livetable.feed.arrow.arrays import check_written_out, plain_type, without_dictionary
from livetable.feed.errors import BodyError

_TEXT: Final = "BYTE_ARRAY"
_CELL: Final = 8
"""Bytes that a value takes at least, for what is announced."""


def read_parquet(data: bytes, most: int) -> pa.Table:
    """Return the table in a Parquet file.

    Args:
        data: The file.
        most: Bytes that it may unpack to. (Each column chunk may lie by what a page can hold.)

    Raises:
        BodyError: it would unpack to more.
    """
    about = pq.read_metadata(io.BytesIO(data))
    chunks = [
        about.row_group(group).column(column)
        for group in range(about.num_row_groups)
        for column in range(about.num_columns)
    ]
    announced = sum(max(one.total_uncompressed_size, one.num_values * _CELL) for one in chunks)
    if announced > most or any(one.num_values < 0 for one in chunks):
        raise BodyError(f"the file unpacks to {announced:,} bytes: the limit is {most:,}")
    leaves = [about.schema.column(at) for at in range(about.num_columns)]
    # A text that is stored once and used often stays so, until its full size is known.
    texts = [one.path for one in leaves if one.physical_type == _TEXT]
    nested = [path for path in texts if "." in path]
    if nested:
        file = _open(data, about, nested)
        for group in range(about.num_row_groups):
            for column in file.read_row_group(group, columns=nested).columns:
                for chunk in column.chunks:
                    _check_texts(chunk)
    table = _open(data, about, [path for path in texts if path not in nested]).read()
    return _as_announced(table, about.schema.to_arrow_schema())


def _open(data: bytes, about: pq.FileMetaData, named: list[str]) -> pq.ParquetFile:
    """Return a file whose texts in some columns stay there once and named often."""
    return pq.ParquetFile(io.BytesIO(data), metadata=about, read_dictionary=named)


def _check_texts(array: pa.Array) -> None:
    kind = array.type
    if pa.types.is_struct(kind):
        for at in range(kind.num_fields):
            _check_texts(array.field(at))
    elif pa.types.is_map(kind):
        _check_texts(array.keys)
        _check_texts(array.items)
    elif pa.types.is_nested(kind):
        _check_texts(array.values)
    else:
        check_written_out(array)


def _as_announced(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with its own types: texts that were no categories are texts again."""
    for at, column in enumerate(table.columns):
        kind = schema.field(at).type
        if column.type != kind and pa.types.is_dictionary(column.type):
            chunks = list(map(without_dictionary, column.chunks))
            texts = pa.chunked_array(chunks, plain_type(column.type)).cast(kind)
            table = table.set_column(at, schema.field(at), texts)
    return table
