"""Columns that are worked out from others: the values of an expression, for some rows or all.

Only the rows in sight are worked out for a paint.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import (
    as_numpy,
    missing,
    plain_type,
    rows_array,
    truth,
    without_dictionary,
)
from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import ColumnRef, Headings, Span, Table
from livetable.tui.query import comparison, evaluate, exact, time_arithmetic
from livetable.tui.query.expression import BadExpression, Expression


def window(table: Table, at: int, start: int, stop: int) -> pa.Array:
    """Return a computed column's values of the rows shown from `start` to before `stop`."""
    everything, place = _place(table, at)
    columns = _Shown(everything, place, start, stop)
    return _values(everything, place, columns, stop - start)


def whole(table: Table, at: int) -> pa.Array:
    """Return all values of a computed column, in the order of the frame."""
    everything, place = _place(table, at)
    return _values(everything, place, _Whole(everything, place), table.frame_rows)


def _place(table: Table, at: int) -> tuple[Table, int]:
    """Return the table with all columns, and where in it a column is."""
    everything = table.undressed
    place = everything.column_at(table.refs[at])
    assert place is not None
    return everything, place


def shown(table: Table, start: int, stop: int) -> evaluate.Columns:
    """Return the rows shown from `start` to before `stop`, all their columns."""
    everything = table.undressed
    return _Shown(everything, len(everything.titles), start, stop)


def earlier(table: Table, span: Span) -> tuple[evaluate.Columns, float]:
    """Return a table's rows as they were so long before, and how many seconds that is."""
    everything = table.undressed
    return _Whole(everything, len(everything.titles)).earlier(span)


Before: TypeAlias = tuple[tuple[Span, tuple[Any, ...]], ...]
"""The types that columns had so long before, by how long that is."""


@lru_cache(maxsize=256)
def type_of(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...], before: Before = ()
) -> Any:
    """Return the Arrow type of an expression's values; null if it can't be worked out."""
    try:
        return evaluate.evaluate(expression, _Empty(titles, types, dict(before))).type
    except BadExpression:
        return pa.null()


def types_beside_past(table: Table, headings: Headings) -> tuple[Any, ...]:
    """Return a table's types, where a computed one holds what an earlier state's values need.

    A column of 9.99 that had 10.01 has been of other decimals: `was` is of those.
    """
    found: list[Any] = []
    usual = table.types_alone(headings)
    for kind, heading in zip(usual, headings.columns, strict=True):
        if heading.expression is not None and table.past is not None:
            refs, now = headings.refs[: len(found)], tuple(found)
            titles = headings.titles[: len(found)]
            before: list[tuple[Span, tuple[Any, ...]]] = []
            for span in heading.expression.spans:
                then = table.past.before(table, span)
                if then is not None:
                    before.append((span, _types_then(then.undressed, refs, now)))
            if before or now != usual[: len(now)]:
                kind = type_of(heading.expression, titles, now, tuple(before))
        found.append(kind)
    return usual if tuple(found) == usual else tuple(found)


def _types_then(then: Table, refs: tuple[ColumnRef, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not its own `types`: those ask for the state before it, and so on to the oldest there is.
    known = then.types_alone(then.headings)
    places = [then.column_at(ref) for ref in refs]
    return tuple(
        known[at] if at is not None and _is_akin(known[at], kind) else kind
        for at, kind in zip(places, now, strict=True)
    )


def _is_akin(then: pa.DataType, now: pa.DataType) -> bool:
    """Tell whether values of two types can be compared."""
    then, now = plain_type(then), plain_type(now)
    if then == now or pa.types.is_null(now):
        return True
    if exact.is_number(then) and exact.is_number(now):
        return bool(pa.types.is_boolean(then) == pa.types.is_boolean(now))
    if pa.types.is_temporal(then) and pa.types.is_temporal(now):
        return time_arithmetic.is_akin(then, now)
    return evaluate.is_text(then) and evaluate.is_text(now)


def check_type(expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]) -> None:
    """Make sure that an expression can be worked out for columns of these types.

    Raises:
        BadExpression: it can't; it says what and where.
    """
    evaluate.evaluate(expression, _Empty(titles, types))


def check_condition(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]
) -> None:
    """Make sure that an expression is true or false for rows with columns of these types.

    Raises:
        BadExpression: it is not, or can't be worked out; it says what and where.
    """
    evaluate.check_condition(expression, _Empty(titles, types))


