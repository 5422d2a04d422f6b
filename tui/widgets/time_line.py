"""The line that shows the time while the table is paused or rewound, with a scrubber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from livetable.tui.text.ages import span_text
from livetable.tui.text.clock import wall_text
from livetable.tui.widgets.view_line import cut

_BAR: Final = 24
_WIDE: Final = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A position in the history.

    Attributes:
        at: When the frame was sent, by the monotonic clock.
        wall: The same, in seconds since 1970.
        first: When the oldest frame was sent, by the monotonic clock.
        last: When the newest frame was sent, by the monotonic clock.
        frame: The frame's number, from 1.
        frames: The number of frames.
        bytes: Bytes that the frames take.
        limit: Bytes that they may take.
    """

    at: float
    wall: float
    first: float
    last: float
    frame: int
    frames: int
    bytes: int
    limit: int

    @property
    def share(self) -> float:
        """Position between the oldest and the newest frame, from 0 to 1."""
        span = self.last - self.first
        return min(max((self.at - self.first) / span, 0.0), 1.0) if span > 0 else 1.0


class TimeLine(Widget):
    """One line, hidden while the newest state is shown.

    Args:
        hint: What the space key does.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"timeline--time", "timeline--bar"}

    class Chosen(Message):
        """A time was clicked.

        Attributes:
            share: Position between the oldest and the newest frame, from 0 to 1.
        """

        def __init__(self, share: float) -> None:
            self.share = share
            super().__init__()

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint
        self._text = Text()
        self._bar_from = 0
        self._bar = _BAR
        self.display = False

    def show(self, moment: Moment | None) -> None:
        """Show a time; None hides the line."""
        self.display = moment is not None
        if moment is None:
            return
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        clock = wall_text(moment.wall)
        line.append(f" {clock} ", self.get_component_rich_style("timeline--time", partial=True))
        line.append(f" {span_text(moment.last - moment.at):>7} behind live  ")
        self._bar_from = line.cell_len
        self._bar = _BAR if self.size.width >= _WIDE else _BAR // 3
        filled = round(moment.share * (self._bar - 1))
        bar = self.get_component_rich_style("timeline--bar", partial=True)
        line.append("━" * filled + "●" + "─" * (self._bar - 1 - filled), bar)
        line.append(f"  frame {moment.frame:,} of {moment.frames:,}")
        line.append(f"  {self._hint}  [ ]: 10 s  , .: frame  @: time")
        line.append(f"  history {span_text(moment.last - moment.first)}")
        line.append(f" · {moment.bytes / 2**20:.0f} of {moment.limit / 2**20:.0f} MB")
        self._text = line
        self.refresh()

    def render(self) -> RenderableType:
        """Return the line."""
        return cut(self._text, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Go to the time that was clicked."""
        share = (event.x - self._bar_from) / (self._bar - 1)
        if -0.05 <= share <= 1.05:
            self.post_message(self.Chosen(min(max(share, 0.0), 1.0)))
