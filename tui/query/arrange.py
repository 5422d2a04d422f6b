"""Filters, sorts and groups a table's rows as the person chose.

Pure: a table and an `Arrangement` in, the arranged table out. A worker calls it (`arranger.py`): a
million rows take a tenth of a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy, missing, plain_type
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.query.evaluate import mask_of
from livetable.tui.query.expression import Expression, parse
from livetable.tui.query.literals import written
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.quoting import quote
from livetable.tui.query.sort import NotSortable, Rows, Sortable
from livetable.tui.query.text_match import containing

_SIGNS: Final = frozenset("<>=!()&|~`")
_WORDS: Final = frozenset({"and", "or", "not", "in"})
_IS: Final = re.compile(r"\bis\s+(not\s+)?(None|True|False)\b|\b(None|True|False)\s+is\b")


class Mode(Enum):
    """What a sorted table does when values change."""

    LIVE = "live"
    """Rows are re-sorted."""
    HELD = "held"
    """The order is frozen; only values change."""
    ONCE = "once"
    """Sorted once, then frozen."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by.

    Attributes:
        column: The column.
        descending: Whether to sort descending.
    """

    column: ColumnRef
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The chosen filters, sort and groups.

    Attributes:
        sort: Columns to sort by, the most important first.
        mode: What happens to the order when values change.
        filters: Filters that rows must match: expressions, or texts that they must contain.
        asked: Counts the requests to sort: a new one sorts again, even if nothing else changed.
        groups: Columns to group by.
        totals: The totals of columns that don't show their default.
        natural: Whether to sort item2 before item10.
    """

    sort: tuple[SortKey, ...] = ()
    mode: Mode = Mode.LIVE
    filters: tuple[str, ...] = ()
    asked: int = 0
    groups: tuple[ColumnRef, ...] = ()
    totals: tuple[tuple[ColumnRef, str], ...] = ()
    natural: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether all rows are shown in the order of the frame."""
        return not self.sort and not self.filters and not self.groups


PLAIN: Final = Arrangement()


@dataclass(frozen=True, slots=True)
class Arranged:
    """An arranged table.

    Attributes:
        table: The table with the chosen rows in the chosen order.
        arrangement: The arrangement.
        problems: Sentences on what could not be done.
        unapplied: Filters that could not be applied, with the reasons; they hide no rows.
        full: The order of all rows before filtering; None if it is the frame's.
    """

    table: Table
    arrangement: Arrangement
    problems: tuple[str, ...] = ()
    full: Rows | None = None
    unapplied: tuple[tuple[str, str], ...] = ()


def first_arrangement(sort: tuple[tuple[str, bool], ...], where: tuple[str, ...]) -> Arrangement:
    """Return the arrangement of a command line.

    Args:
        sort: Titles of columns, each with whether to sort descending.
        where: Filters.
    """
    keys = tuple(SortKey((title, 0), descending) for title, descending in sort)
    return Arrangement(sort=keys, filters=where)


Types = tuple[pa.DataType, ...]


def is_expression(text: str, titles: tuple[str, ...] = (), types: Types | None = None) -> bool:
    """Tell whether a filter is an expression, not a text to search for.

    A filter in quotes is a text. A single word is an expression if it is the title of a column of
    true and false.

    Args:
        text: The filter.
        titles: The columns' titles.
        types: The columns' types, None if unknown.
    """
    text = text.strip()
    if text[:1] in ("'", '"') and text.find(text[:1], 1) in (-1, len(text) - 1):
        return False
    if set(text) & _SIGNS or set(text.split()) & _WORDS or _IS.search(text):
        return True
    before, found, _ = re.sub(r"\s+", " ", text).partition(" is ")
    if found and before in titles:
        return True
    if types is None or text not in titles:
        return False
    return bool(pa.types.is_boolean(plain_type(types[titles.index(text)])))


def check_filter(text: str, titles: tuple[str, ...], types: Types | None = None) -> None:
    """Check that a filter can be applied, as `check_condition` does.

    Raises:
        BadExpression: it can't be.
    """
    if is_expression(text, titles, types):
        check_condition(text, titles, types)


def check_condition(text: str, titles: tuple[str, ...], types: Types | None = None) -> None:
    """Check that a condition can be parsed and applied.

    Args:
        text: The condition.
        titles: The titles of all columns, shown or not.
        types: Their types; None: check only that it can be parsed.

    Raises:
        BadExpression: it can't be.
    """
    expression = parsed(text, titles)
    if types is not None:
        from livetable.tui.query import computed

        computed.check_condition(expression, titles, types)


@lru_cache(maxsize=64)
def parsed(text: str, titles: tuple[str, ...]) -> Expression:
    """Return a parsed expression; cached.

    Raises:
        BadExpression: it can't be parsed.
    """
    return parse(text, titles)


def arrange(table: Table, chosen: Arrangement, before: Arranged | None = None) -> Arranged:
    """Return an arranged table.

    What can't be done (e.g. the column is gone) is left out and reported in `problems`.

    Args:
        table: The table.
        chosen: The arrangement.
        before: The last result: its order is kept if frozen, and speeds up sorting if not.
    """
    if chosen.is_plain:
        return Arranged(table.arranged(None), chosen)
    table = table.arranged(None)
    problems: list[str] = []
    unapplied: list[tuple[str, str]] = []
    mask = _mask(table, chosen, unapplied) if chosen.filters else None
    problems += [f"{text}: {said}" for text, said in unapplied]
    if chosen.groups:
        from livetable.tui.query.group import grouped

        table = grouped(table, chosen.groups, dict(chosen.totals), mask, problems)
        mask = None
    full = _order(table, chosen, before, problems) if chosen.sort else None
    shown = full
    if mask is not None:
        shown = np.flatnonzero(mask)
        if full is not None:
            shown = full.take(np.flatnonzero(mask.take(full)))
    return Arranged(table.arranged(shown), chosen, tuple(problems), full, tuple(unapplied))


def _mask(
    table: Table, chosen: Arrangement, unapplied: list[tuple[str, str]]
) -> np.ndarray[Any, Any]:
    mask = np.ones(table.frame_rows, dtype=bool)
    for text in chosen.filters:
        try:
            mask &= filter_mask(table, text)
        except BadExpression as error:
            unapplied.append((text, error.sentence))
    return mask


def filter_mask(table: Table, text: str) -> np.ndarray[Any, Any]:
    """Return which of a frame's rows match a filter.

    Raises:
        BadExpression: it can't be parsed or applied.
    """
    everything = table.undressed
    if is_expression(text, everything.titles, everything.types):
        return mask_of(parsed(text, everything.titles), everything, table.frame_rows)
    columns = tuple(map(table.column, range(len(table.titles))))
    return containing(text.strip("'\""), columns, table.frame_rows)


def _order(
    table: Table, chosen: Arrangement, before: Arranged | None, problems: list[str]
) -> Rows | None:
    known = before if before is not None and _same_order(before.arrangement, chosen) else None
    if known is not None and known.full is not None and chosen.mode is not Mode.LIVE:
        is_same_request = known.arrangement.asked == chosen.asked
        if is_same_request or chosen.mode is Mode.HELD:
            return _held(known.full, known.table, table)
    rows: Rows = np.arange(table.frame_rows, dtype=np.int64)
    # Start from the last order: nearly sorted rows are sorted several times faster.
    if known is not None and known.full is not None and len(known.full) == len(rows):
        rows = known.full
    settle = True
    for key in reversed(chosen.sort):
        column_at = table.column_at(key.column)
        if column_at is None:
            problems.append(f"Can't sort: no column {key.column[0]!r} now")
            continue
        try:
            column = Sortable(
                table.values_at(column_at),
                mixed=table.headings.columns[column_at].mixed,
                quantity=table.headings.columns[column_at].quantity,
                categories=table.headings.columns[column_at].categories,
                natural=chosen.natural,
            )
        except NotSortable as error:
            problems.append(f"Can't sort by {key.column[0]}: {error}")
            continue
        rows = column.sort(rows, descending=key.descending, settle=settle)
        settle = False
    return rows if not settle else np.sort(rows)


def _same_order(before: Arrangement, after: Arrangement) -> bool:
    return before.sort == after.sort and before.natural == after.natural


def _held(full: Rows, before: Table, table: Table) -> Rows:
    """Return the previous order for the current rows; new rows come last."""
    places = _places_now(before, table)
    if places is None:  # identified by position
        kept = full[full < table.frame_rows]
    else:
        kept = places.take(full)
        kept = kept[kept >= 0]
        _, first = np.unique(kept, return_index=True)
        if len(first) < len(kept):  # duplicate keys: all but the first count as new
            kept = kept[np.sort(first)]
    seen = np.zeros(table.frame_rows, dtype=bool)
    seen[kept] = True
    return np.concatenate((kept, np.flatnonzero(~seen)))


def _places_now(before: Table, table: Table) -> Rows | None:
    """Return where each earlier row is now, -1 if gone; None if positions identify rows."""
    everywhere = np.arange(before.frame_rows, dtype=np.int64)
    same = before.keys.rows_in(table.keys, everywhere)
    if same is not None and (not table.is_keyed or (same >= 0).all()):
        return same
    if not table.is_keyed or not before.is_keyed:
        return None
    old, new = before.arranged(None).keys.values(), table.keys.values()
    if old.type != new.type:
        return None
    if old.equals(new):
        return np.arange(len(old), dtype=np.int64)
    found = pc.index_in(old, value_set=new)
    places: Rows = np.where(missing(found), -1, as_numpy(found).astype(np.int64))
    return places


def with_filter(chosen: Arrangement, text: str) -> Arrangement:
    """Return the arrangement with a filter added, unless it has it already."""
    return chosen if text in chosen.filters else replace(chosen, filters=(*chosen.filters, text))


def sorted_by(chosen: Arrangement, column: ColumnRef, *, further: bool = False) -> Arrangement:
    """Return the arrangement with the next sort of a column: ascending, descending, none.

    Args:
        chosen: The arrangement.
        column: The column.
        further: Whether to add the column to the current sort instead of replacing it.
    """
    now = next((key for key in chosen.sort if key.column == column), None)
    others = tuple(key for key in chosen.sort if key.column != column) if further else ()
    if now is None or (not further and len(chosen.sort) > 1):
        sort = (*others, SortKey(column))
    elif not now.descending:
        turned = SortKey(column, descending=True)
        sort = tuple(turned if key == now else key for key in chosen.sort) if further else (turned,)
    else:
        sort = others
    return replace(chosen, sort=sort, asked=chosen.asked + 1)


def equals_filter(table: Table, column: int, row: int) -> str | None:
    """Return a filter for the value of a cell; None if no expression can express it."""
    title, number = table.refs[column]
    if number:
        return None
    name = quote(title)
    values = table.window(column, row, row + 1)
    value = values[0]
    is_nan = pa.types.is_floating(plain_type(values.type)) and value.as_py() != value.as_py()
    if not value.is_valid or is_nan:
        return f"{name}.isna()"
    text = written(values)
    return None if text is None else f"{name} == {text}"
