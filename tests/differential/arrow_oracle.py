"""What is in Parquet, Feather and Arrow files: pyarrow, and DuckDB beside it."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

Columns = dict[str, list[Any]]
_INDEX = re.compile(r"__index_level_\d+__\Z")


def by_pyarrow(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Return the columns' names, and their values, as pyarrow reads a file."""
    if path.suffix == ".parquet":
        table = pa.parquet.read_table(path)
    else:
        table = pa.feather.read_table(path)
    return table.column_names, [column.to_pylist() for column in table.columns]


def by_duckdb(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Return the columns' names, and their values, as DuckDB reads a file."""
    with duckdb.connect() as connection:
        if path.suffix == ".parquet":
            found = connection.execute("select * from read_parquet(?)", [str(path)])
        else:
            table = pa.feather.read_table(path)
            connection.register("here", table)
            found = connection.execute("select * from here")
        names = [str(column[0]) for column in found.description or []]
        rows = found.fetchall()
    return names, [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]


def first_difference(
    one: tuple[list[str], list[list[Any]]], other: tuple[list[str], list[list[Any]]]
) -> str | None:
    """Return where two tables differ, None if nowhere; an index's column may have any name.

    Args:
        one: Names, and columns.
        other: The same of another reader.
    """
    names = [_INDEX.sub("", name) for name in one[0]]
    wanted = [_INDEX.sub("", name) for name in other[0]]
    if names != wanted:
        return f"columns {one[0]}, not {other[0]}"
    for name, column, values in zip(other[0], one[1], other[1], strict=True):
        if len(column) != len(values):
            return f"{len(column)} rows, not {len(values)}"
        for at, (value, there) in enumerate(zip(column, values, strict=True)):
            if not same(value, there):
                return f"row {at + 1}, {name!r}: {value!r:.200}, not {there!r:.200}"
    return None


def same(value: Any, wanted: Any) -> bool:
    """Tell whether two values are one, whatever Python's classes for them are."""
    if value is None or wanted is None:
        return value is wanted or _nan(value) or _nan(wanted)
    if _nan(value) or _nan(wanted):
        return _nan(value) and _nan(wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, datetime | date) and isinstance(wanted, datetime | date):
        return _instant(value) == _instant(wanted)
    if isinstance(value, int | float | Decimal) and isinstance(wanted, int | float | Decimal):
        return value == wanted
    if isinstance(value, list | tuple) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(same, value, wanted))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(same(value[k], wanted[k]) for k in value)
    return bool(value == wanted)


def _nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _instant(value: date) -> datetime:
    # pandas' Timestamp is a datetime with nanoseconds: they count by themselves.
    at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
