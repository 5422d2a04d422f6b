"""Choose columns: hide, show, move, freeze."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.pane.feature import Feature
from livetable.tui.query.column_choice import freezing, moved
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.model.headings import ColumnRef


class Columns(Feature):
    """Hides, shows, moves and freezes columns."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("minus", "hide", "Hide column", show=False),
        Binding("plus", "unhide", "Show all columns", show=False),
        Binding("C", "columns", "Columns", tooltip="Pick columns from a list"),
        Binding("H,shift+left", "move(-1)", "Move column left", show=False),
        Binding("L,shift+right", "move(1)", "Move column right", show=False),
        Binding("z", "freeze", "Freeze column", show=False),
    )

    def action_hide(self) -> None:
        """Hide the cursor's column. Remove it if it is a computed column."""
        if under := self.under_cursor():
            table, column, ref = under
            if table.headings.columns[column].formula is not None:
                self._remove_computed(ref)
            elif len(table.refs) > 1:
                columns = self.state.columns
                self.pane.choose_columns(replace(columns, hidden=columns.hidden | {ref}))

    def _remove_computed(self, ref: ColumnRef) -> None:
        columns = self.state.columns
        # Compare cleaned titles: a view file's title may hold escape codes, a heading never does.
        gone = next((one for one in columns.computed if harmless(one.title) == ref[0]), None)
        if gone is None:
            return  # the previous key press removed it, but it is still on the screen
        kept = tuple(one for one in columns.computed if one is not gone)
        self.pane.choose_columns(replace(columns, computed=kept))
        chosen = self.state.chosen()
        sort = tuple(key for key in chosen.sort if key.column != ref)
        if sort != chosen.sort:
            self.pane.choose(replace(chosen, sort=sort))
        self.say(f"{gone.title} removed. To restore it: = {gone.title} = {gone.text}", 4.0)

    def action_unhide(self) -> None:
        """Show all columns, in their original order."""
        everything = replace(self.state.columns, hidden=frozenset(), order=(), fixed=())
        self.pane.choose_columns(everything)

    def action_columns(self) -> None:
        """Pick from a list which columns are shown."""
        if self.state.base is None:
            return
        from livetable.tui.dialogs.column_picker import ColumnsScreen

        def picked(hidden: frozenset[ColumnRef] | None) -> None:
            if hidden is not None:
                self.pane.choose_columns(replace(self.state.columns, hidden=hidden))

        self.pane.app.push_screen(ColumnsScreen(self.state.base, self.state.columns), picked)

    def action_move(self, step: int) -> None:
        """Move the cursor's column. The cursor stays on it."""
        self.move(self.table_view.cursor_column, step)

    def move(self, column: int, step: int) -> None:
        """Move a column.

        Args:
            column: The column, as a position in the table on the screen.
            step: How many columns to the right; negative to the left.
        """
        table, base = self.table_view.table, self.state.base
        if base is not None and table is not None and column < len(table.refs):
            ref = table.refs[column]
            self.pane.choose_columns(moved(self.state.columns, table, ref, step, base))

    def action_freeze(self) -> None:
        """Freeze the cursor's column at the left, or unfreeze it."""
        if under := self.under_cursor():
            self.pane.choose_columns(freezing(self.state.columns, under[0], under[1]))
