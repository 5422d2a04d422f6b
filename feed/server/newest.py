"""The newest frame of one table, shared by the threads that change it and those that encode it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Position, new_epoch
from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus

if TYPE_CHECKING:
    from livetable.feed.rows.keyed_table import KeyedTable
    from livetable.feed.rows.state import State


@dataclass(slots=True)
class Held:
    """A frame as it was sent. Once encoded, it is dropped.

    Attributes:
        frame: The frame, None once it is encoded.
        beside: Whether to encode it outside the feed's thread, because encoding may run other
            people's code and so take any time.
    """

    frame: Any
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """The newest frame with its status. Immutable, so that readers need no lock.

    Attributes:
        epoch: The epoch of the table: new each time the table is published anew.
        seq: The frame's number, 0 before the first.
        held: The frame, if it was sent whole.
        state: The rows, once single rows were changed.
        shape: Number of rows and columns.
        sent_at: When it was sent, by the monotonic clock.
        sent_time: When it was sent, in seconds since 1970.
        source: The status of the source that the feed reads the table from.
        expiry: When the next row expires, None if no row does.
    """

    epoch: str
    seq: int = 0
    held: Held = field(default_factory=lambda: Held(None))
    state: State | None = None
    shape: tuple[int, int] = (0, 0)
    sent_at: float = 0.0
    sent_time: float = 0.0
    source: SourceStatus = NO_SOURCE
    expiry: float | None = None


class Newest:
    """The newest frame of one table. Each attribute is set in one assignment: readers need no lock.

    Attributes:
        now: The newest frame and its status. Set it only in the table's turn (`Turns`).
        table: The rows, once single rows were changed. Touch it only in the table's turn.
        encoded: The frame that was encoded last.
        failure: Why the newest frame can't be shown.
    """

    def __init__(self) -> None:
        self.now = Now(new_epoch())
        self.table: KeyedTable | None = None
        self.encoded: Snapshot | None = None
        self.failure: str | None = None

    @property
    def position(self) -> Position:
        """Epoch and seq of the newest frame."""
        now = self.now
        return Position(now.epoch, now.seq)


RATE_SECONDS: Final = 5.0
"""A table's frame rate is measured over this many seconds."""


class Rate:
    """Measures the frame rate. One thread may call `came` while another calls `per_second`."""

    def __init__(self) -> None:
        self._sends: deque[float] = deque(maxlen=4096)

    def came(self, monotonic: float) -> None:
        """Count one more frame."""
        self._sends.append(monotonic)

    def per_second(self, monotonic: float) -> float:
        """Return the frames per second of the last few seconds, 0 if none came."""
        while self._sends and self._sends[0] < monotonic - RATE_SECONDS:
            self._sends.popleft()
        sends = list(self._sends)  # a copy: the producer may append meanwhile
        if len(sends) < 2:
            return len(sends) / RATE_SECONDS
        gap = max(sends[-1] - sends[0], 1e-3) / (len(sends) - 1)
        silent = monotonic - sends[-1] > 2 * gap
        return (len(sends) - 1) / max(monotonic - sends[0], 1e-3) if silent else 1 / gap
