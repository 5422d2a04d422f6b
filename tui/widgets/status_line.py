"""The status line: which table is shown, whether it is live, and how old it is."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from livetable.feed.base.terminal_text import harmless
from livetable.feed.protocol.source_status import SourceStatus
from livetable.tui.grid.cells import Cell, Line
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.terminal.painter import Change, Painter
from livetable.tui.text.ages import age_text, rate_text, span_text
from livetable.tui.text.column_format import fit, width_of

_LOOKS = {
    Link.CONNECTING: ("○", "connecting", "status--waiting"),
    Link.WAITING: ("○", "waiting", "status--waiting"),
    Link.LIVE: ("●", "live", "status--live"),
    Link.GONE: ("✕", "gone", "status--gone"),
    Link.ENDED: ("■", "ended", "status--gone"),
    Link.PLAYING: ("▶", "tape", "status--paused"),
    Link.STOPPED: ("‖", "tape", "status--paused"),
}


_LEAST_NAME = 4
_NOTE = "status--note"
_NAMES = (
    "", "status--name", "status--live", "status--waiting", "status--gone", "status--note",
    "status--paused",
)  # fmt: skip


class StatusLine(Widget):
    """One line about one feed. Only the changed words are painted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--name",
        "status--live",
        "status--waiting",
        "status--gone",
        "status--note",
        "status--paused",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: list[tuple[str, str]] = []
        self._right: list[str] = []
        self._line: Line = ()
        self._looks: dict[int, Style] = {}
        self._painter = Painter(self)

    def show(
        self,
        feed: FeedState,
        age: float | None,
        stale: bool,
        waiting: int | None = None,
        *,
        behind: float | None = None,
        hidden: int = 0,
        line: str = "",
    ) -> None:
        """Show a feed's state.

        Args:
            feed: The feed's state.
            age: Age of the state shown, in seconds.
            stale: Whether the feed has been silent for longer than --stale-after.
            waiting: New frames since the table was paused; None if it is not paused.
            behind: Seconds from the state shown to the newest, if rewound; None if not.
            hidden: How many of the table's columns are hidden.
            line: A text about a slow terminal line, empty if it is fast.
        """
        glyph, word, look = _LOOKS[feed.link]
        if stale and feed.link is Link.LIVE:
            glyph, word, look = "◌", "stale", "status--waiting"
        left = [(f" {harmless(feed.name)} ", "status--name")]
        if waiting is not None:
            left += [("  ", ""), (f" {_paused(waiting, behind)} ", "status--paused")]
        left.append((f"  {glyph} {'feed ' if waiting is not None else ''}{word}", look))
        if feed.progress is not None:
            left.append((f"  receiving {feed.progress:.0%}", "status--waiting"))
        left += [(f"  {text}", "status--waiting") for text in source_words(feed.source)]
        if line:
            left.append((f"  {line}", "status--waiting"))
        if feed.recording is not None:
            left.append((f"  ● {harmless(feed.recording)}", "status--gone"))
        problem = f"can't read a frame: {feed.problem}" if feed.problem else None
        if says := problem or feed.note:
            left.append((f"  {harmless(says)}", "status--note"))
        right = list(filter(None, _figures(feed, age, hidden, waiting is not None)))
        if line:
            right = [text for text in right if text != "now"]  # not true on a slow line
        if (left, right) == (self._left, self._right):
            return
        self._left, self._right = left, right
        before, self._line = self._line, self._cells(self.size.width)
        if not self._painter.paint([Change(0, before, self._line)], 0, self._style_of):
            self.refresh()

    def _cells(self, width: int) -> Line:
        """Return the line's words: name and state at the left, figures at the right."""
        # Drop figures before anything of the state: it must always be readable.
        room = width - sum(width_of(text) for text, name in self._left if name != _NOTE) - 2
        figures = [f"  {text}" for text in self._right]
        while figures and sum(map(width_of, figures)) + 1 > room:
            figures.pop(0 if len(figures) > 3 else -1)  # the rate first, then from the end
        taken = sum(map(width_of, figures)) + 1
        words = [*self._left, *((text, "") for text in figures)]
        if words:  # cut a long name, so that it does not push out the state
            states = sum(width_of(text) for text, name in self._left[1:] if name != _NOTE)
            name, look = words[0]
            words[0] = fit(name, max(_LEAST_NAME, min(width_of(name), width - states - 1))), look
        cells: list[Cell] = []
        x = 0
        for index, (text, name) in enumerate(words):
            if index == len(self._left):
                x = self._blank(cells, x, width - taken - x)
            long = width_of(text)
            if index < len(self._left):
                long = max(0, min(long, width - taken - x))
            cells.append(Cell(x, long, fit(text, long), _NAMES.index(name)))
            x += long
        self._blank(cells, x, width - x)
        return tuple(cells)

    def _blank(self, cells: list[Cell], x: int, width: int) -> int:
        if width > 0:
            cells.append(Cell(x, width, " " * width, 0))
        return x + max(0, width)

    def _style_of(self, look: int) -> Style:
        style = self._looks.get(look)
        if style is None:
            style = self.rich_style
            if look:
                style += self.get_component_rich_style(_NAMES[look], partial=True)
            self._looks[look] = style
        return style

    def notify_style_update(self) -> None:
        """Forget the styles: the theme or a class changed."""
        self._looks.clear()
        self._painter.forget_styles()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return the line as a strip."""
        width = self.size.width
        if width != sum(cell.width for cell in self._line):
            self._line = self._cells(width)
        strip = Strip([Segment(cell.text, self._style_of(cell.look)) for cell in self._line])
        return strip.adjust_cell_length(width, self._style_of(0))


def source_words(source: SourceStatus) -> list[str]:
    """Return the words about a feed's source: reading, checking, unreadable lines."""
    words = []
    if source.reading is not None and source.reading < 1:
        words.append(f"reading {source.reading:.0%}")
    if source.checking:
        words.append("checking")
    if source.unfinished is not None:
        words.append("last line unfinished")
    if source.unreadable:
        lines = "line" if source.unreadable == 1 else "lines"
        words.append(f"{source.unreadable:,} {lines} could not be read (I)")
    return words


def _paused(waiting: int, behind: float | None) -> str:
    if behind is not None:
        return f"◀ rewound · {span_text(behind)} behind live"
    return f"‖ paused · {_count(waiting, 'new frame')}" if waiting else "‖ paused"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _figures(feed: FeedState, age: float | None, hidden: int, paused: bool) -> list[str]:
    if feed.table is None:
        return []
    rows, columns = feed.table.shape
    size = f"{rows:,} × {columns:,}" + (f" ({hidden:,} hidden)" if hidden else "")
    if feed.link in (Link.PLAYING, Link.STOPPED):
        return [size]
    text = age_text(age)
    age_words = text if text in ("", "now") else f"{text} ago"
    return [
        rate_text(feed.rate) if feed.link is Link.LIVE else "",
        f"showing {age_words}" if paused and age_words else age_words,
        size,
        f"{_count(feed.merged, 'frame')} skipped" if feed.merged else "",
        f"{_count(feed.skipped, 'bad frame')}" if feed.skipped else "",
    ]
