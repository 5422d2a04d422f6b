"""The line of text that a pane asks for: one at a time, at its foot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.widgets.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Question:
    """A line of text that is being asked for.

    Attributes:
        prompt: The widget in which it is typed.
        done: Called with the text at Enter, with None at Esc; returns whether the prompt closes.
        changed: Called with the text at every key.
        toggled: Called for the key that changes what the text is for.
    """

    prompt: Prompt
    done: Callable[[str | None], bool]
    changed: Callable[[str], object]
    toggled: Callable[[], object]


class Prompting:
    """Asks for lines of text.

    Args:
        pane: The pane at whose foot the prompt appears. Its table has no keys meanwhile.
    """

    def __init__(self, pane: FeaturePane) -> None:
        self._pane = pane
        self._question: Question | None = None

    @property
    def is_open(self) -> bool:
        """Whether a text is being asked for."""
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
        self._pane.table_view.can_focus = False  # a click on it would leave the prompt without keys
        self._pane.mount(prompt)
        self._pane.prompt_opened()

    def change(self, text: str) -> None:
        """Show what a text leads to while it is typed."""
        if self._question is not None:
            self._question.changed(text)

    def toggle(self) -> None:
        """Change what the text is for."""
        if self._question is not None:
            self._question.toggled()

    def finish(self, text: str | None) -> None:
        """Take the text, None if the person gave it up; close the prompt if it was accepted."""
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
