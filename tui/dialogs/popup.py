"""A list in a box over the table, with keys to move in it."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList

from livetable.tui.dialogs.leaving import LeftOnce

Result = TypeVar("Result")


class Popup(ModalScreen[Result | None], LeftOnce[Result | None]):
    """Shows a list; returns None if cancelled."""

    DEFAULT_CSS = """
    Popup { align: center middle; }
    Popup Vertical {
        max-width: 90%; min-width: 24; height: auto; max-height: 80%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    Popup OptionList { height: auto; max-height: 100%; border: none; padding: 0; }
    Popup OptionList:focus { border: none; }
    Popup Static { height: 1; }
    Popup .popup--keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    @property
    def options(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    def action_cancel(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move to the next entry."""
        self.options.action_cursor_down()

    def action_up(self) -> None:
        """Move to the previous entry."""
        self.options.action_cursor_up()
