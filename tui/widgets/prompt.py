"""A prompt: a line to type into, and a line that points at what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

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
"""Enter; the second key arrives if it was pressed before the app had taken the terminal."""


class Prompt(Vertical):
    """Asks for a line of text. Posts `Changed` at every key, and `Done` at the end.

    Args:
        label: The text before the input.
        text: The initial text.
        hint: The text below while nothing is wrong.
        words: Words that Tab completes to.
        toggles: Whether Tab posts `Toggled` instead of completing the word.
    """

    # Here, not in the app's style sheet: parsing it at the start would delay the first row.
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
        """Tab was pressed in a prompt with `toggles`."""

    class Done(Message):
        """The prompt was accepted or cancelled.

        Attributes:
            text: The text, None if cancelled.
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
            self.take_key_early,
            value=text,
            compact=True,
            select_on_focus=False,
            suggester=_Words(self._words),
            max_length=2000,
        )
        self._says = _Line(hint)
        self._hint = hint
        self._toggles = toggles
        self.grabs_focus = True
        """Whether it takes the focus when it is mounted; else whoever opens it hands it over."""
        self.late: list[events.Key] = []
        """Keys that were typed after the text was done: for whatever comes next."""
        self.settled = asyncio.Event()
        """Set while it can take keys: from when it is mounted until `Done` is posted."""

    def on_unmount(self) -> None:
        """Collect the garbage that the prompt leaves."""
        tidy_soon(self.app)

    def compose(self) -> ComposeResult:
        """Yield the label, the input and the line below."""
        with Horizontal():
            yield self._label
            yield self._input
        yield self._says

    def on_mount(self) -> None:
        """Take the focus."""
        self._label.styles.width = self._label.text.cell_len
        if self.grabs_focus:
            self.take_focus()  # at once: keys are held back until then
        self.settled.set()

    def take_focus(self) -> None:
        """Give the focus to the text."""
        self.grabs_focus = True
        self.screen.set_focus(self._input)

    def take_key_early(self, event: events.Key) -> bool:
        """Take a key before Textual types it; return False to have it typed.

        In another app than livetable's own, which hands keys to `take`. Textual runs Enter when it
        comes back from the text: what was typed after it would be part of the text.
        """
        if not self.settled.is_set():
            self.late.append(event)
            return True
        return (event.key in _ENTER or event.key == "escape") and self.take(event)

    def take(self, event: events.Key | events.Paste) -> bool:
        """Take a key or a paste; return False if the key's bindings should run instead."""
        if self.grabs_focus and not self._input.has_focus:  # something else was clicked
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
        """The text before the input."""
        return self._label.text.plain

    def relabel(self, label: str) -> None:
        """Change the text before the input."""
        self._label.say(Text(label))
        self._label.styles.width = self._label.text.cell_len

    def say(self, sentence: str | None, start: int = 0, *, wrong: bool = True) -> None:
        """Show what is wrong below the input; None shows the hint.

        Args:
            sentence: What is wrong.
            start: Where in the text it is wrong, in characters.
            wrong: Whether the text can't be applied: it is then shown in red.
        """
        self._input.set_class(wrong and sentence is not None, "-wrong")
        if sentence is None:
            self._says.say(Text(self._hint))
            return
        style = self.get_component_rich_style("prompt--problem", partial=True)
        column = self._label.text.cell_len + Text(self._input.value[:start]).cell_len
        said = Text(harmless(sentence))
        # Below the mistake if the sentence fits there, else further to the left.
        room = max(0, (self.size or self.app.size).width - said.cell_len - 2)
        self._says.say(Text(" " * min(column, room) + "^ ", style).append_text(said))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Post the text."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def action_accept(self) -> None:
        """Accept the text."""
        self._end(self._input.value)

    def action_cancel(self) -> None:
        """Cancel the prompt."""
        self._end(None)

    def action_complete(self) -> None:
        """Complete the last word. Not from the suggestion: it may lag behind the typed text."""
        if self._input.cursor_position == len(self._input.value):
            whole = completed(self._input.value, self._words)
            if whole is not None:
                self._input.value = whole
                self._input.cursor_position = len(whole)

    def action_swap(self) -> None:
        """Post `Toggled`."""
        self.post_message(self.Toggled())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable one of the two actions of Tab."""
        return action != ("complete" if self._toggles else "swap")


class _Entry(Input):
    """The input.

    Args:
        take_early: Takes a key before it is typed, or returns False.
        arguments: As for `Input`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Apply")
    ]  # the key line shows it

    def __init__(self, take_early: Callable[[events.Key], bool], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._take_early = take_early

    async def on_key(self, event: events.Key) -> None:
        """Hand over the keys that end the text."""
        if self._take_early(event):
            event.stop().prevent_default()

    def on_mount(self) -> None:
        """Remember the signal that Textual subscribes the input to."""
        self._selections = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        """Unsubscribe: the signal would keep every prompt in memory."""
        self._selections.unsubscribe(self)


class _Line(Widget):
    """A line of text that is never parsed as markup."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = Text(text, no_wrap=True, overflow="ellipsis")

    def say(self, text: Text) -> None:
        """Change the text."""
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
        """Return the text with its last word completed, None if no word starts with it."""
        return completed(value, self._words)


def completed(text: str, words: Sequence[str]) -> str | None:
    """Return a text with its last word completed to a title, None if no title starts with it."""
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
    """Tell whether a column's title starts with a text, quoted or not."""
    word = text.strip().lower()
    return bool(word) and any(
        written.lower().startswith(word) for title in titles for written in (title, quote(title))
    )
