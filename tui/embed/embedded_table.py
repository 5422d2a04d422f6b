"""The table in somebody else's app: keys in the order they were typed, and no letters taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from livetable.tui.terminal.timer import later
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.table_view import TableView

_PATIENCE: Final = 2.0
"""Seconds that a key waits at most for a prompt that opens or closes."""

_LOOK_AGAIN: Final = 0.005

_CURSOR_KEYS: Final = frozenset({
    "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "ctrl+home", "ctrl+end",
    "enter",
})  # fmt: skip
"""The keys that it takes of those of a `TableView`."""


def _cursor_bindings() -> list[BindingType]:
    """Return a table's bindings of the cursor keys, without names: a host's keymap has others."""
    kept: list[BindingType] = []
    for binding in TableView.BINDINGS:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key in _CURSOR_KEYS]
            if keys:
                kept.append(replace(binding, key=",".join(keys), id=None))
    return kept


class EmbeddedTable(TableView, inherit_bindings=False):
    """A table that runs its keys itself, one after the other.

    Textual runs a key's binding when the key comes back from the widget that had the focus. Over
    SSH several keys arrive in one packet: what was typed after `f`, for the prompt that it opens,
    would then be keys of the host.

    Args:
        bindings: The keys of the features that were chosen.
        actions: The widget that has their actions.
        prompt: Returns the open prompt, None without one.
    """

    BINDINGS: ClassVar[list[BindingType]] = _cursor_bindings()

    def __init__(
        self,
        bindings: Sequence[BindingType],
        actions: Widget,
        prompt: Callable[[], Prompt | None],
    ) -> None:
        super().__init__()
        self._actions = actions
        self._open_prompt = prompt
        self._binding_of = {
            key.strip(): binding
            for binding in (*bindings, *self.BINDINGS)
            if isinstance(binding, Binding)
            for key in binding.key.split(",")
        }

    async def on_key(self, event: events.Key) -> None:
        """Give a key to the open prompt, or run its action; else it is the app's."""
        if await self._is_for_prompt(event):
            event.stop().prevent_default()
            return
        binding = self._binding_of.get(event.key)
        if binding is not None:
            own = binding in self.BINDINGS
            namespace = self if own else self._actions
            if await self.app.run_action(binding.action, namespace):
                event.stop().prevent_default()

    async def on_paste(self, event: events.Paste) -> None:
        """Give a paste to the open prompt."""
        if await self._is_for_prompt(event):
            event.stop().prevent_default()

    async def _is_for_prompt(self, event: events.Key | events.Paste) -> bool:
        prompt = self._open_prompt()
        if prompt is None:
            return False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(prompt.settled.wait(), _PATIENCE)
        prompt = self._open_prompt()
        return prompt is not None and prompt.take(event)

    def hand_over(self) -> None:
        """Give the focus to the open prompt, once all keys that came before have got there."""
        prompt = self._open_prompt()
        if prompt is None or not self.is_attached:
            return
        if prompt.settled.is_set() and not self.message_queue_size:
            prompt.take_focus()
        else:
            later(self, _LOOK_AGAIN, self.hand_over)
