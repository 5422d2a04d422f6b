"""The trust line: what is shown, whether it is live, and how old it is."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.widget import Widget

from livetable.feed.harmless import harmless
from livetable.tui.figures import age_text, rate_text
from livetable.tui.format import width_of
from livetable.tui.painter import Painter
from livetable.tui.subscriber import FeedState, Link

_LOOKS = {
    Link.CONNECTING: ("○", "connecting", "status--waiting"),
    Link.WAITING: ("○", "waiting", "status--waiting"),
    Link.LIVE: ("●", "live", "status--live"),
    Link.GONE: ("✕", "gone", "status--gone"),
    Link.ENDED: ("■", "ended", "status--gone"),
}


class StatusLine(Widget):
    """One line about one feed. Repainted only when what it says changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--name",
        "status--live",
        "status--waiting",
        "status--gone",
        "status--note",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: list[tuple[str, str]] = []
        self._right = ""
        self._painter = Painter(self)

    def show(self, feed: FeedState, age: float | None, stale: bool) -> None:
        """Say how it stands.

        Args:
            feed: What is known of the feed.
            age: Seconds the newest frame is old now.
            stale: Whether the feed has been silent for longer than the person allows.
        """
        glyph, word, look = _LOOKS[feed.link]
        if stale and feed.link is Link.LIVE:
            glyph, word, look = "◌", "stale", "status--waiting"
        left = [(f" {harmless(feed.name)} ", "status--name"), (f"  {glyph} {word}", look)]
        if feed.progress is not None:
            left.append((f"  receiving {feed.progress:.0%}", "status--waiting"))
        problem = f"a frame was skipped: {feed.problem}" if feed.problem else None
        if says := problem or feed.note:
            left.append((f"  {harmless(says)}", "status--note"))
        right = "  ".join(filter(None, _figures(feed, age))) + " "
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            if not self._painter.paint_whole():
                self.refresh()

    def render(self) -> RenderableType:
        """Return the line: name and state at the left, figures at the right."""
        width = self.size.width
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        for text, name in self._left:
            line.append(text, self.get_component_rich_style(name, partial=True))
        # The figures give way to the name and the state, never the other way round.
        room = width - sum(width_of(text) for text, _ in self._left[:2]) - 2
        right = self._right if width_of(self._right) <= room else ""
        line.truncate(max(0, width - width_of(right) - 1), overflow="ellipsis", pad=True)
        line.append(" " + right)
        return line


def _figures(feed: FeedState, age: float | None) -> list[str]:
    if feed.table is None:
        return []
    rows, columns = feed.table.shape
    text = age_text(age)
    return [
        rate_text(feed.rate) if feed.link is Link.LIVE else "",
        text if text in ("", "now") else f"{text} ago",
        f"{rows:,} × {columns:,}",
        f"{feed.merged:,} merged",
        f"{feed.skipped:,} skipped" if feed.skipped else "",
    ]
