"""The table widget: keys, mouse and messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from livetable.tui.grid.anchor import View, move, show
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import width_of
from livetable.tui.text.column_style import ColumnStyle
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.table_grid import TableGrid

if TYPE_CHECKING:
    from livetable.tui.grid.header_drag import Drag


TABLE_CSS = Path(__file__).with_name("table.tcss")
"""The styles of a table and of the lines around it."""


class _OfTable(Message):
    """A message of a table widget.

    Attributes:
        table: The widget.
    """

    def __init__(self, table: TableView) -> None:
        self.table = table
        super().__init__()

    @property
    def control(self) -> TableView:
        """The widget."""
        return self.table


class TableView(TableGrid, can_focus=True):
    """A live table of any size.

    Attributes:
        whole_row: Whether the cursor marks a whole row instead of a cell.
        stale: Whether the data is dimmed because it is no longer current.
    """

    has_bindings_only: ClassVar[bool] = True
    """All its keys are bindings, so `key_order` may run them in the order they were typed."""
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

    class Selected(_OfTable):
        """Enter was pressed, or a row was double-clicked.

        Attributes:
            table: The widget.
            shown: The state that it showed then.
            row: The cursor's row.
            column: The cursor's column, as a position in `Table.titles`.
        """

        def __init__(self, table: TableView, shown: Table, row: int, column: int) -> None:
            self.shown = shown
            self.row = row
            self.column = column
            super().__init__(table)

    class HeaderSelected(_OfTable):
        """A column's header was clicked.

        Attributes:
            table: The widget.
            shown: The state that it showed then.
            column: The column, as a position in `Table.titles`.
            further: Whether Shift or Ctrl was held.
        """

        def __init__(self, table: TableView, shown: Table, column: int, further: bool) -> None:
            self.shown = shown
            self.column = column
            self.further = further
            super().__init__(table)

    class HeaderDragged(_OfTable):
        """A column's header was dragged.

        Attributes:
            table: The widget.
            column: The column, as a position in `Table.titles`.
            step: How many columns to move it to the right.
            width: The new width in cells; None: unchanged.
        """

        def __init__(
            self, table: TableView, column: int, *, step: int = 0, width: int | None = None
        ) -> None:
            self.column = column
            self.step = step
            self.width = width
            super().__init__(table)

    class CursorMoved(_OfTable):
        """The cursor has moved, by a key or by an update."""

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id, clock=clock)
        self._drag: Drag | None = None
        self._was_dragged = False

    def cursor_moved(self) -> None:
        """Post `CursorMoved`."""
        self.post_message(self.CursorMoved(self))

    @property
    def flashing(self) -> bool:
        """Whether changed cells flash."""
        return self._composer.flashing

    @flashing.setter
    def flashing(self, value: bool) -> None:
        self._composer.flashing = value

    @property
    def arrows(self) -> dict[ColumnRef, str]:
        """Sort arrows after the titles, by column."""
        return self._composer.arrows

    @arrows.setter
    def arrows(self, arrows: dict[ColumnRef, str]) -> None:
        self._composer.arrows = arrows
        self._recompose()

    @property
    def styles_of_columns(self) -> Mapping[ColumnRef, ColumnStyle]:
        """Styles of columns; they take effect at the next `update`."""
        return self._composer.styles

    @styles_of_columns.setter
    def styles_of_columns(self, styles: Mapping[ColumnRef, ColumnStyle]) -> None:
        self._composer.styles = styles

    @property
    def marked(self) -> Table | None:
        """The state that the table is compared with, None for none."""
        return self._composer.marked

    @marked.setter
    def marked(self, table: Table | None) -> None:
        self._composer.marked = table
        self._recompose()

    @property
    def picked(self) -> frozenset[RowId]:
        """The selected rows, by their identity."""
        return self._composer.picked

    @picked.setter
    def picked(self, picked: frozenset[RowId]) -> None:
        self._composer.picked = picked
        self._recompose()

    def rule_by(self, rules: Callable[[Table, int, int], list[int]] | None) -> None:
        """Set the rules: they return a level per row in sight, 0 for no look."""
        self._composer.rules = rules
        self._recompose()

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
        """The search text, in lower case; matching cells are marked."""
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
        """Move the cursor, and scroll just far enough to show it."""
        if self._table is not None:
            view = View(self.scroll_offset.y, row, column)
            self._go(move(view, self._table, self.rows_in_sight))

    def go_after_update(self, row: int) -> None:
        """Move the cursor to a row of the next table, when it is shown."""
        self._row_after = row

    def go_to_in(self, table: Table, row: int, column: int) -> None:
        """Move the cursor to a cell of `table`, an earlier state, wherever that cell is now."""
        if self._table is None:
            return
        if self._table is not table:
            row_now = self._table.find(table, row, row)
            column_now = (
                self._table.column_at(table.refs[column]) if column < len(table.refs) else None
            )
            if row_now is None or column_now is None:
                return
            row, column = row_now, column_now
        self.go_to(row, column)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start dragging a header."""
        self._was_dragged = False
        layout, offset = self._composer.layout, event.get_content_offset(self)
        if layout is not None and offset is not None and offset.y == 0 and event.button == 1:
            from livetable.tui.grid.header_drag import Drag

            self._drag = Drag.start(layout, offset.x, self.scroll_offset.x)
            self.capture_mouse(self._drag is not None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Resize the column whose edge is dragged."""
        drag = self._drag
        if drag is not None and event.x != drag.x:
            self._was_dragged = True
            if drag.resizes:
                width = drag.wide(event.x)
                self.post_message(self.HeaderDragged(self, drag.column, width=width))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Move the column to where its header is dropped."""
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
                self._was_dragged = False  # not far enough: it counts as a click

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the mouse; a double click opens the row."""
        layout, table = self._composer.layout, self._table
        offset = event.get_content_offset(self)
        if layout is None or table is None or offset is None or self._was_dragged:
            return
        if offset.y == 0:
            column = layout.column_at(offset.x, self.scroll_offset.x)
            if column is not None:
                self.post_message(
                    self.HeaderSelected(self, table, column, event.shift or event.ctrl)
                )
            return
        row = self.scroll_offset.y + offset.y - 1
        column = layout.column_at(offset.x, self.scroll_offset.x)
        if row >= table.rows:
            return
        opens = event.chain == 2 and row == self._cursor_row
        column = self._cursor_column if column is None else column
        self._go(View(self.scroll_offset.y, row, column))
        if opens:
            self.action_select()

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
        """Move the cursor and the view by a page."""
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
            if not last:  # scroll even if the cursor is in a frozen column
                self.set_scroll(0, self.scroll_offset.y)
            self._go(
                move(self.view, self._table, self.rows_in_sight, 0, columns if last else -columns)
            )

    def action_toggle_cursor(self) -> None:
        """Mark a whole row instead of a cell, or the other way round."""
        self.whole_row = not self.whole_row

    def action_select(self) -> None:
        """Post `Selected` for the cursor's row."""
        if self._table is not None and self._table.rows:
            self.post_message(
                self.Selected(self, self._table, self._cursor_row, self._cursor_column)
            )
