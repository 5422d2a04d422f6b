"""A table's state in the feed: its newest frame, and what is new since a viewer's. No sockets.

A table that is only sent whole is its newest frame, encoded when somebody asks. One that is
changed row by row is a `ChangingTable`, which also knows what changed of late.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livetable.feed.labels import safe_str
from livetable.feed.wire import NO_SOURCE, Place, Position, SourceStatus, TableInfo, new_epoch

if TYPE_CHECKING:
    from livetable.feed.changing import ChangingTable, Difference, State

T = TypeVar("T")
_log = logging.getLogger("livetable.feed")

LARGE_CELLS: Final = 5_000_000
"""Tables of more cells than this are encoded beside the feed's thread, which goes on answering."""

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


_NO_BODY: Final = Body(memoryview(b""), 0, 0)


def _whole(state: State) -> Body:
    from livetable.feed.changes import whole

    return whole(state)


class TableState:
    """The newest state of one table, encoded when it is asked for and at most once.

    `put` and `change` are called from the producer's threads, everything else from the feed's.

    Args:
        name: The table's name.
        key: Labels of the key columns, as JSON labels.
        encode: Turns what `put` was given into bytes; called in the feed's thread.
        limit: The most rows that the table holds.
        ttl: Seconds after which a row goes that was not written to again.
    """

    def __init__(
        self,
        name: str,
        key: tuple[Any, ...],
        encode: Callable[[Any], Body],
        *,
        limit: int | None = None,
        ttl: float | None = None,
    ) -> None:
        self.name = name
        self.key = key
        self.epoch = new_epoch()
        self.note: str | None = None
        self.failed: str | None = None
        """Why the source has no table to show, or only a part of one, and waiting brings no more.
        Any frame clears it."""
        self.ended = False
        """Whether nothing will change any more."""
        self.wanted = False
        """Whether somebody waits for the next frame. Set before looking for news, read after `put`:
        so a frame that comes in between is seen by one of the two."""
        self.note_is_new = False
        """Whether who waits is to be told of the note at once."""
        self._source = NO_SOURCE
        self.silent = False
        """Whether nobody is to be answered: who sends this table elsewhere is not heard."""
        self.told: tuple[TableInfo, float] | None = None
        """What its own process says of a table that comes from elsewhere, and when it said so."""
        self.on_wanted: Callable[[], object] | None = None
        """Called for each want, in the feed's thread."""
        self._encode = encode
        self._limit = limit
        self._ttl = ttl
        self._lock = threading.Lock()
        self._seq = 0
        self._frame: Any = None  # what `put` was given, until it is encoded
        self._table: ChangingTable | None = None  # instead of it, once single rows are changed
        self._newest: Snapshot | None = None
        self._deltas: dict[int, Snapshot] = {}  # to the newest state, by what they change
        self._deltas_to = 0
        self._making = threading.Lock()
        self.prepared: Snapshot | None = None
        """What was encoded last of a large table, beside the feed's thread."""
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
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the newest frame."""
        return self._shape

    @property
    def position(self) -> Position:
        """Epoch and seq of the newest frame."""
        return Position(self.epoch, self._seq)

    def put(
        self,
        frame: Any,
        shape: tuple[int, int],
        monotonic: float,
        time: float,
        *,
        unfinished: int | None = None,
    ) -> None:
        """Make `frame` the newest; the one before is dropped unless it was asked for.

        Args:
            frame: The frame.
            shape: Its rows and columns.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            unfinished: Which row may still become another one (`SourceStatus`).
        """
        with self._lock:
            self._frame = frame
            self._table = None
            self._source = replace(self._source, unfinished=unfinished)
            self._came(self._seq + 1, shape, monotonic, time)

    def mirror(self, made: Snapshot, *, ended: bool = False) -> None:
        """Make a snapshot the newest that was encoded elsewhere, with its epoch and seq there.

        Args:
            made: The snapshot.
            ended: Whether nothing will change any more.
        """
        with self._lock:
            self.epoch = made.position.epoch
            self._newest, self._frame, self._table = made, None, None
            shape = made.body.rows, made.body.columns
            self._came(made.position.seq, shape, made.monotonic, made.time)
            self.ended = ended

    def aged(self, position: Position, monotonic: float) -> None:
        """Learn from who made it that the newest frame was sent at a time that is longer ago.

        Args:
            position: The frame's; another one than the newest is passed over.
            monotonic: When it was sent, by this process's monotonic clock.
        """
        with self._lock:
            if position != self.position or monotonic >= self._sent_at:
                return
            self._sent_at = monotonic
            if self._newest is not None and self._newest.position == position:
                self._newest = replace(self._newest, monotonic=monotonic)

    def _came(self, seq: int, shape: tuple[int, int], monotonic: float, time: float) -> None:
        self._seq = seq
        self._shape = shape
        self._sent_at = monotonic
        self._sent_time = time
        self._sends.append(monotonic)
        if self.failed is not None:  # else a script would end over a table that is there
            self.note = self.failed = None

    # -- single rows -------------------------------------------------------------------------------

    def change(
        self,
        act: Callable[[ChangingTable], T],
        monotonic: float,
        time: float,
        *,
        first: Any = None,
        by_index: bool = False,
    ) -> T:
        """Change single rows.

        Args:
            act: Changes the table, or raises and leaves it as it is.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            first: Rows that show which columns there are, if nothing was sent yet.
            by_index: Whether rows are told apart by the index, where there is no key.

        Raises:
            BadFrame: the table can't be changed so.
        """
        with self._lock:
            table = self._table or self._begin(first)
            if by_index and not table.key:
                table = self._begin_by_index(table)
            try:
                table.expire(monotonic)
                result = act(table)
                self._table, self._frame = table, None
                return result
            finally:  # also where the act was refused: rows may have gone before it
                if table is self._table and table.unfinished != self._source.unfinished:
                    self._source = replace(self._source, unfinished=table.unfinished)
                if table is self._table and table.seq > self._seq:
                    self._newest = None  # of no use any more, and as large as the table
                    shape = table.now.shape
                    sizes = len(table.now.rows), len(shape.described["labels"])
                    self._came(table.seq, sizes, monotonic, time)

    def _begin(self, first: Any) -> ChangingTable:
        from livetable.feed.changes import begun, nothing_of

        newest, sent = self._newest, self._seq > 0
        body = newest.body if newest is not None and newest.position == self.position else None
        state, key = begun(self._frame if sent else first, body, self.key)
        return self._changing(state if sent else nothing_of(state), key, self._seq)

    def _begin_by_index(self, table: ChangingTable) -> ChangingTable:
        """Return a table to which rows were only added so far, as one with its index as key."""
        anew = not table.now.shape.levels
        state = table.now.with_index() if anew else table.now
        return self._changing(state, tuple(range(state.shape.levels)), table.seq, anew=anew)

    def _changing(
        self, state: State, key: tuple[int, ...], seq: int, *, anew: bool = False
    ) -> ChangingTable:
        from livetable.feed.changing import ChangingTable

        return ChangingTable(
            state, key, seq, anew=anew, limit=self._limit, ttl=self._ttl, now=self._sent_at
        )

    @property
    def next_expiry(self) -> float | None:
        """When the time of the next row is over, None if none's ever is."""
        if self._ttl is None or not self._shape[0]:
            return None
        with self._lock:
            return self._table.next_expiry if self._table else self._sent_at + self._ttl

    def expire(self, monotonic: float) -> bool:
        """Remove the rows whose time is over; tell whether there were any."""
        due = self.next_expiry
        if due is None or due > monotonic:
            return False
        seq = self._seq
        try:
            self.change(lambda table: None, monotonic, time.time())
        except Exception as error:  # one table's trouble must not be that of all in the process
            self._ttl = None
            self.failure = f"rows whose time is over stay: {safe_str(error):.200}"
            _log.warning("table %r: %s", self.name, self.failure)
        return self._seq > seq

    @property
    def has_tail(self) -> bool:
        """Whether there is a row that may still become another one."""
        return self._table is not None and self._table.unfinished is not None

    @property
    def is_bloated(self) -> bool:
        """Whether `compact` would free much room."""
        return self._table is not None and self._table.is_bloated

    def compact(self) -> None:
        """Let go of what rows held before. Takes a pass over the table, but holds nobody up."""
        from livetable.feed.changing import compacted

        table = self._table
        if table is not None and table.is_bloated:
            before = table.now
            store = compacted(before)
            with self._lock:
                if self._table is table:
                    table.adopt(before, store)

    # -- the source --------------------------------------------------------------------------------

    def set_source(self, **changes: Any) -> bool:
        """Note how the feed stands with what it reads; tell whether that is news.

        Before the frame of which it is to be true, where it makes less of it, and behind it, where
        it makes more: what is read in between is then taken for less than it is.
        """
        with self._lock:
            after = replace(self._source, **changes)
            if after == self._source:
                return False
            self._source = after
        self.note_is_new = self.wanted = True
        return True

    def source_of(self, shown: Snapshot | Position | None) -> SourceStatus | None:
        """Return how the feed stands with the source of a state that a viewer has, or is sent."""
        position = shown.position if isinstance(shown, Snapshot) else shown
        with self._lock:
            if (position is not None and position == self.position) or not self._seq:
                return self._source
        return shown.source if isinstance(shown, Snapshot) else None

    # -- what viewers need -------------------------------------------------------------------------

    def has_news(self, have: Position | None) -> bool:
        """Tell whether there is a frame that a viewer at `have` does not show."""
        return self.shown.seq > 0 and have != self.shown

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        if self._failed < self._seq:
            return self.position
        return self._newest.position if self._newest else Position(self.epoch, 0)

    def is_last(self, at: Position | None) -> bool:
        """Tell whether nothing will come after `at`.

        Asked of what a viewer is sent, not of the table alone: the producer may have sent more,
        and ended it, while that was encoded.
        """
        return self.ended and at == self.shown

    @property
    def is_large(self) -> bool:
        """Whether it takes so long to encode that it is done beside the feed's thread."""
        return self._shape[0] * self._shape[1] > LARGE_CELLS

    def prepared_for(self, have: Position | None, *, deltas: bool) -> Snapshot | None:
        """Return what was prepared, if it brings a viewer at `have` further; None if not."""
        made = self.prepared
        if made is None or made.position.epoch != self.epoch:
            return None
        same_life = have is not None and have.epoch == made.position.epoch
        if made.since is not None:
            fits = deltas and same_life and have is not None and have.seq == made.since
            return made if fits else None
        return made if not same_life or (have and have.seq < made.position.seq) else None

    def since(self, have: Position | None, *, deltas: bool = False) -> Snapshot | None:
        """Return what a viewer at `have` needs to be up to date, None if it is.

        A frame that can't be encoded is logged, noted and passed over.

        Args:
            have: What the viewer has.
            deltas: Whether it can read what changed, not only whole tables.
        """
        with self._making:  # of a large table another thread may be at it
            return self._since(have, deltas=deltas)

    def _since(self, have: Position | None, *, deltas: bool) -> Snapshot | None:
        if not self.has_news(have):
            return None
        newest = self._newest
        if self._failed == self._seq:
            return newest
        missed, state = None, None
        with self._lock:
            frame, position = self._frame, self.position
            sent, source = (self._sent_at, self._sent_time), self._source
            if self._table is not None:
                state = self._table.now
                if deltas and have is not None and have.epoch == self.epoch:
                    missed = self._table.since(have.seq)
        try:
            if state is not None and have is not None and missed is not None:
                made = self._delta(
                    state, missed, have.seq, Snapshot(position, _NO_BODY, *sent, source)
                )
                if made is not None:
                    return made
            if newest is not None and newest.position == position:
                return newest
            body = self._encode(frame) if state is None else _whole(state)
        except Exception as error:
            self._failed = position.seq
            self.failure = f"frame {position.seq} could not be encoded: {safe_str(error):.200}"
            if self._failures == 0:
                _log.exception("table %r: %s", self.name, self.failure)
            self._failures += 1
            return newest if have != self.shown else None
        self.failure = None
        made = Snapshot(position, body, *sent, source)
        with self._lock:
            if self._seq == position.seq or self._table is None:
                self._newest = made
            # The bytes replace the frame: while both are held, the producer's next write
            # into its own frame has to copy a column first.
            if self._seq == position.seq:
                self._frame = None
        return made

    def _delta(
        self, state: State, missed: Difference, since: int, now: Snapshot
    ) -> Snapshot | None:
        """Return what changed since a seq, once made for all that ask the same."""
        from livetable.feed.changes import delta, ranges

        if self._deltas_to != now.position.seq:
            self._deltas.clear()
            self._deltas_to = now.position.seq
        if since not in self._deltas:
            gone = ranges(missed.gone)
            if gone is None:
                return None
            self._deltas[since] = replace(now, body=delta(state, missed), since=since, gone=gone)
        return self._deltas[since]

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
        if self.told is not None:
            return self.told[0].rate
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
        if self.told is not None:
            info, heard = self.told
            age = None if info.age is None else info.age + max(0.0, monotonic - heard)
            return replace(info, age=age, state="gone" if self.silent else info.state)
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
