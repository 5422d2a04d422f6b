"""Matches the rows of two states of a table, and finds the changed ones. Pure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import (
    as_numpy,
    is_text,
    missing,
    plain_type,
    rows_array,
    truth,
    without_dictionary,
)
from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.query import comparison, exact, time_arithmetic


def is_akin(then: pa.DataType, now: pa.DataType) -> bool:
    """Tell whether values of two types can be compared."""
    then, now = plain_type(then), plain_type(now)
    if then == now or pa.types.is_null(now):
        return True
    if exact.is_number(then) and exact.is_number(now):
        return bool(pa.types.is_boolean(then) == pa.types.is_boolean(now))
    if pa.types.is_temporal(then) and pa.types.is_temporal(now):
        return time_arithmetic.is_akin(then, now)
    return is_text(then) and is_text(now)


def places_in(now: Table, then: Table, rows: np.ndarray[Any, Any] | None = None) -> pa.Array:
    """Return where rows were, as `_places_in` does; null for all if keys can't be compared."""
    try:
        return _places_in(now, then, rows)
    except pa.ArrowException:  # e.g. bytes in a key of several columns
        return pa.nulls(now.frame_rows if rows is None else len(rows), pa.int64())


def _places_in(now: Table, then: Table, rows: np.ndarray[Any, Any] | None) -> pa.Array:
    """Return where rows of `now` were in the frame of `then`, null for new rows.

    Args:
        now: The later table.
        then: The earlier one.
        rows: Rows of the frame of `now`; None for all.
    """
    wanted = np.arange(now.frame_rows, dtype=np.int64) if rows is None else rows
    same = now.keys.rows_in(then.keys, wanted)
    if same is not None and (not now.is_keyed or (same >= 0).all()):
        return _or_null(same)
    if not now.is_keyed or not then.is_keyed:
        return pc.if_else(
            pc.less(rows_array(wanted), exact.scalar(then.frame_rows)),
            rows_array(wanted),
            pa.nulls(1, pa.int64())[0],
        )
    if (rows is None or not _beyond(rows, then)) and now.keys.same_as(then.keys, rows):
        return rows_array(wanted)
    # A scan of the earlier keys: only needed if rows were added, removed or moved.
    key, old = now.keys.values(rows), then.keys.values()
    if key.type != old.type:
        return pa.nulls(len(key), pa.int64())
    if len(key) * _MANY > len(old):
        return pc.index_in(key, value_set=old)
    # For few keys, hash these instead of the million: five times as fast.
    hits = pc.index_in(old, value_set=key)
    there = np.flatnonzero(~missing(hits))
    found_at = np.full(len(key), -1, dtype=np.int64)
    found_at[as_numpy(hits).take(there)[::-1]] = there[::-1]  # of several rows the first one
    found_at = found_at.take(as_numpy(pc.index_in(key, value_set=key)))  # for duplicate keys
    return _or_null(found_at)


def _or_null(positions: np.ndarray[Any, Any]) -> pa.Array:
    places = rows_array(positions)
    return pc.if_else(pc.less(places, exact.scalar(0)), pa.nulls(1, pa.int64())[0], places)


_MANY: Final = 8


def _beyond(rows: np.ndarray[Any, Any], table: Table) -> bool:
    return bool(len(rows)) and int(rows.max()) >= table.frame_rows


def changed_rows(now: Table, then: Table) -> np.ndarray[Any, Any]:
    """Return the rows of the frame that existed then and have changed since."""
    places = places_in(now, then)
    there = np.flatnonzero(~missing(places)).astype(np.int64)
    rows, before = rows_array(there), places.take(rows_array(there))
    differs = np.zeros(len(there), dtype=bool)
    for column, ref in enumerate(now.refs):
        old = then.column_at(ref)
        if old is None or not is_akin(then.types[old], now.types[column]):
            continue
        values = without_dictionary(now.values_of_rows(column, rows))
        others = without_dictionary(then.values_of_rows(old, before))
        if not values.equals(others):
            differs |= _differs(values, others)
    changed: np.ndarray[Any, Any] = there[differs]
    return changed


def _differs(values: pa.Array, others: pa.Array) -> np.ndarray[Any, Any]:
    """Return where values differ; two missing values are equal."""
    if pa.types.is_nested(values.type):  # Arrow has no kernel for these
        pairs = zip(values, others, strict=True)
        apart: np.ndarray[Any, Any] = np.array([not one.equals(other) for one, other in pairs])
        return apart.astype(bool)
    equal = pc.equal(values, others) if values.type == others.type else _equal(values, others)
    same = pc.coalesce(equal, exact.scalar(False))  # fill_null loads pandas
    differs: np.ndarray[Any, Any] = ~truth(same) & ~(_is_nothing(values) & _is_nothing(others))
    return differs


def _equal(values: pa.Array, others: pa.Array) -> pa.Array:
    """Return where values of two comparable types are equal."""
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
    """Return how many rows were added, how many were removed, and keys of removed ones.

    Args:
        now: The later table.
        then: The earlier table.
        named: At most this many keys of removed rows are returned.
    """
    came = int(missing(places_in(now, then)).sum())
    gone = np.flatnonzero(missing(places_in(then, now)))
    names = [harmless(then.arranged(None).name_of(int(row))[:30]) for row in gone[:named]]
    return came, len(gone), names
