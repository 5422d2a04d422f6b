"""A list to choose one thing from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class ChoiceScreen(ModalScreen[str | None]):
    """Gives what was chosen, None if nothing was.

    Args:
        title: What it is about.
        choices: What can be chosen, each with how it is written.
    """

    DEFAULT_CSS = """
    ChoiceScreen { align: center middle; }
    ChoiceScreen Vertical {
        width: 44; max-width: 90%; min-width: 24; height: auto; max-height: 80%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    ChoiceScreen OptionList { height: auto; max-height: 100%; border: none; padding: 0; }
    ChoiceScreen Static { height: 1; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, title: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._says = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Static(Content(self._says))
            yield OptionList(
                *(
                    Option(Content(says), id=str(at))
                    for at, says in enumerate(self._choices.values())
                )
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Be done."""
        self.dismiss(list(self._choices)[event.option_index])

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Go to the next one."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go to the one before."""
        self.query_one(OptionList).action_cursor_up()
