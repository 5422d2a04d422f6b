"""The newest frame of one table, as those who change it and those who encode it share it."""

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
    """What was sent, until it is encoded: the bytes replace it then.

    Attributes:
        frame: The frame.
        beside: Whether encoding it may run somebody else's code, and so take any time.
    """

    frame: Any
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """All that is known of the newest frame, in one piece: readers see it whole without a lock.

    Attributes:
        epoch: Which life of the table it belongs to.
        seq: Its number, 0 before the first.
        held: What was sent, if it was sent whole.
        state: The rows, once single rows are changed.
        shape: Its rows and columns.
        sent_at: When it was sent, by the monotonic clock.
        sent_time: When it was sent, in seconds since 1970.
        source: How the feed stands with what it reads the table from.
        expiry: When the time of the next row is over, None if none's ever is.
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
    """What is there of one table. Readers need no lock: each attribute is set in one assignment.

    Attributes:
        now: All that is known of the newest frame; set in the table's turn only.
        table: Its rows, once single ones are changed; touched in its turn only.
        encoded: What was encoded last.
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
"""The rate of a table is counted over this many seconds."""


class Rate:
    """Counts what comes. Told of it by one thread, and asked by another."""

    def __init__(self) -> None:
        self._sends: deque[float] = deque(maxlen=4096)

    def came(self, monotonic: float) -> None:
        """One more came."""
        self._sends.append(monotonic)

    def per_second(self, monotonic: float) -> float:
        """Return frames per second over the last seconds, 0 when none came."""
        while self._sends and self._sends[0] < monotonic - RATE_SECONDS:
            self._sends.popleft()
        sends = list(self._sends)  # the producer goes on meanwhile
        if len(sends) < 2:
            return len(sends) / RATE_SECONDS
        gap = max(sends[-1] - sends[0], 1e-3) / (len(sends) - 1)
        silent = monotonic - sends[-1] > 2 * gap
        return (len(sends) - 1) / max(monotonic - sends[0], 1e-3) if silent else 1 / gap
