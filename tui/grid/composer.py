"""Composes the visible part of a table as lines of cells. No Textual.

Two compositions differ exactly where the screen must change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from livetable.tui.grid.cells import (
    CHANGED,
    CURSOR,
    CURSOR_COLUMN,
    CURSOR_ROW,
    DOWN,
    FAINT,
    FIXED,
    HEADER,
    HEAT_LEVELS,
    HEAT_SHIFT,
    MARKED,
    MATCH,
    NEW,
    NULL,
    PICKED,
    RULE_SHIFT,
    STALE,
    UP,
    Cell,
    Cursor,
    Line,
    Viewport,
)
from livetable.tui.grid.layout import Layout, cut_of, title_text, with_cuts
from livetable.tui.grid.mark import (
    FADE_SECONDS,
    FLASH_SECONDS,
    UNKNOWN,
    Seen,
    differences,
    direction,
    end_flashes,
    then_of,
)
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import ColumnFormat, fit
from livetable.tui.text.column_style import ColumnStyle, Shade

_FEW: Final = 40  # changed cells; with more of them, fading would double the painting


_GLYPHS: Final = {UP: "▲", DOWN: "▼", CHANGED: "•"}


class Composer:
    """Composes lines; remembers what each visible row showed, to know what has changed.

    Only rows and columns in sight are read, and only changed cells are formatted again: the cost is
    the same with a thousand rows and with a million.
    """

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.next_flash_end: float | None = None
        self.flashing = True
        """Whether changed cells flash; off on slow terminal lines."""
        self.arrows: dict[ColumnRef, str] = {}
        """Sort arrows after the titles, by column."""
        self.styles: Mapping[ColumnRef, ColumnStyle] = MappingProxyType({})
        """Styles of columns; columns without one have the default style."""
        self.rules: Callable[[Table, int, int], list[int]] | None = None
        """Return a level per row in sight from the rules, 0 for no look; None if there are none."""
        self.picked: frozenset[RowId] = frozenset()
        """The selected rows."""
        self._fades = False
        self._marked: Table | None = None
        self._needle = ""
        self._table: Table | None = None
        self._seen: dict[RowId, Seen] = {}
        self._places: list[tuple[int, int, int, ColumnFormat, int, tuple[int, int] | None]] = []
        self._at: dict[int, int] = {}
        self._header: Line = ()
        self._header_key: tuple[object, ...] = ()
        self._placed: tuple[object, ...] = ()

    @property
    def needle(self) -> str:
        """The search text, in lower case; matching cells are marked."""
        return self._needle

    @needle.setter
    def needle(self, needle: str) -> None:
        self._needle = needle
        self._forget_lines()

    @property
    def marked(self) -> Table | None:
        """The state that the table is compared with, None for none."""
        return self._marked

    @marked.setter
    def marked(self, table: Table | None) -> None:
        self._marked = table
        for row in self._seen.values():
            row.then = row.known = None
        self._forget_lines()

    def load(self, table: Table) -> None:
        """Set the table's new state, before `compose`."""
        if self.layout is None or not self.layout.fits(table, self.styles):
            self.layout = Layout(table, self.layout, self.styles)
            self._seen.clear()
        self._table = table

    def header(self, viewport: Viewport, cursor: Cursor) -> Line:
        """Return the header line."""
        layout = self.layout
        if layout is None or self._table is None:
            return ()
        refs = self._table.refs
        key = (
            layout, layout.version, viewport.left, viewport.width, self.arrows,
            -1 if cursor.whole_row else cursor.column, refs,
        )  # fmt: skip
        if key == self._header_key:
            return self._header
        cells = []
        for column in (*range(layout.fixed), *layout.visible(viewport.left, viewport.width)):
            form = layout.formats[column]
            look = HEADER | (FIXED if column < layout.fixed else 0)
            if column == cursor.column and not cursor.whole_row:
                look |= CURSOR_COLUMN
            arrow = self.arrows.get(refs[column], " ") if self.arrows else " "
            text = title_text(layout.titles[column], form) + arrow
            x = layout.starts[column] - (0 if column < layout.fixed else viewport.left)
            if cut := cut_of(layout, column, viewport):
                text = with_cuts(text, *cut)
            cells.append(Cell(x, form.width + 2, text, look))
        self._header_key, self._header = key, tuple(cells)
        return self._header

    def compose(
        self, viewport: Viewport, cursor: Cursor, now: float, *, stale: bool = False
    ) -> list[Line]:
        """Return the lines of the rows in sight.

        Args:
            viewport: The visible part.
            cursor: The cursor.
            now: The time by a monotonic clock, for flashes.
            stale: Whether to dim the data.
        """
        # Long, as it is the inner loop of each paint.
        table, layout = self._table, self.layout
        if table is None or layout is None:
            return []
        stop = min(table.rows, viewport.top + viewport.height)
        start = min(viewport.top, stop)
        columns = (*range(layout.fixed), *layout.visible(viewport.left, viewport.width))
        read = [
            layout.formats[column].values(table.window(column, start, stop)) for column in columns
        ]
        identities = table.identities(start, stop)
        rows = list(zip(*read, strict=True)) if read else [()] * (stop - start)
        known = [self._seen.get(identity) for identity in identities]
        touched = [
            differences(row, columns, values) for row, values in zip(known, rows, strict=True)
        ]
        self._fades = sum(map(len, filter(None, touched))) <= _FEW
        if layout.stretch(columns, read, rows, touched):
            layout.grow()
        self._place(layout, columns, viewport)
        lines = []
        seen: dict[RowId, Seen] = {}
        common = STALE if stale else 0
        ruled = self.rules(table, start, stop) if self.rules is not None else None
        if self._marked is not None and not table.grouped:
            self._look_up(table, columns, start, known)
        for line, identity in enumerate(identities):
            # Of rows with the same identity only the first is compared with what it showed.
            row = (known[line] if identity not in seen else None) or Seen()
            seen.setdefault(identity, row)
            look, cursor_at = common, -1
            if self.picked and identity in self.picked:
                look |= PICKED
            if ruled is not None:
                look |= ruled[line] << RULE_SHIFT
            if (
                table.unfinished is not None
                and table.row_in_frame(start + line) == table.unfinished
            ):
                look |= STALE
            if start + line == cursor.row:
                look |= CURSOR_ROW
                cursor_at = -1 if cursor.whole_row else cursor.column
            different = touched[line]
            same = row.look == look and row.cursor == cursor_at and different is not None
            if not same or different is None:
                row.look, row.cursor = look, cursor_at
                self._compose_row(row, columns, rows[line], now)
            elif different or row.flash_end <= now:
                self._touch_row(row, rows[line], different, now)
            lines.append(row.line)
        self._seen = seen
        self._find_flash_end(now)
        return lines

    def _look_up(
        self, table: Table, columns: tuple[int, ...], start: int, rows: list[Seen | None]
    ) -> None:
        """Look up what rows held at the mark; only for rows that are new in sight."""
        fresh = [at for at, row in enumerate(rows) if row is None or row.known != columns]
        if not fresh or self._marked is None or self.layout is None:
            return
        held = then_of(table, self._marked, self.layout, columns, [start + at for at in fresh])
        for at, values in zip(fresh, held, strict=True):
            row = rows[at] = rows[at] or Seen()
            row.then, row.known = values, columns
            row.look = -1

    def _find_flash_end(self, now: float) -> None:
        # Only after a flash has ended: a new, earlier end is set by `_flash`.
        if self.next_flash_end is None or self.next_flash_end <= now:
            ends = [flash[0] for row in self._seen.values() for flash in row.flashes.values()]
            self.next_flash_end = min(ends, default=None)

    def _touch_row(
        self, row: Seen, values: tuple[Any, ...], different: list[int], now: float
    ) -> None:
        """Format only the cells of a row that changed or whose flash ends."""
        before = row.values
        cells = list(row.line)
        again = set(different)
        if row.flash_end <= now:
            again.update(self._at[column] for column in end_flashes(row, now) if column in self._at)
        for position in again:
            value, old = values[position], before[position]
            if position in different and not (old != old and value != value):
                self._flash(row, position, old, value, now)
            cells[position] = self._cell(position, value, row)
        row.values, row.line = values, tuple(cells)

    def _flash(self, row: Seen, position: int, old: Any, value: Any, now: float) -> None:
        column, form = self._places[position][0], self._places[position][3]
        if self.flashing:
            end = now + (FLASH_SECONDS - FADE_SECONDS if self._fades else FLASH_SECONDS)
            row.flashes[column] = (end, direction(old, value, form), self._fades)
            row.flash_end = min(row.flash_end, end)
            if self.next_flash_end is None or end < self.next_flash_end:
                self.next_flash_end = end
        else:
            row.flashes.pop(column, None)

    def _cell(self, position: int, value: Any, row: Seen) -> Cell:
        column, x, base, form, width, cut = self._places[position]
        look = row.look | base
        if column == row.cursor:
            look |= CURSOR
        glyph = " "
        flash = row.flashes.get(column) if row.flashes else None
        if flash is not None:
            look |= flash[1]
            glyph = _GLYPHS[flash[1] & ~FAINT]
        if value is None:
            look |= NULL
        if row.known is not None:
            then = row.then
            if then is None:
                look |= NEW
            elif (
                then[position] is not UNKNOWN
                and then[position] != value
                and (value == value or then[position] == then[position])
            ):
                look |= MARKED
                glyph = "*" if glyph == " " else glyph
        text = form.text(value)
        if form.shaded:
            if form.shade is Shade.BAR:
                text = form.barred(value, text)
            elif value is not None:
                look |= round(form.share(value) * HEAT_LEVELS) << HEAT_SHIFT
        if self._needle and self._needle in text.lower():
            look |= MATCH
        if len(text) <= width and text.isascii():
            text = text.rjust(width) if form.right else text.ljust(width)
        else:
            text = fit(text, width, right=form.right)
        text = f" {text}{glyph}"
        if cut is not None:
            text = with_cuts(text, *cut)
        return Cell(x, width + 2, text, look)

    def _compose_row(
        self,
        row: Seen,
        columns: tuple[int, ...],
        values: tuple[Any, ...],
        now: float,
    ) -> None:
        """Format all cells of a row."""
        before = row.values
        if row.columns != columns:  # scrolled sideways: compare by column
            known = dict(zip(row.columns, before, strict=True))
            before = tuple(known.get(column, UNKNOWN) for column in columns)
        if row.flash_end <= now:
            end_flashes(row, now)
        cells = []
        for position, value in enumerate(values):
            old = before[position] if before else UNKNOWN
            if old is not UNKNOWN and old != value and not (old != old and value != value):
                self._flash(row, position, old, value, now)
            cells.append(self._cell(position, value, row))
        row.columns, row.values, row.line = columns, values, tuple(cells)

    def _place(self, layout: Layout, columns: tuple[int, ...], viewport: Viewport) -> None:
        placed = (layout, layout.version, columns, viewport.left, viewport.width)
        if placed == self._placed:
            return
        self._placed = placed
        self._places = [
            (
                column,
                layout.starts[column] - (0 if column < layout.fixed else viewport.left),
                FIXED if column < layout.fixed else 0,
                layout.formats[column],
                layout.formats[column].width,
                cut_of(layout, column, viewport),
            )
            for column in columns
        ]
        self._at = {column: at for at, column in enumerate(columns)}
        self._forget_lines()  # their cells have moved

    def _forget_lines(self) -> None:
        for row in self._seen.values():
            row.look = -1
