"""Groups a table's rows: one row per group, with totals of the other columns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy, missing, one_chunk, rows_array, without_dictionary
from livetable.feed.rows.values import Arrays
from livetable.tui.model.headings import ColumnRef, Heading, Headings
from livetable.tui.model.table import Table
from livetable.tui.query import arithmetic, exact, time_arithmetic

# Bodies are not aligned in memory; Arrow would print a warning on the screen for each grouping.
os.environ.setdefault("ACERO_ALIGNMENT_HANDLING", "reallocate")

TOTALS: Final = ("sum", "mean", "min", "max", "last", "count")
"""The totals. Defaults: sum for whole numbers and decimals, mean for floats, last for others."""

COUNT_TITLE: Final = "rows"
_NUMERIC: Final = frozenset({"sum", "mean"})


def total_of(kind: pa.DataType, wanted: str | None) -> str:
    """Return which total a column shows: the wanted one if its type supports it."""
    summable = is_numeric(kind) or pa.types.is_duration(kind)
    if wanted is None or (wanted in _NUMERIC and not summable):
        return "last" if not summable else "mean" if pa.types.is_floating(kind) else "sum"
    if wanted in ("min", "max") and not (summable or _is_moment(kind)):
        return "last"
    return wanted


def is_numeric(kind: pa.DataType) -> bool:
    """Tell whether values of a type can be summed."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_moment(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(kind) and not pa.types.is_interval(kind))


def grouped(
    table: Table,
    groups: tuple[ColumnRef, ...],
    totals: Mapping[ColumnRef, str],
    mask: np.ndarray[Any, Any] | None,
    problems: list[str],
) -> Table:
    """Return a table with one row per group, in order of first appearance.

    Args:
        table: The table, its rows in the order of the frame.
        groups: The columns to group by.
        totals: The totals to show, by column.
        mask: Which rows to include; None for all.
        problems: Sentences on what can't be done are appended here.
    """
    # Long, as the steps need each other: columns, groups, then their headings.
    keys = [(ref, table.column_at(ref)) for ref in groups]
    missing = [ref[0] for ref, column in keys if column is None]
    if missing:
        problems.append(f"Can't group: no column {missing[0]!r} now")
        return table
    rows = None if mask is None else np.flatnonzero(mask)
    arrays: list[pa.Array] = []
    places = [column for _, column in keys if column is not None]
    others = [
        column
        for column, heading in enumerate(table.headings.columns)
        if column not in places and heading.title and not pa.types.is_nested(table.types[column])
    ]
    at_rows = None if rows is None else rows_array(rows)
    for column in (*places, *others):
        values = without_dictionary(table.values_at(column))
        arrays.append(values if at_rows is None else values.take(at_rows))
    keys_found = [as_key(array) for array in arrays[: len(places)]]
    if any(pa.types.is_nested(key.type) for key in keys_found):
        problems.append("Can't group by lists or dicts")
        return table
    wanted = [
        (column, values, total_of(values.type, totals.get(table.refs[column])))
        for column, values in zip(others, arrays[len(places) :], strict=True)
    ]
    try:
        made = Groups(keys_found)
        asked = [(column, total, made.wanted(values, total)) for column, values, total in wanted]
        columns = made.work()
        results = [(column, total, result()) for column, total, result in asked]
    except pa.ArrowException as error:  # a type that Arrow can't group by
        problems.append(f"Can't group: {str(error).splitlines()[0]:.200}")
        return table
    columns += [values for _, _, values in results]
    headings = [
        *(
            replace(table.headings.columns[column], source=number, fixed=True, formula=None)
            for number, column in enumerate(places)
        ),
        Heading(COUNT_TITLE, len(places)),
        *(
            Heading(f"{total}({table.titles[column]})", number)
            for number, (column, total, _) in enumerate(results, len(places) + 1)
        ),
    ]
    return replace(
        table,
        headings=_headings(tuple(headings)),
        sources=Arrays(columns),
        rows=len(columns[0]),
        shape=(len(columns[0]), table.shape[1]),
        _source_types=tuple(one.type for one in columns),
        _held_by=tuple(range(len(places))),
        line=None,
        numbers=None,
        order=None,
        whole=None,
        past=None,
        grouped=True,
    )


def as_key(values: pa.Array) -> pa.Array:
    """Return values for grouping: -0.0 becomes 0.0, and NaN becomes missing."""
    kind = values.type
    if not pa.types.is_floating(kind):
        return values
    if pa.types.is_float16(kind):
        values = values.cast(pa.float32())
    data = as_numpy(values)
    return exact.from_numpy(data + 0.0, _present(values, data))