def _values(table: Table, at: int, columns: evaluate.Columns, rows: int) -> pa.Array:
    heading = table.headings.columns[at]
    assert heading.expression is not None
    kind = table.types[at]
    try:
        found = evaluate.evaluate(heading.expression, columns)
    except BadExpression as error:  # the view line tells; here there is nothing to show
        heading.trouble[:] = [str(error)]
        return pa.nulls(rows, kind)
    if isinstance(found, pa.Scalar):
        found = pc.coalesce(pa.nulls(rows, found.type), found)
    values, beyond = exact.fitted(found, kind)
    said = (
        f"{beyond:,} values do not fit 64 bits" if beyond != 1 else "a value does not fit 64 bits"
    )
    heading.trouble[:] = [said] if beyond else []
    return values


class _Empty:
    """Columns of no rows, to find out types with."""

    def __init__(
        self,
        titles: tuple[str, ...],
        types: tuple[Any, ...],
        before: dict[Span, tuple[Any, ...]] | None = None,
    ) -> None:
        self._titles = titles
        self._types = dict(reversed(list(zip(titles, types, strict=True))))
        self._before = before or {}

    def values_of(self, title: str) -> pa.Array | None:
        kind = self._types.get(title)
        return None if kind is None else pa.nulls(0, kind)

    def holds_quantities(self, title: str) -> bool:
        return False

    def categories_of(self, title: str) -> tuple[str, ...]:
        return ()

    def earlier(self, span: Span) -> tuple[evaluate.Columns, float]:
        types = self._before.get(span)
        return (self if types is None else _Empty(self._titles, types)), 1.0


class _Columns:
    """The columns of a table that stand before one of its computed ones."""

    def __init__(self, table: Table, before: int) -> None:
        self.table = table
        self._before = before

    def values_of(self, title: str) -> pa.Array | None:
        at = self.table.column_at((title, 0))
        if at is None or (
            at >= self._before and self.table.headings.columns[at].expression is not None
        ):
            return None
        return self.values_at(at)

    def holds_quantities(self, title: str) -> bool:
        return self.table.holds_quantities(title)

    def categories_of(self, title: str) -> tuple[str, ...]:
        return self.table.categories_of(title)

    def values_at(self, at: int) -> pa.Array:
        raise NotImplementedError

    def _earlier(self, span: Span) -> tuple[Table | None, float]:
        table = self.table
        then = table.past.before(table, span) if table.past is not None else None
        return then, table.sent - then.sent if then is not None else float("nan")


class _Shown(_Columns):
    """Of the rows in sight."""

    def __init__(self, table: Table, before: int, start: int, stop: int) -> None:
        super().__init__(table, before)
        self._start = start
        self._stop = stop

    def values_at(self, at: int) -> pa.Array:
        return self.table.window(at, self._start, self._stop)

    def earlier(self, span: Span) -> tuple[evaluate.Columns, float]:
        then, seconds = self._earlier(span)
        rows = self.table.frame_rows_of(self._start, self._stop)
        return _Then(self.table, then, self._before, rows), seconds


class _Whole(_Columns):
    """Of all rows."""

    def values_at(self, at: int) -> pa.Array:
        return self.table.values_at(at)

    def earlier(self, span: Span) -> tuple[evaluate.Columns, float]:
        then, seconds = self._earlier(span)
        return _Then(self.table, then, self._before, None), seconds


class _Then(_Columns):
    """What the same rows held in an earlier state; nothing for those that were not there."""

    def __init__(
        self, now: Table, then: Table | None, before: int, rows: np.ndarray[Any, Any] | None
    ) -> None:
        super().__init__(now, before)
        self._then = then
        self._places = None if then is None else places_in(now, then, rows)
        self._count = now.frame_rows if rows is None else len(rows)

    def values_at(self, at: int) -> pa.Array:
        kind = self.table.types[at]
        then = self._then
        place = then.column_at(self.table.refs[at]) if then is not None else None
        if then is None or place is None or self._places is None:
            return pa.nulls(self._count, kind)
        values = then.values_of_rows(place, self._places)
        if not _is_akin(values.type, kind):
            return pa.nulls(self._count, kind)
        if pa.types.is_timestamp(kind) and values.type.tz != kind.tz:  # one moment in two zones
            return values.cast(pa.timestamp(values.type.unit, kind.tz))
        return values

    def earlier(self, span: Span) -> tuple[evaluate.Columns, float]:
        raise BadExpression("a change of a change is not known: make it a column of its own")


def places_in(now: Table, then: Table, rows: np.ndarray[Any, Any] | None = None) -> pa.Array:
    """Return where rows were, as `_places_in` does; nowhere if their keys can't be compared."""
    try:
        return _places_in(now, then, rows)
    except pa.ArrowException:  # keys of bytes among several, or of a type without a hash
        return pa.nulls(now.frame_rows if rows is None else len(rows), pa.int64())


