"""A table's state in the feed: its newest frame, and what is new since a viewer's. No sockets.

Only snapshots so far: `TableState.since` is where a ring of deltas will answer first.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from livetable.feed.labels import safe_str
from livetable.feed.wire import Position, TableInfo, new_epoch

_log = logging.getLogger("livetable.feed")

RATE_SECONDS: Final = 5.0
"""The rate of a table is counted over this many seconds."""


@dataclass(frozen=True, slots=True)
class Body:
    """An encoded snapshot.

    Attributes:
        data: The Arrow IPC stream.
        rows: Its number of rows.
        columns: Its number of columns, without the index.
        note: What could not be kept as it was, as a sentence, or None.
    """

    data: memoryview
    rows: int
    columns: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest frame as it stands for viewers.

    Attributes:
        position: Its epoch and seq.
        body: Its bytes.
        monotonic: When it was sent, by the feed's monotonic clock.
        time: When it was sent, in seconds since 1970.
    """

    position: Position
    body: Body
    monotonic: float
    time: float


class TableState:
    """The newest frame of one table, encoded when it is asked for and at most once.

    `put` is called from the producer's threads, everything else from the feed's.

    Args:
        name: The table's name.
        key: Labels of the key columns, as JSON labels.
        encode: Turns what `put` was given into bytes; called in the feed's thread.
    """

    def __init__(self, name: str, key: tuple[Any, ...], encode: Callable[[Any], Body]) -> None:
        self.name = name
        self.key = key
        self.epoch = new_epoch()
        self.note: str | None = None
        self.wanted = False
        """Whether somebody waits for the next `put`. Set before looking for news, read after `put`:
        so a frame that comes in between is seen by one of the two."""
        self._encode = encode
        self._lock = threading.Lock()
        self._seq = 0
        self._frame: Any = None  # what `put` was given, until it is encoded
        self._newest: Snapshot | None = None
        self.failure: str | None = None
        """Why the newest frame can't be shown."""
        self._failures = 0
        self._failed = 0  # seq of a frame that could not be encoded
        self._sent_at = 0.0
        self._sent_time = 0.0
        self._shape = (0, 0)
        self._sends: deque[float] = deque(maxlen=4096)

    @property
    def seq(self) -> int:
        """Number of the newest frame, 0 before the first."""
        return self._seq

    @property
    def position(self) -> Position:
        """Epoch and seq of the newest frame."""
        return Position(self.epoch, self._seq)

    def put(self, frame: Any, shape: tuple[int, int], monotonic: float, time: float) -> None:
        """Make `frame` the newest; the one before is dropped unless it was asked for."""
        with self._lock:
            self._frame = frame
            self._shape = shape
            self._sent_at = monotonic
            self._sent_time = time
            self._sends.append(monotonic)
            self._seq += 1

    def has_news(self, have: Position | None) -> bool:
        """Tell whether there is a frame that a viewer at `have` does not show."""
        return self.shown.seq > 0 and have != self.shown

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        if self._failed < self._seq:
            return self.position
        return self._newest.position if self._newest else Position(self.epoch, 0)

    def since(self, have: Position | None) -> Snapshot | None:
        """Return what a viewer at `have` needs to be up to date, None if it is.

        A frame that can't be encoded is logged, noted and passed over.
        """
        if not self.has_news(have):
            return None
        if self._failed == self._seq:
            return self._newest
        with self._lock:
            frame, position = self._frame, self.position
            sent_at, sent_time = self._sent_at, self._sent_time
        if self._newest is None or self._newest.position != position:
            try:
                body = self._encode(frame)
            except Exception as error:
                self._failed = position.seq
                self.failure = f"frame {position.seq} could not be encoded: {safe_str(error):.200}"
                if self._failures == 0:
                    _log.exception("table %r: %s", self.name, self.failure)
                self._failures += 1
                return self._newest if have != self.shown else None
            self.failure = None
            self._newest = Snapshot(position, body, sent_at, sent_time)
            with self._lock:
                # The bytes replace the frame: while both are held, the producer's next write
                # into its own frame has to copy a column first.
                if self._seq == position.seq:
                    self._frame = None
        return self._newest

    @property
    def body_note(self) -> str | None:
        """What viewers should know: trouble of the source or of encoding, or what became text."""
        return self.note or self.failure or (self._newest.body.note if self._newest else None)

    def age(self, monotonic: float) -> float | None:
        """Return the seconds since the newest `put`, None before the first."""
        if self._failed == self._seq:
            return max(0.0, monotonic - self._newest.monotonic) if self._newest else None
        return max(0.0, monotonic - self._sent_at)

    def rate(self, monotonic: float) -> float:
        """Return frames per second over the last seconds, 0 when none came."""
        with self._lock:
            sends = self._sends
            while sends and sends[0] < monotonic - RATE_SECONDS:
                sends.popleft()
            if len(sends) < 2:
                return len(sends) / RATE_SECONDS
            gap = max(sends[-1] - sends[0], 1e-3) / (len(sends) - 1)
            silent = monotonic - sends[-1] > 2 * gap
            return (len(sends) - 1) / (monotonic - sends[0]) if silent else 1 / gap

    def info(self, monotonic: float, pid: int, process: str) -> TableInfo:
        """Return the table's line in the catalogue."""
        rows, columns = self._shape
        return TableInfo(
            name=self.name,
            epoch=self.epoch,
            seq=self._seq,
            rows=rows,
            columns=columns,
            rate=self.rate(monotonic),
            age=self.age(monotonic),
            pid=pid,
            process=process,
            key=self.key,
        )
