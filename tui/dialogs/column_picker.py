"""The list of all columns, to pick from which are shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.widgets.option_list import Option

from livetable.tui.dialogs.leaving import Options
from livetable.tui.dialogs.popup import Popup
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.query.column_choice import ColumnChoice, in_order
from livetable.tui.text.type_names import type_name


class ColumnsScreen(Popup[frozenset[ColumnRef]]):
    """Lists a table's columns; gives those that are to be hidden, None if nothing is to change.

    Args:
        table: The table with all its columns.
        choice: What is chosen so far.
    """

    DEFAULT_CSS = """
    ColumnsScreen Vertical { width: 60; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_column", "Show or hide", priority=True),
        Binding("enter", "accept", "Apply", priority=True),
        Binding("a", "all", "All or none"),
    ]

    def __init__(self, table: Table, choice: ColumnChoice) -> None:
        super().__init__()
        self.columns = in_order(table.refs, choice.order)
        """All columns, in the order they are listed."""
        self._types = dict(zip(table.refs, map(type_name, table.types), strict=True))
        self.hidden = set(choice.hidden) & set(self.columns)
        """Those that are not ticked."""
        self._absent = choice.hidden - self.hidden  # they stay hidden should they come back

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            says = "Space: show or hide   a: all or none   Enter: apply   Esc: cancel"
            yield Static(says, classes="popup--keys")
            yield Options(*(Option(self._label(ref)) for ref in self.columns))

    def _label(self, ref: ColumnRef) -> Content:
        # As content, not as markup: a title may hold brackets. Told apart without colours, too.
        tick = "[ ] " if ref in self.hidden else "[x] "
        return Content.assemble(tick, ref[0] or "(index)", (f"  {self._types[ref]}", "dim"))

    def _say(self) -> None:
        for at, ref in enumerate(self.columns):
            self.options.replace_option_prompt_at_index(at, self._label(ref))

    def action_toggle_column(self) -> None:
        """Tick the column, or no longer."""
        index = self.options.highlighted
        if index is not None:
            self.hidden ^= {self.columns[index]}
            self.options.replace_option_prompt_at_index(index, self._label(self.columns[index]))

    def action_accept(self) -> None:
        """Show the columns that are ticked."""
        self.dismiss(self._absent | self.hidden)

    def action_all(self) -> None:
        """Tick all; if all are, none."""
        self.hidden = set() if self.hidden else set(self.columns)
        self._say()
