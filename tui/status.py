"""The trust line: what is shown, whether it is live, and how old it is."""

from __future__ import annotations

from rich.console import RenderableType
from rich.style import Style
from rich.table import Table as Grid
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from livetable.feed.harmless import harmless
from livetable.tui.lister import age_text
from livetable.tui.subscriber import FeedState, Link

_LOOKS = {
    Link.CONNECTING: ("○", "connecting", "status--waiting"),
    Link.WAITING: ("○", "waiting", "status--waiting"),
    Link.LIVE: ("●", "live", "status--live"),
    Link.GONE: ("✕", "gone", "status--gone"),
    Link.ENDED: ("■", "ended", "status--gone"),
}


class StatusLine(Widget):
    """One line about one feed.

    Attributes:
        feed: What is known of the feed.
        age: Seconds the newest frame is old now.
        stale: Whether the feed has been silent for longer than the person allows.
    """

    COMPONENT_CLASSES = {  # noqa: RUF012 - Textual's own declaration
        "status--name",
        "status--live",
        "status--waiting",
        "status--gone",
        "status--quiet",
        "status--note",
    }

    feed: reactive[FeedState] = reactive(FeedState)
    age: reactive[float | None] = reactive(None)
    stale: reactive[bool] = reactive(False)

    def render(self) -> RenderableType:
        """Return the line: name and state at the left, figures at the right."""
        feed = self.feed
        glyph, word, look = _LOOKS[feed.link]
        if self.stale and feed.link is Link.LIVE:
            glyph, word, look = "◌", "stale", "status--waiting"
        left = Text(no_wrap=True, overflow="ellipsis")
        left.append(f" {harmless(feed.name)} ", self._look("status--name"))
        left.append(f" {glyph} {word}", self._look(look))
        if feed.progress is not None:
            left.append(f"  receiving {feed.progress:.0%}", self._look("status--waiting"))
        says = self.problem or feed.note
        if says:
            left.append(f"  {harmless(says)}", self._look("status--note"))
        right = Text(no_wrap=True)
        quiet = self._look("status--quiet")
        for text, style in self._figures():
            right.append("  " + text, style or quiet)
        right.append(" ")
        grid = Grid.grid(expand=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(left, right)
        return grid

    @property
    def problem(self) -> str | None:
        """What is wrong with what the feed sends, None if nothing is."""
        feed = self.feed
        return f"a frame was skipped: {feed.problem}" if feed.problem else None

    def _figures(self) -> list[tuple[str, None]]:
        feed = self.feed
        if feed.table is None:
            return []
        rows, columns = feed.table.shape
        figures = []
        if feed.link is Link.LIVE:
            figures.append(rate_text(feed.rate))
        age = age_text(self.age)
        figures.append(age if age == "now" else f"{age} ago" if age else "")
        figures.append(f"{rows:,} × {columns:,}")
        figures.append(f"{feed.merged:,} merged")
        if feed.skipped:
            figures.append(f"{feed.skipped:,} skipped")
        return [(figure, None) for figure in figures if figure]

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)


def rate_text(rate: float) -> str:
    """Return frames per second in at most four digits: ``30/s``, ``0.5/s``, ``1.2k/s``."""
    if rate >= 999.5:
        return f"{rate / 1000:.1f}k/s"
    return f"{rate:.0f}/s" if rate >= 9.95 or rate == 0 else f"{rate:.1f}/s"
