"""Draws the rows in sight; cursor and scroll position stay on their rows through updates."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Callable
from itertools import zip_longest
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from livetable.feed.base.terminal_text import harmless
from livetable.tui.grid.anchor import View, follow, move, show
from livetable.tui.grid.cells import Cursor, Line, Look, Viewport
from livetable.tui.grid.composer import Composer
from livetable.tui.grid.layout import clip
from livetable.tui.grid.styles import NAMES, names_of
from livetable.tui.model.table import Table
from livetable.tui.terminal.painter import Change, Painter
from livetable.tui.terminal.timer import later
from livetable.tui.text.column_format import ColumnFormat, fit, width_of

_FLASH_STEP = 0.1  # flashes that end within this many seconds end together


class TableGrid(ScrollView):
    """Draws a live table of any size.

    Attributes:
        whole_row: Whether the cursor marks a whole row instead of a cell.
        stale: Whether the data is dimmed because it is no longer current.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"livetable--{name}" for name in (*NAMES, "message")}

    whole_row: reactive[bool] = reactive(False)
    stale: reactive[bool] = reactive(False)
    message: reactive[str] = reactive("")
    """The text shown while there are no rows."""

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._table: Table | None = None
        self._composer = Composer()
        self._painter = Painter(self)
        self._cursor_row = 0
        self._cursor_column = 0
        self._row_after: int | None = None
        self._sight = 0
        self._header: Line = ()
        self._lines: list[Line] = []
        self._composed_for = Size()
        self._styles_by_look: dict[int, Style] = {}
        self._flash_timer: asyncio.TimerHandle | None = None
        self.holds_row = False
        """Whether the cursor stays on its row even at the first and last line."""
        self.is_ready: Callable[[], bool] = lambda: True
        """Tells whether the terminal has received the last paint."""

    def cursor_moved(self) -> None:
        """Called when the cursor has moved, by a key or by an update."""

    # -- what is shown -----------------------------------------------------------------------------

    @property
    def table(self) -> Table | None:
        """The table shown."""
        return self._table

    def format_of(self, column: int) -> ColumnFormat | None:
        """Return a column's format, None if there is no such column."""
        layout = self._composer.layout
        known = layout is not None and 0 <= column < len(layout.formats)
        return layout.formats[column] if layout is not None and known else None

    @property
    def view(self) -> View:
        """The scroll position and the cursor."""
        return View(self.scroll_offset.y, self._cursor_row, self._cursor_column)

    @property
    def rows_in_sight(self) -> int:
        """How many rows fit in the widget."""
        return max(0, self.scrollable_content_region.height - 1)

    def update(self, table: Table) -> bool:
        """Show a newer state. The cursor and the top row stay on their rows.

        Returns:
            Whether it is painted already; if not, Textual's next repaint paints it.
        """
        before, self._table = self._table, table
        self._composer.load(table)
        if before is None:
            view = View(0, 0, min(table.fixed, len(table.titles) - 1))
        else:
            sight = self.rows_in_sight
            view = follow(self.view, before, table, sight, holds=self.holds_row)
            if self._row_after is not None:
                view = move(view, table, self.rows_in_sight, self._row_after - view.row)
        self._row_after = None
        self._fit_size()
        return self._go(view, keep_left=True)

    def _fit_size(self) -> None:
        layout = self._composer.layout
        if layout is not None and self._table is not None:
            size = Size(layout.total, self._table.rows + 1)
            if size != self.virtual_size:
                self.virtual_size = size

    def _go(self, view: View, *, keep_left: bool = False) -> bool:
        if (view.row, view.column) != (self._cursor_row, self._cursor_column):
            self._cursor_row, self._cursor_column = view.row, view.column
            self.cursor_moved()
        layout = self._composer.layout
        left = self.scroll_offset.x
        if layout is not None and not keep_left:
            width = self.scrollable_content_region.width
            left = layout.left_for(view.column, left, width)
        if (left, view.top) != tuple(self.scroll_offset):
            self.set_scroll(left, view.top)
        self._move_scrollbars()
        return self._recompose()

    def _move_scrollbars(self) -> None:
        # `set_scroll` notifies nobody: the scrollbars would not move until the next layout.
        left, top = self.scroll_offset
        if self.show_vertical_scrollbar:
            _move_bar(self.vertical_scrollbar, top, self.vertical_scrollbar.size.height)
        if self.show_horizontal_scrollbar:
            _move_bar(self.horizontal_scrollbar, left, self.horizontal_scrollbar.size.width)

    def _viewport(self) -> Viewport:
        region = self.scrollable_content_region
        left, top = self.scroll_offset
        return Viewport(top, max(0, region.height - 1), left, region.width)

    def _cursor(self) -> Cursor:
        return Cursor(self._cursor_row, self._cursor_column, self.whole_row)

    def _recompose(self) -> bool:
        """Compose the lines in sight, and paint the ones that changed.

        Returns:
            Whether they are painted already.
        """
        if self._table is None:
            return False
        now = self._clock()
        before = [self._header, *self._lines]
        self._compose_lines(now)
        after = [self._header, *self._lines]
        self._fit_size()  # a column may have grown
        changes = [
            Change(y, old, new)
            for y, (old, new) in enumerate(zip_longest(before, after, fillvalue=()))
            if old != new
        ]
        fixed = self._composer.layout.fixed_width if self._composer.layout else 0
        painted = not changes or self._painter.paint(changes, fixed, self._style)
        if not painted:
            self.refresh(*(Region(0, change.y, self.size.width, 1) for change in changes))
        self._watch_flashes(now)
        return painted

    def _compose_lines(self, now: float) -> None:
        self._composed_for = self.size
        viewport, cursor = self._viewport(), self._cursor()
        self._lines = self._composer.compose(viewport, cursor, now, stale=self.stale)
        self._header = self._composer.header(viewport, cursor)

    def _watch_flashes(self, now: float) -> None:
        end = self._composer.next_flash_end
        if end is None or self._flash_timer is not None:
            return
        self._flash_timer = later(self, max(0.0, end - now) + _FLASH_STEP, self._end_flashes)

    def _end_flashes(self) -> None:
        self._flash_timer = None
        if self.is_ready():
            self._recompose()
        else:
            self._watch_flashes(self._clock())

    # -- Textual's Line API ---------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines of the widget, composed for its current size.

        Textual paints a new size before it posts `Resize`: the first rows would be a paint late.
        """
        # Only for a new size: else lines would change here that `_recompose` must report.
        if self.size != self._composed_for and self._table is not None:
            self._compose_lines(self._clock())
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the widget as a strip."""
        width = self.scrollable_content_region.width or self.size.width
        base = self._style(0)
        line: Line = ()
        if y == 0:
            line, base = self._header, self._style(Look.HEADER)
        elif y <= len(self._lines):
            line = self._lines[y - 1]
        elif self.message and not self._lines:
            texts = textwrap.wrap(self.message, max(20, min(width - 4, 76)))
            number = y - 1 - max(1, self.rows_in_sight // 3)
            if 0 <= number < len(texts):
                return self._message_strip(texts[number], width)
        layout = self._composer.layout
        fixed = layout.fixed_width if layout else 0
        segments: list[Segment] = []
        x = 0
        for cell, start, end in clip(line, fixed, width):
            segment = Segment(cell.text, self._style(cell.look))
            if end - start == cell.width:
                segments.append(segment)
            else:
                segments += Strip([segment], cell.width).crop(start, end)
            x = cell.x + end
        if x < width:
            segments.append(Segment(" " * (width - x), base))
        return Strip(segments, width)

    def _message_strip(self, message: str, width: int) -> Strip:
        text = fit(message, min(width, width_of(message)))
        left = " " * max(0, (width - width_of(text)) // 2)
        style = self._style(0) + self.get_component_rich_style("livetable--message", partial=True)
        strip = Strip([Segment(left, self._style(0)), Segment(text, style)])
        return strip.adjust_cell_length(width, self._style(0))

    def _style(self, look: int) -> Style:
        # Cached by look until the theme changes: `rich_style` walks the style sheet each time.
        style = self._styles_by_look.get(look)
        if style is None:
            style = self._styles_by_look[look] = self._make_style(Look(look))
        return style

    def _make_style(self, look: Look) -> Style:
        style = self.rich_style
        for name in names_of(look):
            part = self.get_component_rich_style(f"livetable--{name}", partial=True)
            background = self.get_component_styles(f"livetable--{name}").background
            if 0 < background.a < 1 and style.bgcolor is not None:  # blend it with what is below
                below = Color.from_rich_color(style.bgcolor)
                part += Style(bgcolor=(below + background).rich_color)
            style += part
        return style

    # -- what happens to it ---------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Drop the cached styles: the theme or a class changed."""
        self._styles_by_look.clear()
        self._painter.forget_styles()
        super().notify_style_update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Compose the rows that scroll into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._recompose()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Compose the columns that scroll into sight."""
        super().watch_scroll_x(old_value, new_value)
        if round(old_value) != round(new_value):
            self._recompose()

    def watch_whole_row(self) -> None:
        """Redraw the cursor."""
        self._recompose()

    def watch_stale(self) -> None:
        """Dim the data, or undo it."""
        self._recompose()

    def validate_message(self, message: str) -> str:
        """Make a message harmless: it may contain a feed's name."""
        return harmless(message)

    def watch_message(self) -> None:
        """Show the new message."""
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Compose for the new size."""
        self._take_room()

    def watch_show_horizontal_scrollbar(self) -> None:
        """Compose for one line more or less: Textual posts no `Resize` for a scrollbar."""
        self.call_later(self._take_room)

    def watch_show_vertical_scrollbar(self) -> None:
        """Compose for one column more or less."""
        self.call_later(self._take_room)

    def _take_room(self) -> None:
        """Compose for the current size; a cursor in sight stays in sight."""
        view, sight = self.view, self._sight
        self._sight = self.rows_in_sight
        if view.top <= view.row < view.top + sight and self._table is not None:
            self._go(show(view, self.rows_in_sight), keep_left=True)
        else:
            self._recompose()


def _move_bar(bar: ScrollBar, position: int, length: int) -> None:
    """Move a scrollbar's thumb by at least an eighth of a cell: less can't be seen."""
    eighths = 8 * length / max(1, bar.window_virtual_size)
    if int(bar.position * eighths) != int(position * eighths):
        bar.position = position
