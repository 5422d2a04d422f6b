"""A list to choose one entry from."""

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
    """Returns the chosen entry, None if cancelled.

    Args:
        title: The title.
        choices: The entries, each with its text.
        wide: Whether to use up to 100 cells.
    """

    DEFAULT_CSS = """
    ChoiceScreen Vertical { width: 44; }
    ChoiceScreen.-wide Vertical { width: 100; }
    ChoiceScreen #title { text-style: bold; }
    """

    def __init__(self, title: str, choices: Mapping[str, str], *, wide: bool = False) -> None:
        super().__init__(classes="-wide" if wide else None)
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Static(Content(self._title), id="title")
            yield Static("↑ ↓: move  Enter: choose  Esc: cancel", classes="popup--keys")
            yield Options(
                *(
                    Option(Content(text), id=str(number))
                    for number, text in enumerate(self._choices.values())
                )
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the choice."""
        self.dismiss(list(self._choices)[event.option_index])
