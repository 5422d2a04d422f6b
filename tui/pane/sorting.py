"""Sort by columns: keep re-sorting, freeze the order or sort once; by value or naturally."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.feature import Feature, following
from livetable.tui.widgets.bindings import named


class Sorting(Feature):
    """Sorts by the cursor's column, or by the column whose header is clicked."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding(
            "s", "sort(False)", "Sort", tooltip="Sort by this column: ascending, descending, off"
        ),
        Binding("S", "sort(True)", "Sort further", show=False),
        Binding("o", "sort_mode", "Live/held order", show=False),
        Binding("O", "natural", "Natural order", show=False, tooltip="Sort item2 before item10"),
    )

    def action_sort(self, further: bool) -> None:
        """Sort by the cursor's column: up, then down, then not at all."""
        self.sort_by(self.table_view.cursor_column, further)

    def sort_by(self, column: int, further: bool) -> None:
        """Sort by a column: up, then down, then not at all.

        Args:
            column: The column, as a position in the table on the screen.
            further: Whether to add it to the sort instead of replacing the sort.
        """
        from livetable.tui.query.arrange import sorted_by

        table = self.table_view.table
        if table is not None and column < len(table.refs):
            chosen = sorted_by(self.state.chosen(), table.refs[column], further=further)
            self.pane.choose(chosen)

    def action_sort_mode(self) -> None:
        """Switch between re-sorting as values change, freezing the order, and sorting once."""
        from livetable.tui.query.arrange import Mode

        chosen = self.state.chosen()
        if not chosen.sort:
            self.say("Press s to sort first, then o to freeze the order.")
            return
        mode = following(Mode, chosen.mode)
        asked = chosen.asked + (mode is Mode.ONCE)
        self.pane.choose(replace(chosen, mode=mode, asked=asked))

    def action_natural(self) -> None:
        """Switch natural order on or off: item2 before item10."""
        chosen = self.state.chosen()
        if not chosen.sort:
            self.say("Press s to sort first, then O to sort item2 before item10.")
            return
        self.pane.choose(replace(chosen, natural=not chosen.natural, asked=chosen.asked + 1))
