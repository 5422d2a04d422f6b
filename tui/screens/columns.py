"""The list of all columns, to pick from which are shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection

from livetable.tui.columns import ColumnChoice, in_order
from livetable.tui.model import ColumnRef, Table


class ColumnsScreen(ModalScreen[frozenset[ColumnRef] | None]):
    """Lists a table's columns; gives those that are to be hidden, None if nothing is to change.

    Args:
        table: The table with all its columns.
        choice: What is chosen so far.
    """

    DEFAULT_CSS = """
    ColumnsScreen { align: center middle; }
    ColumnsScreen Vertical {
        width: 60; max-width: 90%; height: auto; max-height: 80%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    ColumnsScreen SelectionList { height: auto; max-height: 100%; border: none; padding: 0; }
    ColumnsScreen Static { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Show these", priority=True),
        Binding("escape,q", "cancel", "Cancel"),
        Binding("a", "all", "All or none"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, table: Table, choice: ColumnChoice) -> None:
        super().__init__()
        self._columns = in_order(table.refs, choice.order)
        self._types = {ref: str(kind) for ref, kind in zip(table.refs, table.types, strict=True)}
        self._hidden = choice.hidden

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Static("space: show or hide   a: all or none   Enter: done   Esc: as before")
            yield SelectionList[ColumnRef](
                *(
                    Selection(self._label(ref), ref, ref not in self._hidden)
                    for ref in self._columns
                )
            )

    def _label(self, ref: ColumnRef) -> str:
        # As content, not as markup: a title may hold brackets.
        from textual.content import Content

        return Content.assemble(ref[0] or "(index)", (f"  {self._types[ref]}", "dim"))  # type: ignore[return-value]

    @property
    def _list(self) -> SelectionList[ColumnRef]:
        return self.query_one(SelectionList)

    def action_accept(self) -> None:
        """Show the columns that are ticked."""
        shown = set(self._list.selected)
        self.dismiss(frozenset(ref for ref in self._columns if ref not in shown))

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    def action_all(self) -> None:
        """Tick all; if all are, none."""
        if len(self._list.selected) == len(self._columns):
            self._list.deselect_all()
        else:
            self._list.select_all()

    def action_down(self) -> None:
        """Go to the next one."""
        self._list.action_cursor_down()

    def action_up(self) -> None:
        """Go to the one before."""
        self._list.action_cursor_up()
