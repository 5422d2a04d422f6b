"""Data with the Arrow PyCapsule interface as Arrow tables that every reader accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livetable.feed.base.late_import import loaded
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import BadFrame
from livetable.feed.frames.python_rows import name_of_kind

if TYPE_CHECKING:
    import pyarrow as pa


def as_table(data: Any) -> pa.Table:
    """Return data with the Arrow PyCapsule interface as a table; a Series becomes one column."""
    pa: Any = loaded("pyarrow")
    if isinstance(data, pa.Table):
        return data
    if type(data).__module__.startswith("polars."):
        data = _of_polars(data)
    try:
        if isinstance(data, (pa.Array, pa.ChunkedArray)) and not pa.types.is_struct(data.type):
            return pa.table({"0": data})
        try:
            return pa.table(data)
        except Exception:
            column = pa.chunked_array(data)  # e.g. a polars Series
            if pa.types.is_struct(column.type):
                raise
            return pa.table({str(getattr(data, "name", "") or "0"): column})
    except Exception as error:
        said = f"can't read {name_of_kind(data)} as an Arrow table: {safe_str(error):.300}"
        raise BadFrame(said) from error


def _of_polars(data: Any) -> Any:
    """Return polars data with its own types converted to decimals or text.

    Arrow has no 128-bit integers, and for Python objects polars exports their addresses.
    """
    import polars as pl

    frame = data.to_frame() if isinstance(data, pl.Series) else data
    odd = {getattr(pl, name) for name in ("Int128", "UInt128", "Object") if hasattr(pl, name)}
    made = [_for_arrow(one) for one in frame.get_columns() if one.dtype in odd]
    return frame.with_columns(made) if made else data


def _for_arrow(column: Any) -> Any:
    """Return a polars Series of 128-bit integers, or of objects, in a type that Arrow has."""
    import polars as pl

    if column.dtype == pl.Object:
        texts = [None if cell is None else safe_str(cell) for cell in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    try:
        return column.cast(pl.Decimal(38, 0))
    except pl.exceptions.PolarsError:  # more than 38 digits
        return column.cast(pl.String)


def without_overflow(table: pa.Table) -> pa.Table:
    """Widen decimal columns whose values don't fit their type.

    DuckDB exports HUGEINT as decimals of 38 digits, though it can have 39: Arrow passes such values
    on, but readers reject them.
    """
    pa: Any = loaded("pyarrow")
    for number, field in enumerate(table.schema):
        kind = field.type
        if not pa.types.is_decimal128(kind) or kind.precision < 38:
            continue
        pc: Any = loaded("pyarrow.compute")
        ends = pc.min_max(table.column(number)).as_py().values()
        if any(end is not None and len(end.as_tuple().digits) > 38 for end in ends):
            wide = pa.decimal256(39, kind.scale)
            table = table.set_column(number, field.with_type(wide), table.column(number).cast(wide))
    return table


def copied(table: pa.Table) -> pa.Table:
    """Copy a table into Arrow's own memory: the original may be over an array of the caller's."""
    pa: Any = loaded("pyarrow")
    into = pa.BufferOutputStream()
    with pa.ipc.new_stream(into, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.open_stream(into.getvalue()) as reader:
        table = reader.read_all()
    return table
