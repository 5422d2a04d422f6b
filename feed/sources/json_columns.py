"""Converts JSON values to columns of a table: exactly, or to their JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from livetable.feed.arrow.cells import unmixed_array
from livetable.feed.arrow.common_type import cast_exactly, wider
from livetable.feed.sources.json_values import Rounded


@dataclass(frozen=True)
class JsonTable:
    """A table read from JSON.

    Attributes:
        table: The table.
        rounded: Names of columns that have rounded numbers.
    """

    table: pa.Table
    rounded: frozenset[str] = frozenset()


def column_of(values: Sequence[Any], at_least: pa.DataType | None = None) -> pa.Array:
    """Return values as one column: exactly, or as their JSON text.

    Args:
        values: The values from `loads`; None is a missing value.
        at_least: The type of the column's earlier values.
    """
    if at_least is None or not pa.types.is_string(at_least):
        array = _numbers(values)
        if array is None and _have_same_names(values):
            try:
                array = unmixed_array(values)
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                array = None
        if array is not None and (at_least is None or array.type == at_least):
            return array
        if array is not None and at_least is not None:
            if (cast := exact_cast(array, at_least)) is not None:
                return cast
            common = wider_type(at_least, array.type)
            if common is not None and (cast := exact_cast(array, common)) is not None:
                return cast
    return pa.array([as_text(value) for value in values], pa.string())


def has_structs(kind: pa.DataType) -> bool:
    """Tell whether a type is a struct, or contains one."""
    return pa.types.is_struct(kind) or any(
        has_structs(kind.field(number).type) for number in range(kind.num_fields)
    )


def _have_same_names(values: Sequence[Any]) -> bool:
    """Tell whether all objects among values, at each depth, have the same names."""
    nested = [value for value in values if isinstance(value, (dict, list))]
    if not nested:
        return True
    if all(isinstance(value, list) for value in nested):
        return _have_same_names([part for value in nested for part in value])
    if not all(isinstance(value, dict) for value in nested):
        return False
    names = list(nested[0])
    if any(list(value) != names for value in nested):
        return False
    return all(_have_same_names([value[name] for value in nested]) for name in names)


def as_text(value: Any) -> str | None:
    """Return a value as its JSON text; texts and None unchanged."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):  # whole numbers beyond 64 bits
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def as_texts(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column's values as their JSON texts."""
    return pa.array(list(map(as_text, values.to_pylist())), pa.string())


def _numbers(values: Sequence[Any]) -> pa.Array | None:
    """Return integers and floats as one column; None if some are not numbers, or would change."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds or not kinds <= {int, float, Rounded}:
        return None
    if kinds == {int}:
        for kind in (pa.int64(), pa.decimal128(38, 0), pa.decimal256(76, 0)):
            try:
                return pa.array(values, kind)
            except (pa.ArrowException, OverflowError):
                continue
        return pa.array(list(map(as_text, values)), pa.string())
    if int in kinds:
        for value in values:
            if type(value) is int and abs(value) > 1 << 53:
                try:
                    exact = int(float(value)) == value
                except OverflowError:
                    exact = False
                if not exact:
                    return pa.array(list(map(as_text, values)), pa.string())
    return pa.array([None if value is None else float(value) for value in values], pa.float64())


def exact_cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Return values in another type, None if that would change some.

    Only casts numbers to numbers: Arrow would also cast true to 1, and text to numbers.
    """
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), kind)
    return cast_exactly(values, kind) if wider_type(values.type, kind) == kind else None


def wider_type(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    """Return the type that holds the values of both, None if only text does."""
    if first == second or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    if has_structs(first) or has_structs(second):
        return None  # a common struct would give each object the names of the others
    return wider(first, second)


def table_of_records(
    rows: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType] | None = None
) -> JsonTable:
    """Return records as a table. Columns are in the order of their first value.

    Args:
        rows: The records.
        types: The column types of the earlier records.
    """
    types = types or {}
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    rounded = set()
    for name in names:
        values = [row.get(name) for row in rows]
        columns[name] = column_of(values, types.get(name))
        if any(type(value) is Rounded for value in values):
            rounded.add(name)
    return JsonTable(_table(columns, len(rows)), frozenset(rounded))


def _table(columns: Mapping[str, pa.Array], rows: int) -> pa.Table:
    if not columns:
        return pa.table({}).slice(0, 0) if not rows else pa.table({"": pa.nulls(rows)}).select([])
    return pa.table(list(columns.values()), names=list(columns))
