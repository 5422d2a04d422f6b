"""The last line: the keys that work here, as many as fit."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

_FIRST: Final = (
    "ungroup",
    "total",
    "search",
    "filter",
    "sort",
    "pause",
    "speed",
    "seek_moment",
    "step",
    "mark",
    "copy",
    "group",
    "info",
)
"""Actions that are shown first: the ones a newcomer looks for."""

_ALWAYS: Final = ("help", "quit")
"""Actions that are always shown, at the right edge."""


class KeyLine(Widget):
    """One line of keys. Click a key to press it.

    Textual's footer has one widget per key and is built twice at the start, which takes a tenth of
    the time to the first row.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keyline--key"}

    def on_mount(self) -> None:
        """Follow the active bindings."""
        self.auto_links = False  # or Textual would underline the keys
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> RenderableType:
        """Return the line: keys at the left, help and quit at the right."""
        shown: dict[str, Binding] = {}
        idle: frozenset[str] = getattr(self.screen, "idle_actions", frozenset())
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled and active.binding.action not in idle:
                shown.setdefault(active.binding.action, active.binding)
        rank = {action: number for number, action in enumerate(_FIRST)}
        ranked = sorted(
            shown.values(), key=lambda known: rank.get(known.action.partition("(")[0], len(rank))
        )
        shown = {binding.action: binding for binding in ranked}
        right = Text()
        for action in _ALWAYS:
            if binding := shown.pop(action, None):
                right.append_text(self._said(binding))
        room = self.size.width - right.cell_len
        left = Text(no_wrap=True, end="")
        for said in map(self._said, shown.values()):
            if left.cell_len + said.cell_len > room:
                break
            left.append_text(said)
        left.append(" " * max(0, room - left.cell_len))
        left.append_text(right)
        left.truncate(self.size.width)
        return left

    def _said(self, binding: Binding) -> Text:
        key = self.app.get_key_display(binding)
        said = Text(" ")
        said.append(key, self.get_component_rich_style("keyline--key", partial=True))
        said.append(f" {binding.description} ")
        said.stylize(Style(meta={"@click": f"app.simulate_key({binding.key!r})"}))
        return said
