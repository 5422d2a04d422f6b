"""Rows that a producer hands over to be put into a table: as arrays of the table's types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrays import (
    columns_of,
    dtype_of,
    one_chunk,
    plain_type,
    to_arrow,
    values_of_column,
    without_dictionary,
)
from livetable.feed.errors import BadFrame
from livetable.feed.frames import Captured, capture
from livetable.feed.shape import Shape

if TYPE_CHECKING:
    from livetable.feed.changing import State


@dataclass(frozen=True)
class Incoming:
    """Rows with some or all of a table's columns.

    Attributes:
        arrays: Their values, by field.
        rows: How many there are.
    """

    arrays: Mapping[int, pa.Array]
    rows: int


@dataclass(frozen=True)
class Column:
    """A column as it was handed over.

    Attributes:
        label: Its label.
        values: Its values.
        dtype: What its own library calls its type.
        text: Whether its values became text.
    """

    label: Any
    values: pa.Array
    dtype: str
    text: bool


def captured_rows(data: Any, key: Sequence[Any] = ()) -> list[Captured]:
    """Return rows as tables: several where dicts have different keys, as what is left out stays.

    Args:
        data: What `capture` takes; or one dict that is a row: its key, or without a key all of its
            values, are no lists.
        key: Labels of the key.

    Raises:
        BadFrame: it is none of these.
    """
    if isinstance(data, Mapping) and data:
        told = [data[label] for label in key if label in data] or list(data.values())
        if not any(map(_is_column, told)):
            data = [data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        if not data:
            return []
        if all(isinstance(row, Mapping) for row in data):
            runs = groupby(data, key=lambda row: tuple(sorted(row, key=repr)))
            return [_of_dicts(list(rows)) for _, rows in runs]
    return [capture(data)]


def _of_dicts(rows: list[Mapping[Any, Any]]) -> Captured:
    """Return dicts with the same keys as a table; by Arrow where it can: it keeps large numbers."""
    names = list(rows[0])
    if names and all(isinstance(name, str) for name in names):
        try:
            table = pa.table({name: [row[name] for row in rows] for name in names})
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return capture(rows)
        if not any(pa.types.is_nested(kind) for kind in table.schema.types):
            return Captured(table, table.shape)
    return capture(rows)


def _is_column(value: object) -> bool:
    sized = hasattr(value, "__len__") and not isinstance(value, (str, bytes, Mapping))
    return sized and getattr(value, "ndim", 1) > 0


def columns(captured: Captured, shape: Shape) -> Iterator[Column]:
    """Yield the columns of rows, the index's levels first where the table has such.

    Levels have the label None: they are in the order of the table's.

    Raises:
        BadFrame: the rows have no index like the table's.
    """
    frame = captured.frame
    if isinstance(frame, pa.Table):
        for field, values in zip(frame.schema, frame.columns, strict=True):
            plain = without_dictionary(one_chunk(values))
            yield Column(field.name, plain, dtype_of(field), False)
        return
    if shape.levels:
        if frame.index.nlevels != shape.levels:
            raise BadFrame(
                f"the table's index has {shape.levels} levels, that of these rows "
                f"{frame.index.nlevels}"
            )
        for level in range(shape.levels):
            values = values_of_column(frame.index.get_level_values(level))
            array, text = to_arrow(values)
            yield Column(None, without_dictionary(array), str(values.dtype), text)
    for label, values in zip(frame.columns, columns_of(frame), strict=True):
        array, text = to_arrow(values)
        yield Column(label, without_dictionary(array), str(values.dtype), text)


def fit(
    captured: Sequence[Captured], state: State, key: Sequence[int]
) -> tuple[list[Incoming], State]:
    """Return rows as a table needs them, and the table with the columns that they bring.

    Args:
        captured: The rows.
        state: The table as it stands.
        key: Fields that each row must have.

    Raises:
        BadFrame: a column of the key is missing, or a column changes its type.
    """
    parts = []
    for one in captured:
        arrays: dict[int, pa.Array] = {}
        # Columns of the same names in the same order: also if several are called alike.
        alike = (
            isinstance(one.frame, pa.Table)
            and not state.shape.levels
            and one.frame.column_names == state.shape.described["labels"]
        )
        level = 0
        indexed = not isinstance(one.frame, pa.Table)  # else its levels are left out
        for at, column in enumerate(columns(one, state.shape)):
            if alike:
                field = at
            elif indexed and level < state.shape.levels:
                field, level = level, level + 1
            else:
                found = state.shape.place_of(column.label)
                if found in arrays:
                    raise BadFrame(f"these rows have several columns called {column.label!r}")
                if found is None:
                    found, state = len(state.shape.types), _with_column(state, column)
                field = found
            if pa.types.is_null(state.shape.types[field]) and column.values.type != pa.null():
                kind = column.values.type
                state = replace(
                    state,
                    shape=state.shape.with_type(field, kind),
                    store=state.store.with_type(field, kind),
                )
            arrays[field] = fitted(column.values, state.shape.types[field], state.shape, field)
        for field in key:
            if field not in arrays:
                raise BadFrame(
                    f"{state.shape.title(field)} is (part of) the table's key: these rows need it"
                )
        parts.append(Incoming(arrays, one.shape[0]))
    return parts, state


def _with_column(state: State, column: Column) -> State:
    kind = column.values.type
    return replace(
        state,
        shape=state.shape.with_column(column.label, column.dtype, kind, column.text),
        store=state.store.with_column(kind),
    )


def fitted(values: pa.Array, kind: pa.DataType, shape: Shape, field: int) -> pa.Array:
    """Return values in the type of the table's column.

    Raises:
        BadFrame: they are of another type, or can't be told in the column's without loss.
    """
    if values.type == kind:
        return values
    if _says_nothing(values, kind):
        return pa.nulls(len(values), kind)
    if shape.is_text(field) or _family(values.type) == _family(kind):
        try:
            if pa.types.is_floating(values.type) and pa.types.is_integer(kind):
                # pandas tells whole numbers, some of them missing, as floats with NaN.
                values = pc.if_else(pc.is_nan(values), pa.nulls(1, values.type)[0], values)
            return values.cast(kind)
        except pa.ArrowException:
            raise BadFrame(
                f"{shape.title(field)} holds {kind}, which some of these values ({values.type}) "
                "don't fit: convert them, or send the whole table"
            ) from None
    raise BadFrame(
        f"{shape.title(field)} holds {kind}, these rows have {values.type}: convert them, or send "
        "the whole table"
    )


def _says_nothing(values: pa.Array, kind: pa.DataType) -> bool:
    """Tell whether values are all missing, whatever type they are told in."""
    if not len(values) or pa.types.is_null(values.type):
        return True
    # pandas tells a column of missing values, whatever they are of, as floats.
    if not pa.types.is_floating(values.type) or pa.types.is_floating(kind):
        return False
    missing: int = pc.is_null(values, nan_is_null=True).true_count
    return missing == len(values)


def _family(kind: pa.DataType) -> str:
    kind = plain_type(kind)
    for name, is_of in (
        ("bool", pa.types.is_boolean),
        ("number", pa.types.is_integer),
        ("number", pa.types.is_floating),
        ("decimal", pa.types.is_decimal),
        ("text", pa.types.is_string),
        ("text", pa.types.is_large_string),
        ("bytes", pa.types.is_binary),
        ("bytes", pa.types.is_large_binary),
        ("list", pa.types.is_list),
        ("list", pa.types.is_large_list),
        ("timestamp", pa.types.is_timestamp),
        ("date", pa.types.is_date),
        ("time", pa.types.is_time),
        ("duration", pa.types.is_duration),
    ):
        if is_of(kind):
            with_zone = name == "timestamp" and kind.tz is not None
            return "time with a zone" if with_zone else name
    return str(kind)
