"""A frame's bytes as they stand for viewers: whole, or what changed since a state they have."""

from __future__ import annotations

from dataclasses import dataclass

from livetable.feed.protocol.messages import Position
from livetable.feed.protocol.place import Place
from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus


@dataclass(frozen=True, slots=True)
class Body:
    """An encoded snapshot.

    Attributes:
        data: The Arrow IPC stream.
        rows: Its number of rows.
        columns: Its number of columns, without the index.
        note: What could not be kept as it was, as a sentence, or None.
        place: Where viewers of this machine can read it, None if they can't.
    """

    data: memoryview
    rows: int
    columns: int
    note: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest frame as it stands for viewers, or what changed since one that they have.

    Attributes:
        position: Its epoch and seq.
        body: Its bytes.
        monotonic: When it was sent, by the feed's monotonic clock.
        time: When it was sent, in seconds since 1970.
        since: The seq of the state that it changes, None if it is the whole table.
        gone: Where in that state the rows are that are gone: first row and how many.
        source: How the feed stood with what it reads the table from.
    """

    position: Position
    body: Body
    monotonic: float
    time: float
    source: SourceStatus = NO_SOURCE
    since: int | None = None
    gone: tuple[tuple[int, int], ...] = ()
