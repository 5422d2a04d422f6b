"""All that a viewer knows of a table's feed, in one immutable piece."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus

if TYPE_CHECKING:
    from livetable.tui.model.table import Table


class Link(Enum):
    """How it stands with the feed."""

    CONNECTING = "connecting"
    WAITING = "waiting"
    LIVE = "live"
    GONE = "gone"
    ENDED = "ended"
    PLAYING = "playing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FeedState:
    """All that a viewer knows of a table's feed, in one piece.

    Attributes:
        link: How it stands with the feed.
        table: The newest table, None before the first.
        name: The table's name, where the feed told it.
        rate: Frames per second that the feed takes.
        age: Seconds the newest frame was old at `heard`, None if there is none.
        heard: When the feed last answered, by the monotonic clock.
        merged: Frames that were never shown, because a newer one was there already.
        skipped: Messages that were dropped because they could not be read.
        problem: Why the last of those could not be.
        note: What the feed wants to have said.
        failure: Why there is no table, or only a part of one, and waiting brings no more; it is
            the note, too.
        progress: How much of a large snapshot is here, None if none is on its way.
        recording: What is said of the recording, None if there is none.
        source: How the feed stands with what it reads `table` from.
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
