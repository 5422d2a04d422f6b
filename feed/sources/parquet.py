"""Reads Parquet from strangers. Checks its size before unpacking: 60 kB can unpack to terabytes."""

from __future__ import annotations

import io
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from livetable.feed.arrow.arrays import check_written_out, plain_type, without_dictionary
from livetable.feed.errors import BodyError

_TEXT: Final = "BYTE_ARRAY"
_CELL: Final = 8
"""The least bytes of a value, to estimate the unpacked size."""


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
    announced = sum(
        max(chunk.total_uncompressed_size, chunk.num_values * _CELL) for chunk in chunks
    )
    if announced > most or any(chunk.num_values < 0 for chunk in chunks):
        raise BodyError(f"the file unpacks to {announced:,} bytes: the limit is {most:,}")
    leaves = [about.schema.column(number) for number in range(about.num_columns)]
    # Keep texts dictionary-encoded until their full size is known.
    texts = [leaf.path for leaf in leaves if leaf.physical_type == _TEXT]
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
    """Open a file, and keep the texts of the named columns dictionary-encoded."""
    return pq.ParquetFile(io.BytesIO(data), metadata=about, read_dictionary=named)


def _check_texts(array: pa.Array) -> None:
    kind = array.type
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            _check_texts(array.field(number))
    elif pa.types.is_map(kind):
        _check_texts(array.keys)
        _check_texts(array.items)
    elif pa.types.is_nested(kind):
        _check_texts(array.values)
    else:
        check_written_out(array)


def _as_announced(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the schema's types: decode texts that are not categories."""
    for number, column in enumerate(table.columns):
        kind = schema.field(number).type
        if column.type != kind and pa.types.is_dictionary(column.type):
            chunks = list(map(without_dictionary, column.chunks))
            texts = pa.chunked_array(chunks, plain_type(column.type)).cast(kind)
            table = table.set_column(number, schema.field(number), texts)
    return table
