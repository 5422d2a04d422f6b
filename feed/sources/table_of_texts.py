"""Converts rows of texts to a table with detected column types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from livetable.feed.arrow.arrays import MARK
from livetable.feed.arrow.quantities import DTYPE as QUANTITY
from livetable.feed.sources.json_columns import JsonTable
from livetable.feed.sources.values import Form, Kind, given, read

ROUNDED = "rounded"
"""The mark of a float column whose texts have more digits than floats can hold."""


def table_of_texts(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    types: Mapping[str, pa.DataType] | None = None,
    so_far: Sequence[Kind] | None = None,
    *,
    units: bool = False,
) -> tuple[pa.Table, list[Kind]]:
    """Return rows as a table, and the kinds of its columns.

    Args:
        names: The columns' names.
        rows: A text a column.
        types: Given types of columns, by name.
        so_far: What the columns of rows before were.
        units: Whether `12G` is a quantity.

    Raises:
        NotFitting: a text does not fit the given type.
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [pa.array(column, pa.string()) for column in columns]
    kinds = list(so_far or kinds_of(names, types))
    return typed(names, arrays, kinds, units=units)


def kinds_of(names: Sequence[str], types: Mapping[str, pa.DataType] | None) -> list[Kind]:
    """Return the kinds of columns before any text: the given types."""
    types = types or {}
    return [given(types[name]) if name in types else Kind() for name in names]


def typed(
    names: Sequence[str],
    arrays: Sequence[pa.Array],
    so_far: Sequence[Kind],
    *,
    comma: bool = False,
    units: bool = False,
) -> tuple[pa.Table, list[Kind]]:
    """Return columns of texts as a table, and the kinds of all texts so far.

    Raises:
        NotFitting: a text does not fit the given type.
    """
    columns, fields, kinds = [], [], []
    for name, texts, before in zip(names, arrays, so_far, strict=True):
        values, kind = read(texts, before, comma=comma, units=units)
        columns.append(values)
        fields.append(field_of(name, values.type, kind))
        kinds.append(kind)
    return pa.table(columns, schema=pa.schema(fields)), kinds


def field_of(name: str, type_: pa.DataType, kind: Kind) -> pa.Field:
    """Return a column's field, marked if its values are quantities or rounded."""
    mark = QUANTITY if kind.form is Form.QUANTITY else ROUNDED if kind.rounded else None
    return pa.field(name, type_, metadata=None if mark is None else {MARK: mark.encode()})


def marked(rows: JsonTable) -> pa.Table:
    """Return a JSON table whose fields are marked if their floats are rounded."""
    fields = [
        field.with_metadata({MARK: ROUNDED.encode()}) if field.name in rows.rounded else field
        for field in rows.table.schema
    ]
    return rows.table.cast(pa.schema(fields)) if rows.rounded else rows.table
