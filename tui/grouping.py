"""A table's rows by groups: one row for each, with totals of the others' values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrays import one_chunk, plain_type, rows_array, without_dictionary
from livetable.feed.values import Arrays
from livetable.tui.model import ColumnRef, Heading, Headings, Table

# What comes off the wire begins at any byte; Arrow would say so on the screen with each grouping.
os.environ.setdefault("ACERO_ALIGNMENT_HANDLING", "reallocate")

TOTALS: Final = ("sum", "mean", "min", "max", "last", "count")
"""What can be shown of a group's values: of whole numbers the sum, of others the mean, at first."""

COUNT_TITLE: Final = "rows"
_NUMERIC: Final = frozenset({"sum", "mean"})


def total_of(kind: pa.DataType, wanted: str | None) -> str:
    """Return which total is shown of a column: the one that is wanted, if it has such."""
    numeric = is_numeric(kind)
    if wanted is None or (wanted in _NUMERIC and not numeric):
        return "last" if not numeric else "mean" if pa.types.is_floating(kind) else "sum"
    if wanted in ("min", "max") and not (numeric or pa.types.is_temporal(kind)):
        return "last"
    return wanted


def is_numeric(kind: pa.DataType) -> bool:
    """Tell whether sums of such values mean something."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def grouped(
    table: Table,
    groups: tuple[ColumnRef, ...],
    totals: Mapping[ColumnRef, str],
    mask: np.ndarray[Any, Any] | None,
    problems: list[str],
) -> Table:
    """Return a table with one row for each group, in the order in which they first come.

    Args:
        table: The table, its rows in the order of the frame.
        groups: Columns whose values make a group.
        totals: Which total of a column is shown.
        mask: Which rows count; None for all.
        problems: Gets a sentence for what can't be done.
    """
    keys = [(ref, table.column_at(ref)) for ref in groups]
    missing = [ref[0] for ref, at in keys if at is None]
    if missing:
        problems.append(f"group: there is no column {missing[0]!r} now")
        return table
    rows = None if mask is None else np.flatnonzero(mask)
    arrays: list[pa.Array] = []
    places = [at for _, at in keys if at is not None]
    others = [
        at
        for at, heading in enumerate(table.headings.columns)
        if at not in places and heading.title and not pa.types.is_nested(table.types[at])
    ]
    for at in (*places, *others):
        values = without_dictionary(table.values_at(at))
        if pa.types.is_float16(values.type):  # Arrow has no sums of those
            values = values.cast(pa.float32())
        if rows is not None:
            values = values.take(rows_array(rows))
        arrays.append(values)
    if any(pa.types.is_nested(array.type) for array in arrays[: len(places)]):
        problems.append("group: lists and dicts make no groups")
        return table
    names = [f"{number}" for number in range(len(arrays))]
    wanted = []
    for number, at in enumerate(others, len(places)):
        total = total_of(arrays[number].type, totals.get(table.refs[at]))
        wanted.append((at, total, (names[number], total)))
    source = pa.Table.from_arrays(arrays, names=names)
    by_names = names[: len(places)]
    kinds = tuple(array.type for array in arrays[: len(places)])
    wanted = [one for one in wanted if _has_total(kinds, table.types[one[0]], one[1])]
    try:
        result = _totals(source, by_names, [ask for _, _, ask in wanted])
    except pa.ArrowException as error:  # a sum that is too large, a type that makes no groups
        problems.append(f"group: {str(error).splitlines()[0]:.200}")
        return table
    found = [one_chunk(result.column(names[number])) for number in range(len(places))]
    found.append(one_chunk(result.column("0_count")))
    found += [one_chunk(result.column(f"{name}_{total}")) for _, _, (name, total) in wanted]
    headings = [
        *(Heading(table.titles[at], number, fixed=True) for number, at in enumerate(places)),
        Heading(COUNT_TITLE, len(places)),
        *(
            Heading(f"{total}({table.titles[at]})", number)
            for number, (at, total, _) in enumerate(wanted, len(places) + 1)
        ),
    ]
    return replace(
        table,
        headings=_headings(tuple(headings)),
        sources=Arrays(found),
        rows=len(found[0]),
        shape=(len(found[0]), table.shape[1]),
        _source_types=tuple(one.type for one in found),
        _held_by=tuple(range(len(places))),
        line=None,
        numbers=None,
        order=None,
        whole=None,
        past=None,
        grouped=True,
    )


def _may_overflow(values: pa.ChunkedArray) -> bool:
    """Tell whether the sum of whole numbers may be none of 64 bits: Arrow's goes round then."""
    if not pa.types.is_integer(values.type) or not len(values):
        return False
    ends = pc.min_max(values).as_py()
    most = max(abs(ends["min"] or 0), abs(ends["max"] or 0))
    return bool(most * len(values) >= 1 << 63)


_WIDE: Final = 38  # digits of a decimal; 20 are of a number, the rest is room for 10**18 rows


def _totals(source: pa.Table, by: list[str], asked: list[tuple[str, str]]) -> pa.Table:
    # One thread: "last" is asked for, and Arrow's groups have no order otherwise.
    counted = ("0", "count", pc.CountOptions("all"))
    for name, total in asked:
        if total == "sum" and _may_overflow(source.column(name)):
            wide = source.column(name).cast(pa.decimal128(_WIDE, 0))
            source = source.set_column(source.column_names.index(name), name, wide)
    # As pa.Table.group_by does, which loads pandas on the way: 40 MB that stay.
    from pyarrow._acero import AggregateNodeOptions, Declaration, TableSourceNodeOptions

    totals = [
        ([name], f"hash_{total}", options[0] if options else None, f"{name}_{total}")
        for name, total, *options in (counted, *asked)
    ]
    steps = [
        Declaration("table_source", TableSourceNodeOptions(source)),
        Declaration("aggregate", AggregateNodeOptions(totals, keys=by)),
    ]
    return Declaration.from_sequence(steps).to_table(use_threads=False)


@lru_cache(maxsize=256)
def _has_total(groups: tuple[pa.DataType, ...], kind: pa.DataType, total: str) -> bool:
    """Tell whether Arrow can total such values."""
    kind = pa.float32() if pa.types.is_float16(kind) else plain_type(kind)
    arrays = [pa.nulls(0, one) for one in (*groups, kind)]
    names = [f"{number}" for number in range(len(arrays))]
    try:
        _totals(pa.Table.from_arrays(arrays, names=names), names[:-1], [(names[-1], total)])
    except pa.ArrowException:
        return False
    return True


def column_of(table: Table, shown: ColumnRef) -> tuple[ColumnRef, str] | None:
    """Return the column and the total that a grouped table's column shows, None if it is none.

    Args:
        table: The table before it was grouped.
        shown: The grouped table's column.
    """
    total, _, rest = shown[0].partition("(")
    ref = (rest[:-1], 0)
    return (ref, total) if total in TOTALS and table.column_at(ref) is not None else None


@lru_cache(maxsize=16)
def _headings(columns: tuple[Heading, ...]) -> Headings:
    # The same object while the columns stay: what is laid out by it need not be again.
    return Headings(columns)
