"""The list of all columns, to choose which ones are shown."""

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
    """Lists a table's columns; returns the ones to hide, None if cancelled.

    Args:
        table: The table with all its columns.
        choice: The current choice.
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
        """All columns, in the order of the list."""
        self._types = dict(zip(table.refs, map(type_name, table.types), strict=True))
        self.hidden = set(choice.hidden) & set(self.columns)
        """The columns without a tick."""
        self._absent = choice.hidden - self.hidden  # hidden again if they come back

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            keys = "Space: show or hide   a: all or none   Enter: apply   Esc: cancel"
            yield Static(keys, classes="popup--keys")
            yield Options(*(Option(self._label(ref)) for ref in self.columns))

    def _label(self, ref: ColumnRef) -> Content:
        # Content, not markup: a title may contain brackets. [x] is readable without colours.
        tick = "[ ] " if ref in self.hidden else "[x] "
        return Content.assemble(tick, ref[0] or "(index)", (f"  {self._types[ref]}", "dim"))

    def _update_labels(self) -> None:
        for index, ref in enumerate(self.columns):
            self.options.replace_option_prompt_at_index(index, self._label(ref))

    def action_toggle_column(self) -> None:
        """Tick or untick the highlighted column."""
        index = self.options.highlighted
        if index is not None:
            self.hidden ^= {self.columns[index]}
            self.options.replace_option_prompt_at_index(index, self._label(self.columns[index]))

    def action_accept(self) -> None:
        """Return the choice."""
        self.dismiss(self._absent | self.hidden)

    def action_all(self) -> None:
        """Tick all columns, or untick all if all are ticked."""
        self.hidden = set() if self.hidden else set(self.columns)
        self._update_labels()
