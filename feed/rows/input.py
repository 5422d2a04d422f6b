"""Convert the rows that a producer upserts or appends to arrays in the table's types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import dtype_of, one_chunk, plain_type, without_dictionary
from livetable.feed.arrow.cells import of_cells
from livetable.feed.arrow.common_type import cast_exactly, wider
from livetable.feed.arrow.from_pandas import columns_of, to_arrow, values_of_column
from livetable.feed.errors import BadFrame
from livetable.feed.frames.capture import capture
from livetable.feed.frames.capture import is_column as _is_column
from livetable.feed.frames.captured import Captured
from livetable.feed.frames.python_rows import (
    columns_of_dict,
    is_many,
    is_row,
    row_of,
    rows_of,
    series_row,
)
from livetable.feed.rows.schema import Shape
from livetable.feed.rows.state import Incoming, State


@dataclass(frozen=True)
class Column:
    """A column as the producer passed it.

    Attributes:
        label: Its label.
        values: Its values.
        dtype: The name of its type in its own library.
        text: Whether its values were converted to text.
    """

    label: Any
    values: pa.Array
    dtype: str
    text: bool


@dataclass(frozen=True)
class Prepared:
    """Rows as arrays that the caller can't change, made before the table's turn is taken.

    Attributes:
        columns: Their columns.
        levels: The levels of their index, None if they came without one.
        rows: How many there are.
    """

    columns: tuple[Column, ...]
    levels: tuple[Column, ...] | None
    rows: int


def captured_rows(data: Any, key: Sequence[Any] = ()) -> list[Captured]:
    """Return rows as tables, one for each run of dicts with the same keys, as missing columns stay.

    Args:
        data: What `capture` takes; or one row: a dict of scalars (of those in `key`, if there is
            one), a Series, a named tuple, a dataclass, a model.
        key: Labels of the key.

    Raises:
        BadFrame: it is none of these.
    """
    if (row := series_row(data, key)) is not None:
        return [capture(row)]
    if is_row(data):
        data = [row_of(data)]
    elif isinstance(data, Mapping) and data:
        data = columns_of_dict(data)
        told = [data[label] for label in key if label in data] or list(data.values())
        columns = [one for one in told if _is_column(one)]
        # An empty list beside a scalar is a cell: as a column it would leave no row at all.
        if len(columns) < len(told) and not any(map(len, columns)):
            data = [row_of(data)]
    if is_many(data):
        data = rows_of(data)
        if not data:
            return []
        if all(isinstance(row, Mapping) for row in data):
            runs = groupby(data, key=lambda row: tuple(sorted(row, key=repr)))
            return [_of_dicts(list(rows)) for _, rows in runs]
    return [capture(data)]


def _of_dicts(rows: list[Mapping[Any, Any]]) -> Captured:
    """Return dicts with the same keys as a table; by Arrow if possible: integers stay exact."""
    names = list(rows[0])
    if names and all(isinstance(name, str) for name in names):
        try:
            arrays = [of_cells([row[name] for row in rows]) for name in names]
            table = pa.Table.from_arrays(arrays, names=names)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return capture(rows)
        if not any(pa.types.is_nested(kind) for kind in table.schema.types):
            return Captured(table, table.shape)
    return capture(rows)


def prepared(captured: Captured) -> Prepared:
    """Return rows as arrays. User code of cells runs only here, not in the table's turn."""
    frame = captured.frame
    if isinstance(frame, pa.Table):
        columns = [
            Column(field.name, without_dictionary(one_chunk(values)), dtype_of(field), False)
            for field, values in zip(frame.schema, frame.columns, strict=True)
        ]
        return Prepared(tuple(columns), None, captured.shape[0])
    index = frame.index
    levels = [_column(name, values_of_column(index.get_level_values(level)))
              for level, name in enumerate(index.names)]  # fmt: skip
    columns = [
        _column(label, values)
        for label, values in zip(frame.columns, columns_of(frame), strict=True)
    ]
    return Prepared(tuple(columns), tuple(levels), captured.shape[0])


def _column(label: Any, values: Any) -> Column:
    # Copy: the Arrow array would be over the caller's memory, without pandas knowing of it.
    array, text = to_arrow(values.copy())
    return Column(label, without_dictionary(array), str(values.dtype), text)


def _columns(rows: Prepared, shape: Shape) -> Iterator[Column]:
    """Yield the columns of rows, first the index's levels in the table's order.

    Raises:
        BadFrame: the index of the rows does not match the table's.
    """
    if shape.levels and rows.levels is not None:
        if len(rows.levels) != shape.levels:
            raise BadFrame(
                f"the table's index has {shape.levels} levels, these rows' index has "
                f"{len(rows.levels)}"
            )
        yield from _in_order(rows.levels, shape)
    yield from rows.columns


def _in_order(levels: Sequence[Column], shape: Shape) -> Sequence[Column]:
    """Return levels of an index in the table's order, matched by name if all have names.

    Raises:
        BadFrame: they have other names.
    """
    ours, names = [shape.label(at) for at in range(shape.levels)], [level.label for level in levels]
    if len(levels) < 2 or None in ours or None in names or names == ours:
        return levels
    if len(set(ours)) < len(ours) or set(ours) != set(names):
        raise BadFrame(
            f"the table's index has the levels {ours!r}, these rows' index has {names!r}"
        )
    return [levels[names.index(level)] for level in ours]


