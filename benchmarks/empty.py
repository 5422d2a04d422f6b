"""An app with nothing in it: `python -m benchmarks.empty`."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class EmptyApp(App[None]):
    """Shows a word."""

    def compose(self) -> ComposeResult:
        """Yield the word."""
        yield Static("EMPTY-APP")


if __name__ == "__main__":
    EmptyApp().run()
