"""Applies the chosen columns, their order and computed columns to a table's headings. Pure.

In two steps: computed columns are added before rows are filtered and sorted, which may use them;
columns are hidden and moved after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef, Heading, Headings
from livetable.tui.model.table import Table
from livetable.tui.text.column_style import ColumnStyle

if TYPE_CHECKING:
    from livetable.tui.query.expression import Expression


@dataclass(frozen=True, slots=True)
class Computed:
    """A computed column.

    Attributes:
        title: Its title.
        text: Its expression.
    """

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The choices for columns. Columns that are not named are shown unchanged.

    Attributes:
        hidden: Hidden columns. Filters and sorts can still use them.
        order: Columns in the chosen order; empty for the original order.
        fixed: Columns that were frozen (True) or unfrozen (False).
        computed: Computed columns.
        styles: The columns' styles.
    """

    hidden: frozenset[ColumnRef] = frozenset()
    order: tuple[ColumnRef, ...] = ()
    fixed: tuple[tuple[ColumnRef, bool], ...] = ()
    computed: tuple[Computed, ...] = ()
    styles: tuple[tuple[ColumnRef, ColumnStyle], ...] = ()

    @property
    def style_of(self) -> MappingProxyType[ColumnRef, ColumnStyle]:
        """The styles by column."""
        return _by_column(self.styles)

    def styled(self, column: ColumnRef, style: ColumnStyle) -> ColumnChoice:
        """Return the choice with another style for a column."""
        styles = {**self.style_of, column: style}
        if style == ColumnStyle():
            del styles[column]
        return replace(self, styles=tuple(styles.items()))


@lru_cache(maxsize=64)
def _by_column(
    styles: tuple[tuple[ColumnRef, ColumnStyle], ...],
) -> MappingProxyType[ColumnRef, ColumnStyle]:
    return MappingProxyType(dict(styles))


AS_IT_CAME: Final = ColumnChoice()


def with_computed(table: Table, choice: ColumnChoice) -> Table:
    """Return a table with the computed columns after its own."""
    if not choice.computed:
        return table
    whole = table.whole
    if whole is None:
        return replace(
            table, headings=_with_computed(table.headings, table.titles, choice.computed)
        )
    return replace(
        table,
        headings=_with_computed(table.headings, whole.titles, choice.computed),
        whole=_with_computed(whole, whole.titles, choice.computed),
    )


def without_computed(table: Table) -> Table:
    """Return a table without computed columns."""
    whole = None if table.whole is None else _came(table.whole)
    return replace(table, headings=_came(table.headings), whole=whole)


@lru_cache(maxsize=32)
def _came(headings: Headings) -> Headings:
    kept = [column for column in headings.columns if column.formula is None]
    return headings if len(kept) == len(headings.columns) else Headings(kept)


def dressed(table: Table, choice: ColumnChoice) -> Table:
    """Return a table with the chosen columns, in the chosen order."""
    if not (choice.hidden or choice.order or choice.fixed):
        return table
    return replace(
        table, headings=_dressed(table.headings, choice), whole=table.whole or table.headings
    )


@lru_cache(maxsize=32)
def _with_computed(
    headings: Headings, titles: tuple[str, ...], computed: tuple[Computed, ...]
) -> Headings:
    expressions, _ = _read(titles, computed)
    from livetable.tui.query.computed import ComputedColumn  # late: few tables compute

    made = [Heading(title, None, formula=ComputedColumn(one)) for title, one in expressions]
    return Headings([*headings.columns, *made])


def problems_of(table: Table, choice: ColumnChoice) -> list[str]:
    """Return why computed columns can't be parsed, a sentence each."""
    return _read(table.undressed.titles, choice.computed)[1] if choice.computed else []


def troubles_of(table: Table) -> list[str]:
    """Return why the last computation of columns failed, a sentence each."""
    return [f"{one.title}: {one.trouble[0]}" for one in table.headings.columns if one.trouble]


@lru_cache(maxsize=32)
def _read(
    titles: tuple[str, ...], computed: tuple[Computed, ...]
) -> tuple[list[tuple[str, Expression]], list[str]]:
    """Return the parsed computed columns, and why others can't be parsed."""
    from livetable.tui.query.expression import parse
    from livetable.tui.query.nodes import BadExpression

    known = list(titles)
    expressions: list[tuple[str, Expression]] = []
    problems = []
    for column in computed:
        title = harmless(column.title)
        try:
            expressions.append((title, parse(column.text, known)))
        except BadExpression as error:
            problems.append(f"{title}: {error}")
        else:
            known.append(title)
    return expressions, problems


@lru_cache(maxsize=32)
def _dressed(headings: Headings, choice: ColumnChoice) -> Headings:
    fixed = dict(choice.fixed)
    by_ref = dict(zip(headings.refs, headings.columns, strict=True))
    columns: list[tuple[ColumnRef, Heading]] = []
    for ref in in_order(headings.refs, choice.order):
        if ref not in choice.hidden:
            column = by_ref[ref]
            columns.append((ref, replace(column, fixed=fixed.get(ref, column.fixed))))
    if not columns and headings.refs:  # the only visible column is gone: show one rather than none
        columns.append((headings.refs[0], headings.columns[0]))
    columns.sort(key=lambda one: not one[1].fixed)
    return Headings([column for _, column in columns], tuple(ref for ref, _ in columns))


def in_order(columns: Sequence[ColumnRef], order: Iterable[ColumnRef]) -> list[ColumnRef]:
    """Return columns in the chosen order; other columns come last, in original order."""
    there = set(columns)
    placed = [column for column in order if column in there]
    known = set(placed)
    return [*placed, *(column for column in columns if column not in known)]


def moved(
    choice: ColumnChoice, table: Table, column: ColumnRef, step: int, whole: Table
) -> ColumnChoice:
    """Return the choice with a column moved past its neighbours.

    Args:
        choice: The choice.
        table: The table as it is shown.
        column: The column.
        step: How many columns to the right; to the left below 0.
        whole: The table with all columns.
    """
    position = table.headings.places.get(column)
    if position is None or not 0 <= position + step < len(table.refs):
        return choice
    neighbour = table.refs[position + step]
    if table.headings.columns[position].fixed != table.headings.columns[position + step].fixed:
        return choice
    order = in_order(whole.refs, choice.order)
    if column not in order or neighbour not in order:  # a column of totals
        return choice
    order.remove(column)
    order.insert(order.index(neighbour) + (step > 0), column)
    return replace(choice, order=tuple(order))


def freezing(choice: ColumnChoice, table: Table, column: int) -> ColumnChoice:
    """Return the choice with a column frozen, or unfrozen."""
    ref, heading = table.refs[column], table.headings.columns[column]
    fixed = dict(choice.fixed)
    fixed[ref] = not heading.fixed
    return replace(choice, fixed=tuple(fixed.items()))


def free_title(title: str, titles: Iterable[str]) -> str:
    """Return a title that is not used yet."""
    taken = set(titles)
    number, free = 2, title
    while free in taken:
        free = f"{title} {number}"
        number += 1
    return free
