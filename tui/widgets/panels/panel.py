"""What all panels have: a title, content that scrolls, no focus, and no more work than is seen."""

from __future__ import annotations

import asyncio
import time

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.terminal.gc_pause import tidy_soon
from livetable.tui.terminal.timer import later

_LEAST_SECONDS = 0.2
_SHARE = 10  # a panel works for no more than this part of the time


class Panel(VerticalScroll, can_focus=False):
    """Stands beside a table, which keeps the keys."""

    DEFAULT_CSS = """
    Panel { width: 40%; min-width: 34; border-left: solid $primary; padding: 0 1; height: 1fr; }
    Panel Static { width: 100%; }
    Panel .panel--title { text-style: bold; color: $text-accent; height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._title = Static(classes="panel--title")
        self._body = Static()
        self._newest: tuple[Table, int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._said = ("", 0)
        self.is_whole = True
        """Whether there is no more to draw than what was drawn; else it is drawn again soon."""

    def compose(self) -> ComposeResult:
        """Yield the title and the content."""
        yield self._title
        yield self._body

    def show(self, table: Table, row: int, column: int) -> None:
        """Show a table as it is painted; the newest one a little later, if one was just shown.

        Args:
            table: The table.
            row: The cursor's row.
            column: The cursor's column.
        """
        self._newest = table, row, column
        if self._timer is None:
            wait = max(0.0, self._due - time.monotonic())
            self._timer = later(self, wait, self._show_newest)

    def _show_newest(self) -> None:
        self._timer = None
        if self._newest is not None and self.is_attached:
            began = time.monotonic()
            self.is_whole = True
            self.draw(*self._newest)
            now = time.monotonic()
            self._due = began + max(_LEAST_SECONDS, _SHARE * (now - began))
            if not self.is_whole:
                self.show(*self._newest)

    def on_unmount(self) -> None:
        """Let go of what it was made of."""
        tidy_soon(self.app)

    def draw(self, table: Table, row: int, column: int) -> None:
        """Draw a table, with `say`."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Draw for the new size."""
        if self._newest is not None:
            self.show(*self._newest)

    def say(self, title: str, body: RenderableType, lines: int) -> None:
        """Show something.

        Args:
            title: What it is.
            body: What there is to see.
            lines: How many lines it takes, or what else tells that it takes as many as before: to
                lay a screen out takes longer than to paint it.
        """
        if self._said[0] != title:
            self._title.update(Content(title), layout=False)
        self._body.update(body, layout=lines != self._said[1])
        self._said = title, lines


def column_name(column: ColumnRef) -> str:
    """Return what to call a column."""
    return harmless(column[0]) or "(index)"


def row_name(table: Table, row: int) -> str:
    """Return what to call a row: what it is held by."""
    return harmless(table.name_of(row))[:80]
