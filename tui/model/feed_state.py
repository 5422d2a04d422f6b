"""Everything a viewer knows about a table's feed, as one immutable object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus

if TYPE_CHECKING:
    from livetable.tui.model.table import Table


class Link(Enum):
    """The state of the connection to a feed, or of a tape."""

    CONNECTING = "connecting"
    WAITING = "waiting"
    LIVE = "live"
    GONE = "gone"
    ENDED = "ended"
    PLAYING = "playing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FeedState:
    """Everything a viewer knows about a table's feed.

    Attributes:
        link: The state of the connection.
        table: The newest table, None before the first.
        name: The table's name; the feed's, once it has answered.
        rate: Frames per second that the producer sends.
        age: The newest frame's age in seconds at `heard`, None if there is none.
        heard: When the feed last answered, by the monotonic clock.
        merged: Frames that were skipped because a newer one had arrived.
        skipped: Messages that were dropped because they could not be read.
        problem: Why the last of those could not be read.
        note: A sentence from the feed for the person.
        failure: Why there is no table, or only part of one, and waiting is useless; also in `note`.
        progress: The share of a large snapshot that has arrived, None if none is arriving.
        recording: A text about the recording, None if there is none.
        source: The state of the source that the feed reads.
    """

    link: Link = Link.CONNECTING
    table: Table | None = None
    name: str = ""
    rate: float = 0.0
    age: float | None = None
    heard: float = 0.0
    merged: int = 0
    skipped: int = 0
    problem: str | None = None
    note: str | None = None
    failure: str | None = None
    progress: float | None = None
    recording: str | None = None
    source: SourceStatus = NO_SOURCE
