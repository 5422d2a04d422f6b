"""Asks for a line of text at the bottom of a pane, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.widgets.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Question:
    """An open prompt with its callbacks.

    Attributes:
        prompt: The prompt's widget.
        done: Called with the text at Enter, or None at Esc. Returns whether to close the prompt.
        changed: Called with the text at every key.
        toggled: Called when the user presses Tab to switch the prompt's mode.
    """

    prompt: Prompt
    done: Callable[[str | None], bool]
    changed: Callable[[str], object]
    toggled: Callable[[], object]


class Prompting:
    """Asks for lines of text.

    Args:
        pane: The pane that shows the prompt. Its table gets no keys while the prompt is open.
    """

    def __init__(self, pane: FeaturePane) -> None:
        self._pane = pane
        self._question: Question | None = None

    @property
    def is_open(self) -> bool:
        """Whether a prompt is open."""
        return self._question is not None

    @property
    def prompt(self) -> Prompt | None:
        """The open prompt, None without one."""
        return self._question.prompt if self._question is not None else None

    def ask(
        self,
        prompt: Prompt,
        done: Callable[[str | None], bool],
        changed: Callable[[str], object] = lambda text: None,
        toggled: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask for a line of text (see `Question`)."""
        self._question = Question(prompt, done, changed, toggled)
        self._pane.table_view.can_focus = False  # a click on it would take the keys from the prompt
        self._pane.mount(prompt)
        self._pane.prompt_opened()

    def change(self, text: str) -> None:
        """Apply a text while it is typed."""
        if self._question is not None:
            self._question.changed(text)

    def toggle(self) -> None:
        """Switch the prompt's mode."""
        if self._question is not None:
            self._question.toggled()

    def finish(self, text: str | None) -> None:
        """Accept the text, None if the user cancelled. Close the prompt unless it was refused."""
        if self._question is None:
            return
        prompt, table = self._question.prompt, self._pane.table_view
        if self._question.done(text):
            prompt.remove()
            self._question = None
            table.can_focus = True
            self._pane.screen.set_focus(table)
        prompt.settled.set()
        late, prompt.late = prompt.late, []
        for event in late:
            if self._question is None or not prompt.take(event):
                table.post_message(event)
