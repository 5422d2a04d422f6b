"""A list to choose one thing from."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from livetable.tui.dialogs.leaving import Options
from livetable.tui.dialogs.popup import Popup


class ChoiceScreen(Popup[str]):
    """Gives what was chosen, None if nothing was.

    Args:
        title: What it is about.
        choices: What can be chosen, each with how it is written.
        wide: Whether it is as wide as the screen allows.
    """

    DEFAULT_CSS = """
    ChoiceScreen Vertical { width: 44; }
    ChoiceScreen.-wide Vertical { width: 100; }
    ChoiceScreen #title { text-style: bold; }
    """

    def __init__(self, title: str, choices: Mapping[str, str], *, wide: bool = False) -> None:
        super().__init__(classes="-wide" if wide else None)
        self._says = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Static(Content(self._says), id="title")
            yield Static("↑ ↓: move  Enter: choose  Esc: cancel", classes="popup--keys")
            yield Options(
                *(
                    Option(Content(says), id=str(at))
                    for at, says in enumerate(self._choices.values())
                )
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Be done."""
        self.dismiss(list(self._choices)[event.option_index])
