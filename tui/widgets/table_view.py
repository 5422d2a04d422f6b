"""The table widget: draws what is in sight, its cursor and scroll held by row through updates."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
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
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.terminal.painter import Change, Painter
from livetable.tui.terminal.timer import later
from livetable.tui.text.column_format import ColumnFormat, fit, width_of
from livetable.tui.text.column_style import ColumnStyle
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.grid.header_drag import Drag

_FLASH_STEP = 0.1  # flashes that end within this many seconds end together


class LiveTable(ScrollView, can_focus=True):
    """A table of any size that changes while it is looked at.

    Attributes:
        whole_row: Whether the cursor marks a row or a cell.
        stale: Whether the data is shown as no longer current.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"livetable--{name}" for name in (*NAMES, "message")}
    has_bindings_only: ClassVar[bool] = True
    """Keys meet it in the order in which they are typed: `key_order`."""
    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("up,k", "cursor(-1, 0)", "Up", show=False),
        Binding("down,j", "cursor(1, 0)", "Down", show=False),
        Binding("left,h", "cursor(0, -1)", "Left", show=False),
        Binding("right,l", "cursor(0, 1)", "Right", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("g,ctrl+home", "edge_row(False)", "First row", show=False),
        Binding("G,ctrl+end", "edge_row(True)", "Last row", show=False),
        Binding("home,0", "edge_column(False)", "First column", show=False),
        Binding("end,$", "edge_column(True)", "Last column", show=False),
        Binding("c", "toggle_cursor", "Cell/row", show=False),
        Binding("enter", "select", "Open", show=False),
    )

    whole_row: reactive[bool] = reactive(False)
    stale: reactive[bool] = reactive(False)
    message: reactive[str] = reactive("")
    """What to say where there are no rows to show."""

    class Selected(Message):
        """Enter was pressed, or a row clicked twice.

        Attributes:
            table: The widget.
            row: The cursor's row.
        """

        def __init__(self, table: LiveTable, row: int) -> None:
            self.table = table
            self.row = row
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.table

    class HeaderSelected(Message):
        """A column's header was clicked.

        Attributes:
            table: The widget.
            column: The column, as a position in `Table.titles`.
            further: Whether Shift or Ctrl was held.
        """

        def __init__(self, table: LiveTable, column: int, further: bool) -> None:
            self.table = table
            self.column = column
            self.further = further
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.table

    class HeaderDragged(Message):
        """A column's header was dragged.

        Attributes:
            table: The widget.
            column: The column, as a position in `Table.titles`.
            step: How many columns to move it to the right.
            width: How wide to make it; None to leave it as wide as it is.
        """

        def __init__(
            self, table: LiveTable, column: int, *, step: int = 0, width: int | None = None
        ) -> None:
            self.table = table
            self.column = column
            self.step = step
            self.width = width
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.table

    class CursorMoved(Message):
        """The cursor is elsewhere, or on another row by an update."""

        bubble = True

        def __init__(self, table: LiveTable) -> None:
            self.table = table
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.table

    def __init__(
        self,
        *,
        id: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._table: Table | None = None
        self._composer = Composer()
        self._painter = Painter(self)
        self._cursor_row = 0
        self._cursor_column = 0
        self._row_after: int | None = None
        self._drag: Drag | None = None
        self._was_dragged = False
        self._sight = 0
        self._header: Line = ()
        self._lines: list[Line] = []
        self._composed_for = Size()
        self._styles_by_look: dict[int, Style] = {}
        self._flash_timer: asyncio.TimerHandle | None = None
        self.holds_row = False
        """Whether the cursor stays on its row at the first and the last line, too."""
        self.is_ready: Callable[[], bool] = lambda: True
        """Whether the terminal has taken the last paint."""

    # -- what is shown --------------------------------------------------------------------------

    @property
    def table(self) -> Table | None:
        """The table shown."""
        return self._table

    @property
    def flashing(self) -> bool:
        """Whether cells show for a moment that they changed."""
        return self._composer.flashing

    @flashing.setter
    def flashing(self, value: bool) -> None:
        self._composer.flashing = value

    @property
    def arrows(self) -> dict[ColumnRef, str]:
        """What stands behind the titles of columns that rows are ordered by."""
        return self._composer.arrows

    @arrows.setter
    def arrows(self, arrows: dict[ColumnRef, str]) -> None:
        self._composer.arrows = arrows
        self._recompose()

    @property
    def styles_of_columns(self) -> Mapping[ColumnRef, ColumnStyle]:
        """How columns are written that are not written as they came; seen at the next `update`."""
        return self._composer.styles

    @styles_of_columns.setter
    def styles_of_columns(self, styles: Mapping[ColumnRef, ColumnStyle]) -> None:
        self._composer.styles = styles

    @property
    def marked(self) -> Table | None:
        """The state that differences are marked against, None for none."""
        return self._composer.marked

    @marked.setter
    def marked(self, table: Table | None) -> None:
        self._composer.marked = table
        self._recompose()

    @property
    def picked(self) -> frozenset[RowId]:
        """Rows that the person picked, by what they are held by."""
        return self._composer.picked

    @picked.setter
    def picked(self, picked: frozenset[RowId]) -> None:
        self._composer.picked = picked
        self._recompose()

    def rule_by(self, rules: Callable[[Table, int, int], list[int]] | None) -> None:
        """Give rows a look by what they hold: a level a row from 1 on, 0 for none."""
        self._composer.rules = rules
        self._recompose()

    def format_of(self, column: int) -> ColumnFormat | None:
        """Return how a column is written, None if there is no such column."""
        layout = self._composer.layout
        known = layout is not None and 0 <= column < len(layout.formats)
        return layout.formats[column] if layout is not None and known else None

    def needed_width(self, column: int) -> int:
        """Return how many cells a column's title and its values in sight need."""
        form, table = self.format_of(column), self._table
        if form is None or table is None:
            return 0
        top = self.scroll_offset.y
        stop = min(table.rows, top + self.rows_in_sight)
        values = form.values(table.window(column, min(top, stop), stop))
        return max(form.needed(values), width_of(table.titles[column]))

    @property
    def needle(self) -> str:
        """What is searched for, in lower case: cells that show it are marked."""
        return self._composer.needle

    @needle.setter
    def needle(self, needle: str) -> None:
        self._composer.needle = needle
        self._recompose()

    @property
    def cursor_row(self) -> int:
        """The cursor's row."""
        return self._cursor_row

    @property
    def cursor_column(self) -> int:
        """The cursor's column, as a position in `Table.titles`."""
        return self._cursor_column

    def go_to(self, row: int, column: int) -> None:
        """Put the cursor somewhere, scrolled just far enough to show it."""
        if self._table is not None:
            view = View(self.scroll_offset.y, row, column)
            self._go(move(view, self._table, self.rows_in_sight))

    def go_after_update(self, row: int) -> None:
        """Put the cursor on a row of the table that is shown next."""
        self._row_after = row

    def go_to_in(self, table: Table, row: int, column: int) -> None:
        """Put the cursor on what is a row and column of `table`, which was shown a moment ago."""
        if self._table is None:
            return
        if self._table is not table:
            found = self._table.find(table, row, row)
            at = self._table.column_at(table.refs[column]) if column < len(table.refs) else None
            if found is None or at is None:
                return
            row, column = found, at
        self.go_to(row, column)

    @property
    def view(self) -> View:
        """The place in the table that is shown."""
        return View(self.scroll_offset.y, self._cursor_row, self._cursor_column)

    @property
    def rows_in_sight(self) -> int:
        """Lines there are for rows."""
        return max(0, self.scrollable_content_region.height - 1)

    def update(self, table: Table) -> bool:
        """Show a newer state. The cursor and the top row stay with their rows.

        Returns:
            Whether it is painted already; if not, it is with Textual's next repaint.
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
            self.post_message(self.CursorMoved(self))
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
        # `set_scroll` tells nobody: the bars would stand where they were until the next layout.
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
        """Compose the scene and have those lines repainted that differ from what is shown.

        Returns:
            Whether the screen shows it already.
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
        """Return lines of the widget, composed for the size that it has by now.

        Textual paints a new size before it tells of it: the first rows would come a paint later.
        """
        # Only then: nothing of another size is kept, so that what differs need not be told.
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
            says = textwrap.wrap(self.message, max(20, min(width - 4, 76)))
            number = y - 1 - max(1, self.rows_in_sight // 3)
            if 0 <= number < len(says):
                return self._message_strip(says[number], width)
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

    def _message_strip(self, says: str, width: int) -> Strip:
        text = fit(says, min(width, width_of(says)))
        left = " " * max(0, (width - width_of(text)) // 2)
        style = self._style(0) + self.get_component_rich_style("livetable--message", partial=True)
        strip = Strip([Segment(left, self._style(0)), Segment(text, style)])
        return strip.adjust_cell_length(width, self._style(0))

    def _style(self, look: int) -> Style:
        # `rich_style` walks the style sheet at each access: once per look and theme.
        style = self._styles_by_look.get(look)
        if style is None:
            style = self._styles_by_look[look] = self._make_style(Look(look))
        return style

    def _make_style(self, look: Look) -> Style:
        style = self.rich_style
        for name in names_of(look):
            part = self.get_component_rich_style(f"livetable--{name}", partial=True)
            background = self.get_component_styles(f"livetable--{name}").background
            if 0 < background.a < 1 and style.bgcolor is not None:  # over what is below it
                below = Color.from_rich_color(style.bgcolor)
                part += Style(bgcolor=(below + background).rich_color)
            style += part
        return style

    # -- what happens to it ---------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Forget the styles: the theme or a class changed."""
        self._styles_by_look.clear()
        self._painter.forget_styles()
        super().notify_style_update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Compose the rows that come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._recompose()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Compose the columns that come into sight."""
        super().watch_scroll_x(old_value, new_value)
        if round(old_value) != round(new_value):
            self._recompose()

    def watch_whole_row(self) -> None:
        """Draw the other cursor."""
        self._recompose()

    def watch_stale(self) -> None:
        """Dim the data, or light it up."""
        self._recompose()

    def validate_message(self, message: str) -> str:
        """Make a message harmless: it may name what a feed calls itself."""
        return harmless(message)

    def watch_message(self) -> None:
        """Say something else."""
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Compose for the new size."""
        self._take_room()

    def watch_show_horizontal_scrollbar(self) -> None:
        """Compose for the line that a scrollbar takes or leaves, of which no resize tells."""
        self.call_later(self._take_room)

    def watch_show_vertical_scrollbar(self) -> None:
        """Compose for the column that a scrollbar takes or leaves."""
        self.call_later(self._take_room)

    def _take_room(self) -> None:
        """Compose for the room there is; the cursor stays in sight if it was."""
        view, sight = self.view, self._sight
        self._sight = self.rows_in_sight
        if view.top <= view.row < view.top + sight and self._table is not None:
            self._go(show(view, self.rows_in_sight), keep_left=True)
        else:
            self._recompose()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a header."""
        self._was_dragged = False
        layout, offset = self._composer.layout, event.get_content_offset(self)
        if layout is not None and offset is not None and offset.y == 0 and event.button == 1:
            from livetable.tui.grid.header_drag import Drag

            self._drag = Drag.start(layout, offset.x, self.scroll_offset.x)
            self.capture_mouse(self._drag is not None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Make the column that is held by its edge wider or narrower."""
        drag = self._drag
        if drag is not None and event.x != drag.x:
            self._was_dragged = True
            if drag.resizes:
                width = drag.wide(event.x)
                self.post_message(self.HeaderDragged(self, drag.column, width=width))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let the header go: the column moves to where it was let go."""
        drag, self._drag = self._drag, None
        layout = self._composer.layout
        if drag is None:
            return
        self.release_mouse()
        if layout is not None and not drag.resizes and drag.column < len(layout.formats):
            step = drag.step(layout, event.x, self.scroll_offset.x)
            if self._was_dragged and step:
                self.post_message(self.HeaderDragged(self, drag.column, step=step))
            else:
                self._was_dragged = False  # it only shook

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a second click opens."""
        layout, table = self._composer.layout, self._table
        offset = event.get_content_offset(self)
        if layout is None or table is None or offset is None or self._was_dragged:
            return
        if offset.y == 0:
            column = layout.column_at(offset.x, self.scroll_offset.x)
            if column is not None:
                self.post_message(self.HeaderSelected(self, column, event.shift or event.ctrl))
            return
        row = self.scroll_offset.y + offset.y - 1
        column = layout.column_at(offset.x, self.scroll_offset.x)
        if row >= table.rows:
            return
        opens = event.chain > 1 and row == self._cursor_row
        at = self._cursor_column if column is None else column
        self._go(View(self.scroll_offset.y, row, at))
        if opens:
            self.action_select()

    # -- keys -----------------------------------------------------------------------------------

    def action_cursor(self, rows: int, columns: int) -> None:
        """Move the cursor; a row cursor scrolls sideways instead."""
        if self._table is None:
            return
        if columns and self.whole_row:
            self.scroll_to(self.scroll_offset.x + 8 * columns, animate=False, immediate=True)
            return
        self._go(
            move(self.view, self._table, self.rows_in_sight, rows, columns),
            keep_left=not columns,
        )

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page; the view moves along."""
        if self._table is None:
            return
        step = pages * max(1, self.rows_in_sight - 1)
        last = max(0, self._table.rows - self.rows_in_sight)
        moved = move(self.view, self._table, 0, step)
        top = min(max(0, self.scroll_offset.y + step), last)
        self._go(show(View(top, moved.row, moved.column), self.rows_in_sight), keep_left=True)

    def action_edge_row(self, last: bool) -> None:
        """Go to the first or last row."""
        if self._table is not None:
            self.action_cursor(self._table.rows if last else -self._table.rows, 0)

    def action_edge_column(self, last: bool) -> None:
        """Go to the first or last column."""
        if self._table is not None:
            columns = len(self._table.titles)
            if not last:  # also what is scrolled while the cursor is in a column that is not
                self.set_scroll(0, self.scroll_offset.y)
            self._go(
                move(self.view, self._table, self.rows_in_sight, 0, columns if last else -columns)
            )

    def action_toggle_cursor(self) -> None:
        """Mark a whole row instead of a cell, or the other way round."""
        self.whole_row = not self.whole_row

    def action_select(self) -> None:
        """Say that the cursor's row was chosen."""
        if self._table is not None and self._table.rows:
            self.post_message(self.Selected(self, self._cursor_row))


def _move_bar(bar: ScrollBar, at: int, length: int) -> None:
    """Move a scrollbar's thumb, if that is seen: it is drawn in eighths of a cell."""
    eighths = 8 * length / max(1, bar.window_virtual_size)
    if int(bar.position * eighths) != int(at * eighths):
        bar.position = at