def _places_in(now: Table, then: Table, rows: np.ndarray[Any, Any] | None) -> pa.Array:
    """Return where in the frame of `then` rows of the frame of `now` were, null for nowhere.

    Args:
        now: The later table.
        then: The earlier one.
        rows: Rows of the frame of `now`; None for all.
    """
    wanted = np.arange(now.frame_rows, dtype=np.int64) if rows is None else rows
    same = now.same_rows_in(then, wanted)
    if same is not None and (not now.is_keyed or (same >= 0).all()):
        return _or_null(same)
    if not now.is_keyed or not then.is_keyed:
        return pc.if_else(
            pc.less(rows_array(wanted), exact.scalar(then.frame_rows)),
            rows_array(wanted),
            pa.nulls(1, pa.int64())[0],
        )
    if (rows is None or not _beyond(rows, then)) and now.has_same_keys(then, rows):
        return rows_array(wanted)
    # A pass over the earlier table's keys: only where rows came, went or moved.
    key, old = now.key_values(rows), then.key_values()
    if key.type != old.type:
        return pa.nulls(len(key), pa.int64())
    if len(key) * _MANY > len(old):
        return pc.index_in(key, value_set=old)
    # Of few keys it is they that are remembered, not the million: five times as fast.
    hits = pc.index_in(old, value_set=key)
    there = np.flatnonzero(~missing(hits))
    found = np.full(len(key), -1, dtype=np.int64)
    found[as_numpy(hits).take(there)[::-1]] = there[::-1]  # of several rows the first one
    found = found.take(as_numpy(pc.index_in(key, value_set=key)))  # keys that are there twice
    return _or_null(found)


def _or_null(found: np.ndarray[Any, Any]) -> pa.Array:
    places = rows_array(found)
    return pc.if_else(pc.less(places, exact.scalar(0)), pa.nulls(1, pa.int64())[0], places)


_MANY: Final = 8


def _beyond(rows: np.ndarray[Any, Any], table: Table) -> bool:
    return bool(len(rows)) and int(rows.max()) >= table.frame_rows


def changed_rows(now: Table, then: Table) -> np.ndarray[Any, Any]:
    """Return the rows, as in the frame, that were there then and hold something else now."""
    places = places_in(now, then)
    there = np.flatnonzero(~missing(places)).astype(np.int64)
    rows, before = rows_array(there), places.take(rows_array(there))
    differs = np.zeros(len(there), dtype=bool)
    for at, ref in enumerate(now.refs):
        old = then.column_at(ref)
        if old is None or not _is_akin(then.types[old], now.types[at]):
            continue
        values = without_dictionary(now.values_of_rows(at, rows))
        others = without_dictionary(then.values_of_rows(old, before))
        if not values.equals(others):
            differs |= _differs(values, others)
    changed: np.ndarray[Any, Any] = there[differs]
    return changed


def _differs(values: pa.Array, others: pa.Array) -> np.ndarray[Any, Any]:
    """Return where values are different ones; what is missing is the same as what is missing."""
    if pa.types.is_nested(values.type):  # Arrow compares none of those
        pairs = zip(values, others, strict=True)
        apart: np.ndarray[Any, Any] = np.array([not one.equals(other) for one, other in pairs])
        return apart.astype(bool)
    equal = pc.equal(values, others) if values.type == others.type else _equal(values, others)
    same = pc.coalesce(equal, exact.scalar(False))  # fill_null loads pandas
    differs: np.ndarray[Any, Any] = ~truth(same) & ~(_is_nothing(values) & _is_nothing(others))
    return differs


def _equal(values: pa.Array, others: pa.Array) -> pa.Array:
    """Return where values of two types that are akin are the same."""
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.bool_())
    if pa.types.is_temporal(values.type):
        return time_arithmetic.compare("equal", values, others)
    if exact.is_number(values.type):
        return comparison.compare("equal", values, others)
    return pc.equal(values.cast(pa.large_string()), others.cast(pa.large_string()))


def _is_nothing(values: pa.Array) -> np.ndarray[Any, Any]:
    return truth(pc.is_null(values, nan_is_null=pa.types.is_floating(values.type)))


def came_and_went(now: Table, then: Table, named: int) -> tuple[int, int, list[str]]:
    """Return how many of a table's rows were not there then, and how many of those are gone.

    Args:
        now: The later table.
        then: The earlier one.
        named: How many of the rows that are gone to name, by what they are held by.
    """
    came = int(missing(places_in(now, then)).sum())
    gone = np.flatnonzero(missing(places_in(then, now)))
    names = [harmless(then.arranged(None).name_of(int(row))[:30]) for row in gone[:named]]
    return came, len(gone), names
