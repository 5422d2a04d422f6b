"""A line to type into, with what is wrong under the place where it is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input

from livetable.feed.base.terminal_text import harmless
from livetable.tui.query.quoting import quote
from livetable.tui.terminal.gc_pause import tidy_soon

_ENTER: Final = ("enter", "ctrl+j")
"""Enter as it comes; the second, if it was pressed before the app had taken the terminal."""


class Prompt(Vertical):
    """Asks for a line of text. Says what it holds at every key, then that it is done.

    Args:
        label: What stands before the text.
        text: The text to start from.
        hint: What to say while nothing is wrong.
        words: What the last word can be completed to.
        toggles: Whether Tab changes something, rather than completing the word.
    """

    # Here, not in the app's: what is parsed at the start makes the first row late.
    DEFAULT_CSS = """
    Prompt { height: 2; background: $panel; }
    Prompt Horizontal { height: 1; }
    Prompt _Line { height: 1; width: 1fr; color: $text-muted; }
    Prompt Horizontal _Line { color: $text-accent; text-style: bold; }
    Prompt Input { width: 1fr; background: $panel; }
    Prompt Input.-wrong { color: $text-error; }
    Prompt > .prompt--problem { color: $text-error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("enter", "accept", "Apply"),
        Binding("tab", "complete", "Complete", priority=True),
        Binding("tab", "swap", "Switch", priority=True),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"prompt--problem"}

    class Changed(Message):
        """The text changed.

        Attributes:
            text: The text.
        """

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Toggled(Message):
        """Tab was pressed in a prompt in which it changes something."""

    class Done(Message):
        """The prompt is done with.

        Attributes:
            text: The text, None if it was given up.
        """

        def __init__(self, text: str | None) -> None:
            self.text = text
            super().__init__()

    def __init__(
        self,
        label: str,
        text: str = "",
        *,
        hint: str = "",
        words: Sequence[str] = (),
        toggles: bool = False,
    ) -> None:
        super().__init__()
        self._label = _Line(label)
        self._words = sorted(words, key=len)
        self._input = _Entry(
            text,
            compact=True,
            select_on_focus=False,
            suggester=_Words(self._words),
            max_length=2000,
        )
        self._says = _Line(hint)
        self._hint = hint
        self._toggles = toggles
        self.settled = asyncio.Event()
        """Set while it can take keys: not before it is there, nor once it is said to be done."""

    def on_unmount(self) -> None:
        """Let go of what it was made of."""
        tidy_soon(self.app)

    def compose(self) -> ComposeResult:
        """Yield the label, the text and a line for what is wrong."""
        with Horizontal():
            yield self._label
            yield self._input
        yield self._says

    def on_mount(self) -> None:
        """Take the keys."""
        self._label.styles.width = self._label.text.cell_len
        self.screen.set_focus(self._input)  # at once: what is typed waits for it
        self.settled.set()

    def take(self, event: events.Key | events.Paste) -> bool:
        """Take what is typed; tell whether it did, or the key's bindings are to be looked at."""
        if not self._input.has_focus:  # something beside it was clicked
            self.screen.set_focus(self._input)
        if isinstance(event, events.Paste):
            line = "".join(event.text.splitlines()[:1])
            self._type("".join(filter(str.isprintable, line)))
        elif event.is_printable and event.character is not None:
            self._type(event.character)
        elif event.key in _ENTER:
            self.action_accept()
        elif event.key == "escape":
            self.action_cancel()
        else:
            return False
        return True

    def _type(self, text: str) -> None:
        self._input.replace(text, *self._input.selection)

    def _end(self, text: str | None) -> None:
        self.settled.clear()
        self.post_message(self.Done(text))

    @property
    def label(self) -> str:
        """What stands before the text."""
        return self._label.text.plain

    def relabel(self, label: str) -> None:
        """Put something else before the text."""
        self._label.say(Text(label))
        self._label.styles.width = self._label.text.cell_len

    def say(self, sentence: str | None, start: int = 0, *, wrong: bool = True) -> None:
        """Say what is wrong, None for nothing.

        Args:
            sentence: What is wrong.
            start: Where in the text it is, in characters.
            wrong: Whether the text is: then it is red, as what is never applied.
        """
        self._input.set_class(wrong and sentence is not None, "-wrong")
        if sentence is None:
            self._says.say(Text(self._hint))
            return
        style = self.get_component_rich_style("prompt--problem", partial=True)
        column = self._label.text.cell_len + Text(self._input.value[:start]).cell_len
        said = Text(harmless(sentence))
        # Under its place if there is room behind it, else as far to the right as there is.
        room = max(0, (self.size or self.app.size).width - said.cell_len - 2)
        self._says.say(Text(" " * min(column, room) + "^ ", style).append_text(said))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what is typed."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def action_accept(self) -> None:
        """Be done with the text."""
        self._end(self._input.value)

    def action_cancel(self) -> None:
        """Give up."""
        self._end(None)

    def action_complete(self) -> None:
        """Complete the last word; what is shown behind it may be behind what was typed."""
        if self._input.cursor_position == len(self._input.value):
            whole = completed(self._input.value, self._words)
            if whole is not None:
                self._input.value = whole
                self._input.cursor_position = len(whole)

    def action_swap(self) -> None:
        """Change what there is to change."""
        self.post_message(self.Toggled())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab completes, or changes something."""
        return action != ("complete" if self._toggles else "swap")


class _Entry(Input):
    """Where the text is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Apply")
    ]  # the key line shows it

    def on_mount(self) -> None:
        """Keep in mind what Textual has it listen to."""
        self._selections = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        """Listen no more: what tells of selections would hold each prompt that ever was."""
        self._selections.unsubscribe(self)


class _Line(Widget):
    """A line of text that is never read as markup."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = Text(text, no_wrap=True, overflow="ellipsis")

    def say(self, text: Text) -> None:
        """Say something else."""
        text.no_wrap, text.overflow = True, "ellipsis"
        self.text = text
        self.refresh()

    def render(self) -> RenderableType:
        """Return the text."""
        return self.text


class _Words(Suggester):
    """Completes the last word of a text."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        """Return the text with its last word completed, None if nothing begins with it."""
        return completed(value, self._words)


def completed(text: str, words: Sequence[str]) -> str | None:
    """Return a text with its last word completed to a title, None if none begins with it."""
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_`"):
        start -= 1
    word = text[start:]
    if not word.strip("`"):
        return None
    for title in words:
        written = quote(title)
        if written.lower().startswith(word.lower()) and len(written) > len(word):
            return text[:start] + word + written[len(word) :]
    return None


def begins_title(text: str, titles: Sequence[str]) -> bool:
    """Tell whether a text is a column's title as people write it, or the beginning of one."""
    word = text.strip().lower()
    return bool(word) and any(
        written.lower().startswith(word) for title in titles for written in (title, quote(title))
    )
