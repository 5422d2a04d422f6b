"""What is typed takes effect in the order in which it was typed.

Textual hands each key to the widget that has the focus when the key comes, and looks for what it
does once it has come back from there. Keys come in bursts: over SSH several are in one packet. Of
such a burst `f` would open a prompt behind the text that was typed for it, and Backspace would take
effect behind Enter.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Protocol, TypeVar

from rich.console import RenderableType
from textual import events
from textual.app import App, ScreenStackError
from textual.errors import NoWidget
from textual.widget import Widget

from livetable.tui.terminal.timer import later

T = TypeVar("T")

_PATIENCE: Final = 2.0
"""Seconds that keys wait at most, for a prompt or the first paint: quitting always works."""


class TypedAt(Protocol):
    """A line that is typed into."""

    settled: asyncio.Event
    """Set while it takes what is typed."""

    def take(self, event: events.Key | events.Paste) -> bool:
        """Take a key or a paste; tell whether it was for this."""
        ...


def _has_bindings_only(widget: Widget | None) -> bool:
    """Tell whether all that keys do to a widget is in its bindings: it says so itself."""
    return getattr(widget, "has_bindings_only", False)


class TypedInOrder(App[T]):
    """An app in which a key or a paste meets what the one before it led to."""

    _early: list[events.Key | events.Paste] | None
    """What was typed before there was anything to type at; None from the first paint on."""

    _leaving = False

    def exit(
        self,
        result: T | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        """Leave. What was typed behind it meets nothing any more: it could not be mounted."""
        self._leaving = True
        super().exit(result, return_code, message)

    def on_load(self) -> None:
        """Hold what is typed."""
        self._early = []

    def on_mount(self) -> None:
        """See to it that it is let go: in a terminal without any room there is no first paint."""
        later(self, _PATIENCE, self.on_ready)

    async def on_ready(self) -> None:
        """Let go what was typed before the first paint."""
        early, self._early = self._early, None
        for event in early or ():
            await self.on_event(event)

    @property
    def prompt(self) -> TypedAt | None:
        """The prompt that what is typed is for, None if there is none."""
        raise NotImplementedError

    @property
    def home(self) -> Widget | None:
        """The table that has the keys where nothing else has them, None for none."""
        return None

    async def on_event(self, event: events.Event) -> None:
        """Take what is typed for a table or a prompt here; leave all else to Textual."""
        if self._leaving and isinstance(event, events.InputEvent):
            return
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self._early is not None:
                self._early.append(event)
                return
            # A click beside all widgets (the terminal has grown, and is not laid out yet) takes the
            # focus away; keys would be nobody's from then on.
            if self.focused is None and (home := self.home) is not None:
                self.screen.set_focus(home, scroll_visible=False)
            prompt = await self._settled_prompt()
            if prompt is not None:
                if not prompt.take(event) and isinstance(event, events.Key):
                    await self._act(event.key)
                return
            if isinstance(event, events.Key) and _has_bindings_only(self.focused):
                await self._act(event.key)  # all that keys do to a table, they do by bindings
                return
        if isinstance(event, events.MouseDown) and not event.is_forwarded and self._is_going(event):
            return
        await super().on_event(event)

    def _is_going(self, event: events.MouseDown) -> bool:
        """Tell whether a press of the mouse is at what is being removed, and shown until a paint.

        Textual would give it the focus, and keys would go to what is no longer there.
        """
        try:
            widget, _ = self.get_widget_at(event.x, event.y)
        except (NoWidget, ScreenStackError):
            return False
        chain = widget.ancestors_with_self
        return not widget.is_attached or any(getattr(one, "_pruning", False) for one in chain)

    async def _settled_prompt(self) -> TypedAt | None:
        prompt = self.prompt
        if prompt is not None and not prompt.settled.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(prompt.settled.wait(), _PATIENCE)
        return self.prompt

    async def _act(self, key: str) -> None:
        self.app_focus = True  # as Textual has it: a terminal that sends keys has the focus
        if not await self._check_bindings(key, priority=True):
            await self._check_bindings(key)