def fit(
    rows: Sequence[Prepared], state: State, key: Sequence[int], fixed: Mapping[str, pa.DataType]
) -> tuple[list[Incoming], State]:
    """Convert rows to the types of a table; return them and the table with their new columns.

    Args:
        rows: The rows.
        state: The current table.
        key: The fields of the key, which each row must have.
        fixed: Types of `schema=`, by the JSON of the label: these columns never change type.

    Raises:
        BadFrame: a column of the key is missing, or a column changes its type.
    """
    # Long, as each column may change the state for the next one.
    parts = []
    for batch in rows:
        arrays: dict[int, pa.Array] = {}
        indexed = batch.levels is not None  # rows without an index leave its levels out
        # The same names in the same order match by position, so that duplicate names work.
        names = [column.label for column in batch.columns]
        alike = not indexed and not state.shape.levels and names == state.shape.described["labels"]
        level = 0
        for number, column in enumerate(_columns(batch, state.shape)):
            if alike:
                field = number
            elif indexed and level < state.shape.levels:
                field, level = level, level + 1
            else:
                place = state.shape.place_of(column.label)
                if place in arrays:
                    raise BadFrame(f"these rows have several columns called {column.label!r}")
                if place is None:
                    place, state = len(state.shape.types), _with_column(state, column)
                field = place
            labels = state.shape.described["labels"]
            json_label = (
                json.dumps(labels[field - state.shape.levels])
                if field >= state.shape.levels
                else ""
            )
            arrays[field], state = _put(column.values, state, field, key, fixed.get(json_label))
        for field in key:
            if field not in arrays:
                raise BadFrame(
                    f"these rows lack {state.shape.title(field)}, which is (part of) the "
                    "table's key"
                )
        parts.append(Incoming(arrays, batch.rows))
    return [_with_types(part, state) for part in parts], state


def _with_column(state: State, column: Column) -> State:
    kind = column.values.type
    return replace(
        state,
        shape=state.shape.with_column(column.label, column.dtype, kind, column.text),
        store=state.store.with_column(kind),
    )


def _put(
    values: pa.Array, state: State, field: int, key: Sequence[int], fixed: pa.DataType | None
) -> tuple[pa.Array, State]:
    """Convert values to the type of a column, or widen the column to a type that holds both.

    Raises:
        BadFrame: there is no such type.
    """
    shape, kind = state.shape, state.shape.types[field]
    if fixed is not None and kind != fixed:  # a new column
        state = _with_type(state, field, fixed)
        kind = fixed
    if fixed is not None:
        return fitted(values, kind, shape, field, rounds=True), state
    if not len(state.store) and not _says_nothing(values, kind) and kind != values.type:
        return values, _with_type(state, field, values.type)  # an empty column takes any type
    if shape.is_text(field) or values.type == kind or _says_nothing(values, kind):
        return fitted(values, kind, shape, field), state
    common = wider(kind, values.type)
    if field in key and not (common is not None and pa.types.is_integer(common)):
        # other types must not change: keys are compared in them
        return fitted(values, kind, shape, field), state
    if common is None:
        raise _misfit(values, kind, shape, field)
    fits = cast_exactly(values, kind) if _family(values.type) == _family(kind) else None
    if fits is not None:
        return fits, state
    cast = cast_exactly(values, common)
    if cast is None:
        raise _misfit(values, kind, shape, field)
    return cast, _with_type(state, field, common)


def _with_type(state: State, field: int, kind: pa.DataType) -> State:
    """Return a table with a column cast to another type.

    Raises:
        BadFrame: some of its values don't fit.
    """
    try:
        store = state.store.with_type(field, kind)
    except pa.ArrowException:
        raise BadFrame(
            f"can't change {state.shape.title(field)} from {state.shape.types[field]} to {kind}: "
            "some of its values don't fit; convert the new ones, or send the whole table"
        ) from None
    return replace(state, shape=state.shape.with_type(field, kind), store=store)


def _with_types(part: Incoming, state: State) -> Incoming:
    """Convert rows to the types that later rows of the same call require."""
    types = state.shape.types
    if all(values.type == types[field] for field, values in part.arrays.items()):
        return part
    arrays = {field: fitted(values, types[field], state.shape, field)
              for field, values in part.arrays.items()}  # fmt: skip
    return Incoming(arrays, part.rows)


def fitted(
    values: pa.Array, kind: pa.DataType, shape: Shape, field: int, *, rounds: bool = False
) -> pa.Array:
    """Convert values to the type of a column.

    Args:
        values: The values.
        kind: The type.
        shape: The table's columns.
        field: The column.
        rounds: Whether `schema=` asks for the type: then other types are converted if their values
            fit, and floats may be rounded to a narrower type.

    Raises:
        BadFrame: they are of another type, or the conversion would lose data.
    """
    if values.type == kind:
        return values
    if _says_nothing(values, kind):
        return pa.nulls(len(values), kind)
    if rounds or shape.is_text(field) or wider(values.type, kind) is not None:
        if (cast := cast_exactly(values, kind, rounds=rounds)) is not None:
            return cast
        raise BadFrame(
            f"{shape.title(field)} holds {kind}, and some of these values ({values.type}) don't "
            "fit: convert them, or send the whole table"
        )
    raise _misfit(values, kind, shape, field)


def _misfit(values: pa.Array, kind: pa.DataType, shape: Shape, field: int) -> BadFrame:
    return BadFrame(
        f"{shape.title(field)} holds {kind}, these rows have {values.type}: convert them, or send "
        "the whole table"
    )


def _says_nothing(values: pa.Array, kind: pa.DataType) -> bool:
    """Tell whether all values are missing, so that their type does not matter."""
    if not len(values) or pa.types.is_null(values.type):
        return True
    # pandas gives a column of missing values the type float, whatever it will hold.
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
