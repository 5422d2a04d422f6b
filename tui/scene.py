"""The visible window of a table as lines of cells: text, place and style. No Textual.

A scene is what the screen should show; two scenes differ exactly where the screen must change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import accumulate
from typing import Any, Final, NamedTuple

from livetable.tui.format import NULL, ColumnFormat, fit, width_of
from livetable.tui.model import RowId, Table

FLASH_SECONDS: Final = 0.9
"""How long a changed cell shows that it changed."""

_SAMPLE: Final = 64  # rows whose values decide a column's first width and digits


class Look(IntFlag):
    """What a cell's style is made of."""

    PLAIN = 0
    FIXED = 1
    NULL = 2
    UP = 4
    DOWN = 8
    CHANGED = 16
    CURSOR = 32
    CURSOR_ROW = 64
    STALE = 128
    HEADER = 256
    CURSOR_COLUMN = 512


_FLASHES: Final = Look.UP | Look.DOWN | Look.CHANGED
_GLYPHS: Final = {Look.UP: "▲", Look.DOWN: "▼", Look.CHANGED: "•"}


class Cell(NamedTuple):
    """A stretch of a line.

    Attributes:
        x: Where it starts, in cells from the table's left edge.
        width: How many cells it takes.
        text: What stands there, exactly `width` cells.
        look: Its style.
    """

    x: int
    width: int
    text: str
    look: int


Line = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Viewport:
    """The part of a table that is in sight.

    Attributes:
        top: The first row.
        height: Rows in sight, the header not counted.
        left: Cells that the scrolling columns are scrolled by.
        width: Cells in sight.
    """

    top: int
    height: int
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the cursor is.

    Attributes:
        row: Its row, -1 for none.
        column: Its column.
        whole_row: Whether it marks the row alone.
    """

    row: int = -1
    column: int = -1
    whole_row: bool = False


@dataclass(slots=True)
class _Seen:
    """The values a row showed last, by column."""

    values: dict[int, Any] = field(default_factory=dict)
    flashes: dict[int, tuple[float, Look]] = field(default_factory=dict)


class Layout:
    """Formats and places of a table's columns; kept while the columns stay the same.

    Args:
        table: A table with these columns; a sample of its rows decides the first widths.
        before: The layout of a table with other columns, whose widths are kept by title and type.
    """

    def __init__(self, table: Table, before: Layout | None = None) -> None:
        self.titles = table.titles
        self.types = table.types
        self.fixed = table.fixed
        known = {}
        if before is not None:
            known = dict(
                zip(zip(before.titles, before.types, strict=True), before.formats, strict=True)
            )
        self.formats: list[ColumnFormat] = []
        for at, (title, kind) in enumerate(zip(self.titles, self.types, strict=True)):
            form = known.pop((title, kind), None)
            if form is None:
                form = ColumnFormat(kind)
                form.width = min(width_of(title), form.max_width)
            self._sample(form, table, at)
            self.formats.append(form)
        self._place()

    def fits(self, table: Table) -> bool:
        """Tell whether the table has these columns."""
        return self.titles == table.titles and self.types == table.types

    def grow(self) -> None:
        """Place the columns anew after a format grew."""
        self._place()

    def visible(self, left: int, width: int) -> range:
        """Return the scrolling columns of which at least a cell is in sight."""
        first = bisect_right(self.starts, self.fixed_width + left) - 1
        last = bisect_right(self.starts, left + max(width, self.fixed_width + 1) - 1) - 1
        return range(max(first, self.fixed), min(last + 1, len(self.formats)))

    def column_at(self, x: int, left: int) -> int | None:
        """Return the column at a cell of the screen's line, None beyond the last one."""
        place = x if x < self.fixed_width else x + left
        column = bisect_right(self.starts, place) - 1
        return column if 0 <= column < len(self.formats) and place < self.total else None

    def left_for(self, column: int, left: int, width: int) -> int:
        """Return the scroll that shows a column wholly, as near to `left` as can be."""
        if column < self.fixed or column >= len(self.formats):
            return left
        start = self.starts[column] - self.fixed_width
        end = start + self.formats[column].width + 2
        room = max(1, width - self.fixed_width)
        return max(0, min(max(left, end - room), start))

    def _place(self) -> None:
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
            form.measure(form.values(table.window(column, start, stop)))


