"""The line of tabs: which tables are open, and which have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from livetable.feed.base.terminal_text import harmless


class TabLine(Widget):
    """One line of tabs, hidden while only one table is open."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabline--current", "tabline--news"}

    class Chosen(Message):
        """A tab was clicked.

        Attributes:
            tab: Which, from 0.
        """

        def __init__(self, tab: int) -> None:
            self.tab = tab
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._text = Text()
        self._ends: list[int] = []
        self.display = False

    def show(self, tabs: Sequence[tuple[str, bool]], current: int) -> None:
        """Show the open tables.

        Args:
            tabs: Their names, each with whether it has changed since it was last shown.
            current: Which one has the focus.
        """
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        self._ends = []
        for number, (name, news) in enumerate(tabs):
            style = "tabline--current" if number == current else "tabline--news" if news else ""
            text = f" {number + 1} {harmless(name)[:24]} {'•' if news else ' '}"
            look = self.get_component_rich_style(style, partial=True) if style else ""
            line.append(text, look)
            self._ends.append(line.cell_len)
        self._text = line
        self.display = len(tabs) > 1
        self.refresh()

    def render(self) -> RenderableType:
        """Return the line."""
        return self._text

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was clicked."""
        for tab, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Chosen(tab))
                return
