"""What all panels have: a title, content that scrolls, and no focus."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class Panel(VerticalScroll, can_focus=False):
    """Stands beside a table, which keeps the keys."""

    DEFAULT_CSS = """
    Panel { width: 40%; min-width: 34; border-left: solid $primary; padding: 0 1; height: 1fr; }
    Panel .panel--title { text-style: bold; color: $text-accent; height: 1; }
    """
    side: ClassVar[str] = "right"

    def __init__(self) -> None:
        super().__init__()
        self._title = Static(classes="panel--title")
        self._body = Static()

    def compose(self) -> ComposeResult:
        """Yield the title and the content."""
        yield self._title
        yield self._body

    def say(self, title: str, body: RenderableType) -> None:
        """Show something."""
        self._title.update(Content(title))
        self._body.update(body)