class Composer:
    """Makes scenes; remembers what each visible row showed, to tell what changed.

    Only rows and columns in sight are ever looked at, so a scene costs the same at a thousand rows
    and at a million.
    """

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.next_flash_end: float | None = None
        self._table: Table | None = None
        self._seen: dict[RowId, _Seen] = {}

    def load(self, table: Table) -> None:
        """Take in a table's new state, before `compose`."""
        if self.layout is None or not self.layout.fits(table):
            self.layout = Layout(table, self.layout)
            self._seen.clear()
        self._table = table

    def header(self, viewport: Viewport, cursor: Cursor) -> Line:
        """Return the header's line."""
        layout = self.layout
        if layout is None:
            return ()
        cells = []
        for column in (*range(layout.fixed), *layout.visible(viewport.left, viewport.width)):
            form = layout.formats[column]
            look = Look.HEADER | (Look.FIXED if column < layout.fixed else Look.PLAIN)
            if column == cursor.column and not cursor.whole_row:
                look |= Look.CURSOR_COLUMN
            text = f" {fit(layout.titles[column], form.width, right=form.right)} "
            cells.append(Cell(self._x(column, viewport), form.width + 2, text, int(look)))
        return tuple(cells)

    def compose(
        self, viewport: Viewport, cursor: Cursor, now: float, *, stale: bool = False
    ) -> list[Line]:
        """Return the lines of the rows in sight.

        Args:
            viewport: What is in sight.
            cursor: Where the cursor is.
            now: Seconds of a monotonic clock, for what flashes.
            stale: Whether the data is no longer current.
        """
        table, layout = self._table, self.layout
        if table is None or layout is None:
            return []
        stop = min(table.rows, viewport.top + viewport.height)
        start = min(viewport.top, stop)
        columns = [*range(layout.fixed), *layout.visible(viewport.left, viewport.width)]
        values, texts = self._read(table, layout, columns, start, stop)
        lines = []
        seen: dict[RowId, _Seen] = {}
        ends: list[float] = []
        places = [(column, self._x(column, viewport), layout.formats[column]) for column in columns]
        for line, identity in enumerate(table.identities(start, stop)):
            row = self._seen.get(identity) or _Seen()
            # Of rows with the same identity only the first can tell what changed.
            if identity not in seen:
                seen[identity] = row
                self._compare(row, columns, values, line, now, layout)
            else:
                row = _Seen()
            marked = _row_look(start + line, cursor, stale)
            cells = []
            for at, (column, x, form) in enumerate(places):
                look = marked | (Look.FIXED if column < layout.fixed else 0)
                text = texts[at][line]
                if text is NULL:
                    look |= Look.NULL
                glyph = " "
                flash = row.flashes.get(column)
                if flash is not None:
                    ends.append(flash[0])
                    look |= flash[1]
                    glyph = _GLYPHS[flash[1]]
                if start + line == cursor.row and column == cursor.column and not cursor.whole_row:
                    look |= Look.CURSOR
                width = form.width
                if text.isascii() and len(text) <= width:
                    text = text.rjust(width) if form.right else text.ljust(width)
                else:
                    text = fit(text, width, right=form.right)
                cells.append(Cell(x, width + 2, f" {text}{glyph}", int(look)))
            lines.append(tuple(cells))
        self._seen = seen
        self.next_flash_end = min(ends, default=None)
        return lines

    def _read(
        self, table: Table, layout: Layout, columns: Sequence[int], start: int, stop: int
    ) -> tuple[list[list[Any]], list[list[str]]]:
        values, texts = [], []
        grown = False
        for column in columns:
            form = layout.formats[column]
            read = form.values(table.window(column, start, stop))
            if form.needs_measure(read):
                grown |= form.measure(read)
            written = form.texts(read)
            grown |= form.grow(written)
            values.append(read)
            texts.append(written)
        if grown:
            layout.grow()
        return values, texts

    def _compare(
        self,
        row: _Seen,
        columns: Sequence[int],
        values: list[list[Any]],
        line: int,
        now: float,
        layout: Layout,
    ) -> None:
        before = row.values
        flashes = {at: flash for at, flash in row.flashes.items() if flash[0] > now}
        after = {}
        for at, column in enumerate(columns):
            value = values[at][line]
            after[column] = value
            if column not in before:
                continue
            old = before[column]
            if old is value or old == value or (old != old and value != value):
                continue
            flashes[column] = (now + FLASH_SECONDS, _direction(old, value, layout, column))
        row.values = after
        row.flashes = flashes

    def _x(self, column: int, viewport: Viewport) -> int:
        assert self.layout is not None
        start = self.layout.starts[column]
        return start if column < self.layout.fixed else start - viewport.left


def clip(line: Line, fixed_width: int, width: int) -> list[tuple[Cell, int, int]]:
    """Return the cells of a line that are in sight, each with the part of it that is.

    Scrolled columns disappear behind the fixed ones.

    Returns:
        Triples of a cell and the first and last-but-one of its own cells to show.
    """
    shown = []
    for cell in line:
        fixed = cell.look & Look.FIXED
        start = max(cell.x, 0 if fixed else min(fixed_width, width))
        end = min(cell.x + cell.width, width)
        if start < end:
            shown.append((cell, start - cell.x, end - cell.x))
    return shown


def _row_look(row: int, cursor: Cursor, stale: bool) -> int:
    look = Look.STALE if stale else Look.PLAIN
    return int(look | Look.CURSOR_ROW) if row == cursor.row else int(look)


def _direction(old: Any, value: Any, layout: Layout, column: int) -> Look:
    if layout.formats[column].numeric and old is not None and value is not None:
        if value > old:
            return Look.UP
        if value < old:
            return Look.DOWN
    return Look.CHANGED
