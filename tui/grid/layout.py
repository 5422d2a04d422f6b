"""Where each column starts, which columns are in sight, and what is cut at the edges."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Final

from livetable.tui.grid.cells import (
    FIXED,
    Cell,
    Line,
    Viewport,
)
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import ColumnFormat, fit, width_of
from livetable.tui.text.column_style import PLAIN_STYLE, ColumnStyle
from livetable.tui.text.rounding import SIGN

_SAMPLE: Final = 64  # rows that determine a column's initial width and digits


class Layout:
    """Formats and positions of a table's columns; reused while the columns stay the same.

    Args:
        table: A table with these columns; a sample of its rows determines the initial widths.
        before: The previous layout: columns with the same title and type keep their widths.
        styles: The columns' styles.
    """

    def __init__(
        self,
        table: Table,
        before: Layout | None = None,
        styles: Mapping[ColumnRef, ColumnStyle] = MappingProxyType({}),
    ) -> None:
        self.styles = styles
        self.titles = table.titles
        self.types = table.types
        self.fixed = table.fixed
        known = {}
        if before is not None:
            known = {
                (title, kind, form.style): form
                for title, kind, form in zip(
                    before.titles, before.types, before.formats, strict=True
                )
            }
        self.version = 0
        self.formats: list[ColumnFormat] = []
        for column, (title, kind) in enumerate(zip(self.titles, self.types, strict=True)):
            style = styles.get(table.refs[column], PLAIN_STYLE) if styles else PLAIN_STYLE
            form = known.pop((title, kind, style), None)
            if form is None:
                form = ColumnFormat(kind, style)
                form.rounds = table.headings.columns[column].rounded
                form.width = style.width or min(width_of(title), form.max_width)
            self._sample(form, table, column)
            self.formats.append(form)
        self._place()

    def fits(self, table: Table, styles: Mapping[ColumnRef, ColumnStyle]) -> bool:
        """Tell whether the layout is valid for a table and these styles."""
        return (
            self.titles == table.titles
            and self.types == table.types
            and self.fixed == table.fixed
            and self.styles == styles
        )

    def grow(self) -> None:
        """Update the columns' positions after a format has grown."""
        self._place()

    def visible(self, left: int, width: int) -> range:
        """Return the scrolling columns that are at least partly in sight."""
        first = bisect_right(self.starts, self.fixed_width + left) - 1
        last = bisect_right(self.starts, left + max(width, self.fixed_width + 1) - 1) - 1
        return range(max(first, self.fixed), min(last + 1, len(self.formats)))

    def column_at(self, x: int, left: int) -> int | None:
        """Return the column at a screen cell, None after the last column."""
        place = x if x < self.fixed_width else x + left
        column = bisect_right(self.starts, place) - 1
        return column if 0 <= column < len(self.formats) and place < self.total else None

    def left_for(self, column: int, left: int, width: int) -> int:
        """Return the scroll position nearest to `left` that shows a column completely."""
        if column < self.fixed or column >= len(self.formats):
            return left
        start = self.starts[column] - self.fixed_width
        end = start + self.formats[column].width + 2
        room = max(1, width - self.fixed_width)
        if left < end - room:  # snap to a column's start: a number cut at its left is misread
            first = bisect_left(self.starts, self.fixed_width + end - room)
            left = self.starts[min(first, column)] - self.fixed_width
        return max(0, min(left, start))

    def _place(self) -> None:
        self.version += 1
        widths = [form.width + 2 for form in self.formats]
        self.starts = [0, *accumulate(widths)][:-1] or [0]
        self.total = sum(widths)
        self.fixed_width = sum(widths[: self.fixed])

    def _sample(self, form: ColumnFormat, table: Table, column: int) -> None:
        third = _SAMPLE // 3
        starts = {0, max(0, table.rows // 2 - third // 2), max(0, table.rows - third)}
        if table.rows <= _SAMPLE:
            starts = {0}
        for start in sorted(starts):
            stop = min(table.rows, start + (_SAMPLE if len(starts) == 1 else third))
            values = form.values(table.window(column, start, stop))
            form.measure(values)
            if form.shaded:
                form.stretch(values)

    def stretch(
        self,
        columns: tuple[int, ...],
        read: list[list[Any]],
        rows: list[tuple[Any, ...]],
        touched: list[list[int] | None],
    ) -> bool:
        """Grow the formats to fit new values in sight; tell whether any did.

        Args:
            columns: The columns in sight.
            read: Their values, by column.
            rows: Their values, by row.
            touched: The indices of each row's new values; None: all.
        """
        fresh: list[list[Any]] = [[] for _ in columns]
        for values, different in zip(rows, touched, strict=True):
            if different is None:
                fresh = read
                break
            for position in different:
                fresh[position].append(values[position])
        grown = False
        for position, column in enumerate(columns):
            if fresh[position]:
                form = self.formats[column]
                if form.shaded:
                    grown |= form.stretch(fresh[position])
                if form.needs_measure(fresh[position]):
                    grown |= form.measure(read[position])
                grown |= form.grow(form.texts(form.widest(fresh[position])))
        return grown


def title_text(title: str, form: ColumnFormat) -> str:
    """Return a title, padded to its column's width and one cell for the sign ``≈`` before it."""
    if form.rounds:
        return fit(SIGN + title, form.width + 1, right=form.right)
    return " " + fit(title, form.width, right=form.right)


def cut_of(layout: Layout, column: int, viewport: Viewport) -> tuple[int, int] | None:
    """Return the first and last+1 of a column's cells in sight, None if all are."""
    scrolls = column >= layout.fixed
    x = layout.starts[column] - (viewport.left if scrolls else 0)
    width = layout.formats[column].width + 2
    left = min(layout.fixed_width, viewport.width) if scrolls else 0
    start, end = max(x, left) - x, min(x + width, viewport.width) - x
    return None if start <= 0 and end >= width else (start, end)


def with_cuts(text: str, start: int, end: int) -> str:
    """Return a text with ``…`` where it is cut: part of a number would be misread."""
    if width_of(text) != len(text):  # wide characters: never numbers
        return text
    if 0 < start < len(text) and text[: start + 1].strip():
        text = f"{text[:start]}…{text[start + 1 :]}"
    if 0 < end < len(text) and text[end - 1 :].strip():
        text = f"{text[: end - 1]}…{text[end:]}"
    return text


def visible_part(cell: Cell, fixed_width: int, width: int) -> tuple[int, int]:
    """Return the first and last+1 of a cell's terminal cells that are in sight.

    Scrolled columns disappear behind the frozen ones. If first >= last+1, nothing is in sight.

    Args:
        cell: The cell.
        fixed_width: Width of the frozen columns.
        width: Width in sight.
    """
    left = 0 if cell.look & FIXED else min(fixed_width, width)
    return max(cell.x, left) - cell.x, min(cell.x + cell.width, width) - cell.x


def clip(line: Line, fixed_width: int, width: int) -> list[tuple[Cell, int, int]]:
    """Return the cells of a line that are in sight, each with its `visible_part`."""
    shown = []
    for cell in line:
        start, end = visible_part(cell, fixed_width, width)
        if start < end:
            shown.append((cell, start, end))
    return shown
