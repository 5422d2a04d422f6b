"""The base of all panels: a title, scrolling content, no focus, limited updates."""

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
_SHARE = 10  # a panel draws for at most 1/10 of the time


class Panel(VerticalScroll, can_focus=False):
    """A panel beside a table, which keeps the focus."""

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
        """Whether the drawing is complete; if not, `draw` is called again soon."""

    def compose(self) -> ComposeResult:
        """Yield the title and the content."""
        yield self._title
        yield self._body

    def show(self, table: Table, row: int, column: int) -> None:
        """Show a table; soon after the last one, only the newest table is shown, a little later.

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
        """Collect the garbage that the panel leaves."""
        tidy_soon(self.app)

    def draw(self, table: Table, row: int, column: int) -> None:
        """Draw a table by calling `say`."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Redraw for the new size."""
        if self._newest is not None:
            self.show(*self._newest)

    def say(self, title: str, body: RenderableType, lines: int) -> None:
        """Show a title and a content.

        Args:
            title: The title.
            body: The content.
            lines: Any number that stays the same while the content's height does: the layout, which
                takes longer than the paint, is then skipped.
        """
        if self._said[0] != title:
            self._title.update(Content(title), layout=False)
        self._body.update(body, layout=lines != self._said[1])
        self._said = title, lines


def column_name(column: ColumnRef) -> str:
    """Return a column's title for the screen."""
    return harmless(column[0]) or "(index)"


def row_name(table: Table, row: int) -> str:
    """Return a row's key for the screen."""
    return harmless(table.name_of(row))[:80]
