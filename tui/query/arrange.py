"""Which rows of a table are shown and in which order: sort and filters as the person set them.

Pure: a table and an `Arrangement` in, the arranged table out. Done by a worker (`arranger.py`), as
it takes a tenth of a second at a million rows.
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
    """Rows move to their new places."""
    HELD = "held"
    """Values move, rows keep their places."""
    ONCE = "once"
    """Sorted when asked for, and then as held."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that rows are ordered by.

    Attributes:
        column: The column.
        descending: Whether the largest comes first.
    """

    column: ColumnRef
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the person chose.

    Attributes:
        sort: Columns to order by, the most important first.
        mode: What happens to the order when values change.
        filters: What a row must meet to be shown, each an expression or a text it contains.
        asked: Counts the times that an order was asked for.
        groups: Columns that rows are grouped by.
        totals: What is shown of a group's values, where it is not the first of `TOTALS`.
        natural: Whether the numbers in texts count as such when they are sorted.
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
        """Whether all rows are shown as they come."""
        return not self.sort and not self.filters and not self.groups


PLAIN: Final = Arrangement()


@dataclass(frozen=True, slots=True)
class Arranged:
    """A table as it is to be shown.

    Attributes:
        table: The table, with the rows and the order chosen.
        arrangement: What was chosen.
        problems: What could not be done, a sentence each.
        unapplied: Filters that could not be applied, each with why: all rows are shown then.
        full: The order of all rows, before filters; None if it is the frame's.
    """

    table: Table
    arrangement: Arrangement
    problems: tuple[str, ...] = ()
    full: Rows | None = None
    unapplied: tuple[tuple[str, str], ...] = ()


def first_arrangement(sort: tuple[tuple[str, bool], ...], where: tuple[str, ...]) -> Arrangement:
    """Return the arrangement that a command line asks for.

    Args:
        sort: Titles of columns, each with whether the largest comes first.
        where: Filters.
    """
    keys = tuple(SortKey((title, 0), descending) for title, descending in sort)
    return Arrangement(sort=keys, filters=where)


Types = tuple[pa.DataType, ...]


def is_expression(text: str, titles: tuple[str, ...] = (), types: Types | None = None) -> bool:
    """Tell whether a filter is meant as an expression, not as a text to look for.

    What stands in quotes as a whole is a text, whatever is in it. A word alone that is the title
    of a column of true and false is that column.

    Args:
        text: The filter.
        titles: The columns' titles.
        types: Their types, None if nobody knows them.
    """
    text = text.strip()
    if text[:1] in ("'", '"') and text.find(text[:1], 1) in (-1, len(text) - 1):
        return False
    if set(text) & _SIGNS or set(text.split()) & _WORDS or _IS.search(text):
        return True
    before, found, _ = re.sub(r"\s+", " ", text).partition(" is ")
    if found and before in titles:
        return True
    at = titles.index(text) if types is not None and text in titles else None
    return at is not None and types is not None and pa.types.is_boolean(plain_type(types[at]))


def check_filter(text: str, titles: tuple[str, ...], types: Types | None = None) -> None:
    """Make sure that a filter can be applied, as `check_condition` does.

    Raises:
        BadExpression: it can't; it says where.
    """
    if is_expression(text, titles, types):
        check_condition(text, titles, types)


def check_condition(text: str, titles: tuple[str, ...], types: Types | None = None) -> None:
    """Make sure that a condition can be read, and worked out.

    Args:
        text: The condition.
        titles: The titles of all columns, shown or not.
        types: Their types; None: only whether it can be read.

    Raises:
        BadExpression: it can't; it says where.
    """
    expression = parsed(text, titles)
    if types is not None:
        from livetable.tui.query import computed

        computed.check_condition(expression, titles, types)


@lru_cache(maxsize=64)
def parsed(text: str, titles: tuple[str, ...]) -> Expression:
    """Return an expression, read at most once while the columns stay the same.

    Raises:
        BadExpression: it can't be read.
    """
    return parse(text, titles)


def arrange(table: Table, chosen: Arrangement, before: Arranged | None = None) -> Arranged:
    """Return a table as it is to be shown.

    What can't be done (a column that is gone, values without an order) is left out and told.

    Args:
        table: The table as it came.
        chosen: What the person chose.
        before: What was shown last: its order is kept where it should be, and near to the new one.
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
    """Return which of a frame's rows meet a filter.

    Raises:
        BadExpression: it can't be read or worked out.
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
        same_wish = known.arrangement.asked == chosen.asked
        if same_wish or chosen.mode is Mode.HELD:
            return _held(known.full, known.table, table)
    rows: Rows = np.arange(table.frame_rows, dtype=np.int64)
    # Nearly in order already, it is sorted several times faster.
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
    """Return the order of before for the rows there are now; new ones come at the end."""
    places = _places_now(before, table)
    if places is None:  # told apart by position
        kept = full[full < table.frame_rows]
    else:
        kept = places.take(full)
        kept = kept[kept >= 0]
        _, first = np.unique(kept, return_index=True)
        if len(first) < len(kept):  # several rows with one key: the others count as new
            kept = kept[np.sort(first)]
    seen = np.zeros(table.frame_rows, dtype=bool)
    seen[kept] = True
    return np.concatenate((kept, np.flatnonzero(~seen)))


def _places_now(before: Table, table: Table) -> Rows | None:
    """Return where each row of the frame of before is now, -1 if it is gone; None: by position."""
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
    """Return the arrangement with one filter more; one that is there already is not there twice."""
    return chosen if text in chosen.filters else replace(chosen, filters=(*chosen.filters, text))


def sorted_by(chosen: Arrangement, column: ColumnRef, *, further: bool = False) -> Arrangement:
    """Return the arrangement after "sort by this column": up, then down, then not at all.

    Args:
        chosen: The arrangement.
        column: The column.
        further: Whether the columns sorted by so far stay, before this one.
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
    """Return the filter "as in this cell", for a row shown; None if an expression can't say it."""
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
