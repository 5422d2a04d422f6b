"""Encoded frames for viewers: the whole table, or what changed since an earlier state."""

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
        note: A sentence about columns that became text, or None.
        place: Where viewers on this machine can read it in shared memory, None if they can't.
    """

    data: memoryview
    rows: int
    columns: int
    note: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest frame for viewers, whole or as a delta to an earlier state.

    Attributes:
        position: Its epoch and seq.
        body: Its bytes.
        monotonic: When it was sent, by the feed's monotonic clock.
        time: When it was sent, in seconds since 1970.
        since: Of a delta, the seq of the state that it changes; None for a whole table.
        gone: Of a delta, the ranges of removed rows in that state: first row and count.
        source: The status of the table's source at that time.
    """

    position: Position
    body: Body
    monotonic: float
    time: float
    source: SourceStatus = NO_SOURCE
    since: int | None = None
    gone: tuple[tuple[int, int], ...] = ()