def _present(values: pa.Array, data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return which floats are neither missing nor NaN."""
    there: np.ndarray[Any, Any] = ~np.isnan(data)
    return there & ~missing(values) if values.null_count else there


def _aggregated(source: pa.Table, key: str, asked: list[tuple[str, str, Any]]) -> pa.Table:
    """Return totals of groups, like `pa.Table.group_by`, which would import pandas (40 MB)."""
    from pyarrow._acero import AggregateNodeOptions, Declaration, TableSourceNodeOptions

    totals = [
        ([name], f"hash_{total}", options, f"{name}_{total}") for name, total, options in asked
    ]
    steps = [
        Declaration("table_source", TableSourceNodeOptions(source)),
        Declaration("aggregate", AggregateNodeOptions(totals, keys=[key])),
    ]
    return Declaration.from_sequence(steps).to_table(use_threads=False)


class Groups:
    """Computes the groups' totals; groups are in order of first appearance.

    Call `wanted` for each total, then `work` once, then the functions that `wanted` returned.

    Args:
        keys: The columns to group by.
    """

    def __init__(self, keys: list[pa.Array]) -> None:
        self._keys = keys
        self._of_row = _numbered(keys)
        self._rows = rows_array(np.arange(len(keys[0]), dtype=np.int64))
        self._values: list[pa.Array] = []
        self._asked: list[tuple[str, str, Any]] = []
        self._found: list[pa.Array] = []
        self._first = self._ask(self._rows, "min", pc.ScalarAggregateOptions())
        self._count = self._ask(self._rows, "count", pc.CountOptions("all"))

    def work(self) -> list[pa.Array]:
        """Compute the totals; return the groups' keys and numbers of rows."""
        names = [f"{number}" for number in range(len(self._values))]
        source = pa.Table.from_arrays([self._of_row, *self._values], names=["group", *names])
        # One thread: with several, the order of the groups would vary.
        result = _aggregated(source, "group", self._asked)
        order = pc.array_sort_indices(one_chunk(result.column("group")))
        self._found = [
            one_chunk(result.column(f"{name}_{total}")).take(order)
            for name, total, _ in self._asked
        ]
        first = self._first()
        return [*(key.take(first) for key in self._keys), self._count()]

    def wanted(self, values: pa.Array, total: str) -> Callable[[], pa.Array]:
        """Request a total of each group's values; missing values are ignored.

        Args:
            values: One value per row.
            total: One of `TOTALS` that the type supports (`total_of`).

        Returns:
            A function that returns the totals, after `work`.
        """
        if total == "last":
            return self._last(values)
        kind = values.type
        if pa.types.is_floating(kind):
            data = as_numpy(values)
            wide = data if data.dtype.itemsize > 2 else data.astype(np.float32)
            values = exact.from_numpy(wide, _present(values, data))
        if total == "count":
            return self._ask(values, "count", pc.CountOptions("only_valid"))
        if not _is_moment(kind):
            return self._of_numbers(values, total)
        whole = time_arithmetic.whole(values)
        numbers = self._of_numbers(whole, total, is_span=True)
        return lambda: exact.fitted(numbers(), whole.type)[0].view(kind)

    def _of_numbers(
        self, values: pa.Array, total: str, *, is_span: bool = False
    ) -> Callable[[], pa.Array]:
        if total in ("min", "max") or (total == "mean" and pa.types.is_floating(values.type)):
            return self._ask(values, total, pc.ScalarAggregateOptions())
        # The sum of no values is 0, as in pandas.
        sums = self._ask(_widened(values), "sum", pc.ScalarAggregateOptions(min_count=0))
        if total == "sum":
            return sums
        counts = self._ask(values, "count", pc.CountOptions("only_valid"))
        return lambda: _means(sums(), counts(), is_span=is_span)

    def _last(self, values: pa.Array) -> Callable[[], pa.Array]:
        """Request each group's last value that is not missing, of any type."""
        if pa.types.is_floating(values.type):
            there = _present(values, as_numpy(values))
        else:
            there = ~missing(values)
        rows = exact.from_numpy(as_numpy(self._rows), there)
        places = self._ask(rows, "max", pc.ScalarAggregateOptions())
        return lambda: values.take(places())

    def _ask(self, values: pa.Array, name: str, options: Any) -> Callable[[], pa.Array]:
        number = len(self._asked)
        self._values.append(values)
        self._asked.append((f"{number}", name, options))
        return lambda: self._found[number]


def _numbered(keys: list[pa.Array]) -> pa.Array:
    """Return each row's group number, in order of first appearance."""
    combined: pa.Array | None = None
    for key in keys:
        encoded = key.dictionary_encode(null_encoding="encode")
        numbers = encoded.indices.cast(pa.int64())
        if combined is not None:
            size = exact.scalar(max(1, len(encoded.dictionary)))
            pairs = pc.add(pc.multiply(combined, size), numbers)
            numbers = pairs.dictionary_encode().indices.cast(pa.int64())
        combined = numbers
    assert combined is not None
    return combined


def _means(sums: pa.Array, counts: pa.Array, *, is_span: bool) -> pa.Array:
    none = pa.nulls(1, counts.type)[0]
    counts = pc.if_else(pc.equal(counts, exact.scalar(0)), none, counts)
    if is_span:  # to the nearest unit
        return exact.nearest_quotients(sums, counts)
    means = arithmetic.calculate("/", sums, counts)
    return means.to_arrow() if isinstance(means, exact.Exact) else means


def _widened(values: pa.Array) -> pa.Array:
    """Return numbers in a type that can hold their sum: Arrow's sums wrap around."""
    kind = values.type
    if pa.types.is_decimal(kind):
        values = values.cast(pa.decimal256(_WIDEST, kind.scale))
        if kind.precision <= _WIDE:
            return values
    elif not pa.types.is_integer(kind):
        return values
    most = exact.largest(values) * len(values)
    if pa.types.is_decimal(kind):  # beyond 76 digits, floats are precise enough
        return values if most < 10 ** (_WIDEST - kind.scale) else values.cast(pa.float64())
    return values.cast(pa.decimal128(_WIDE, 0)) if most >= 1 << 63 else values


_WIDE: Final = 38  # digits of a decimal; 20 are of a number, the rest is room for 10**18 rows
_WIDEST: Final = 76


def column_of(table: Table, shown: ColumnRef) -> tuple[ColumnRef, str] | None:
    """Return the column and the total behind a grouped table's column, None for a key column.

    Args:
        table: The table before it was grouped.
        shown: The grouped table's column.
    """
    total, _, rest = shown[0].partition("(")
    ref = (rest[:-1], 0)
    return (ref, total) if total in TOTALS and table.column_at(ref) is not None else None


@lru_cache(maxsize=16)
def _headings(columns: tuple[Heading, ...]) -> Headings:
    # Cached: the layout is reused while the headings are the same object.
    return Headings(columns)
