"""Makes keys take effect in the order they were typed.

Textual sends each key to the widget that has the focus when the key arrives, and runs its binding
when it comes back from there. Over SSH, several keys arrive in one packet: `f` would then open its
prompt after the text that was typed into it, and Backspace would take effect after Enter.
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
"""Keys wait at most this many seconds for a prompt or the first paint, so that q always works."""


class TypedAt(Protocol):
    """A prompt."""

    settled: asyncio.Event
    """Set while it accepts keys."""

    def take(self, event: events.Key | events.Paste) -> bool:
        """Handle a key or a paste; return False if it is not for the prompt."""
        ...


def _has_bindings_only(widget: Widget | None) -> bool:
    """Tell whether a widget handles keys only by bindings, as it declares itself."""
    return getattr(widget, "has_bindings_only", False)


class TypedInOrder(App[T]):
    """An app in which each key or paste sees the effect of the one before it."""

    _early: list[events.Key | events.Paste] | None
    """Keys typed before the first paint; None after it."""

    _leaving = False

    def exit(
        self,
        result: T | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        """Exit. Later keys are dropped: a prompt could not be mounted any more."""
        self._leaving = True
        super().exit(result, return_code, message)

    def on_load(self) -> None:
        """Hold keys back until the first paint."""
        self._early = []

    def on_mount(self) -> None:
        """Release the keys after a while at the latest: a tiny terminal has no first paint."""
        later(self, _PATIENCE, self.on_ready)

    async def on_ready(self) -> None:
        """Release the keys typed before the first paint."""
        early, self._early = self._early, None
        for event in early or ():
            await self.on_event(event)

    @property
    def prompt(self) -> TypedAt | None:
        """The open prompt, None if there is none."""
        raise NotImplementedError

    @property
    def home(self) -> Widget | None:
        """The widget to focus if nothing has the focus, None for none."""
        return None

    async def on_event(self, event: events.Event) -> None:
        """Handle keys for a table or a prompt here; leave all other events to Textual."""
        if self._leaving and isinstance(event, events.InputEvent):
            return
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self._early is not None:
                self._early.append(event)
                return
            # A click outside all widgets (the terminal has grown and is not laid out yet) removes
            # the focus: keys would then have no effect.
            if self.focused is None and (home := self.home) is not None:
                self.screen.set_focus(home, scroll_visible=False)
            prompt = await self._settled_prompt()
            if prompt is not None:
                if not prompt.take(event) and isinstance(event, events.Key):
                    await self._act(event.key)
                return
            if isinstance(event, events.Key) and _has_bindings_only(self.focused):
                await self._act(event.key)
                return
        if isinstance(event, events.MouseDown) and not event.is_forwarded and self._is_going(event):
            return
        await super().on_event(event)

    def _is_going(self, event: events.MouseDown) -> bool:
        """Tell whether a click hits a widget that is being removed, but is still painted.

        Textual would focus it, and keys would go to a removed widget.
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
        self.app_focus = True  # as in Textual: a terminal that sends keys has the focus
        if not await self._check_bindings(key, priority=True):
            await self._check_bindings(key)
