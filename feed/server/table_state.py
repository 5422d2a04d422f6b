"""A table's state in the feed: its newest frame, and what is new since a viewer's. No sockets.

A table that is only sent whole is its newest frame, encoded when somebody asks. One that is
changed row by row is a `ChangingTable`, which also knows what changed of late.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from livetable.feed.base.late_import import loaded
from livetable.feed.base.log_thread import tell
from livetable.feed.base.native import new_lock
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.base.turns import Job, Turns
from livetable.feed.errors import LivetableError
from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import (
    NO_SOURCE,
    Position,
    SourceStatus,
    TableInfo,
    new_epoch,
)

if TYPE_CHECKING:
    from livetable.feed.rows.keyed_table import ChangingTable, Difference, State
    from livetable.feed.server.mirror import Elsewhere

Beginning: TypeAlias = "tuple[State, tuple[int, ...]]"
"""What a table changes from, and which of its fields are the key."""

T = TypeVar("T")
_log = logging.getLogger("livetable.feed")

LARGE_CELLS: Final = 5_000_000
"""Tables of more cells than this are encoded beside the feed's thread, which goes on answering."""

SLOW_SECONDS: Final = 0.005
"""Tables whose encoding took longer than this are encoded there, too."""

PATIENCE_SECONDS: Final = 0.25
"""So long a call waits to hear what became of it where another thread is changing the table."""

RATE_SECONDS: Final = 5.0
"""The rate of a table is counted over this many seconds."""


_NO_BODY: Final = Body(memoryview(b""), 0, 0)


@dataclass(slots=True)
class _Held:
    """What was sent, until it is encoded: the bytes replace it then.

    Attributes:
        frame: The frame.
        beside: Whether encoding it may run somebody else's code, and so take any time.
    """

    frame: Any
    beside: bool = False


@dataclass(frozen=True, slots=True)
class _Now:
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
    held: _Held = field(default_factory=lambda: _Held(None))
    state: State | None = None
    shape: tuple[int, int] = (0, 0)
    sent_at: float = 0.0
    sent_time: float = 0.0
    source: SourceStatus = NO_SOURCE
    expiry: float | None = None


def _whole(state: State) -> Body:
    loaded("livetable.feed.rows.deltas")
    from livetable.feed.rows.deltas import whole

    return whole(state)


class TableState:
    """The newest state of one table, encoded when it is asked for and at most once.

    `put` and `change` are called from the producer's threads, everything else from the feed's. No
    call waits for a lock: what changes the table is a job in `Turns`, what reads it reads `_Now`.

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
        self._now = _Now(new_epoch())
        self.on_change: Callable[[], object] | None = None
        """Called when a change was made, by who made it."""
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
        self.elsewhere: Elsewhere | None = None
        """Where its frames are made, if that is another process: a `Mirror` puts them here."""
        self.on_taken: Callable[[], object] | None = None
        """Called when another process says that the name is its own now, in the feed's thread."""
        self._encode = encode
        self._limit = limit
        self._ttl = ttl
        self._turns = Turns(self._changed)
        self._table: ChangingTable | None = None  # touched in its turn only
        self._newest: Snapshot | None = None
        self._deltas: dict[int, Snapshot] = {}  # to the newest state, by what they change
        self._deltas_to = 0
        self._making = new_lock()  # of encoding, which no producer's call waits for
        self.prepared: Snapshot | None = None
        """What was encoded last of a table that is encoded beside the feed's thread."""
        self.failure: str | None = None
        """Why the newest frame can't be shown."""
        self._failures = 0
        self._failed = 0  # seq of a frame that could not be encoded
        self._took = 0.0  # seconds of the last encoding
        self._sends: deque[float] = deque(maxlen=4096)

    @property
    def is_silent(self) -> bool:
        """Whether nobody is to be answered: who makes its frames elsewhere is not heard."""
        return self.elsewhere is not None and self.elsewhere.is_silent

    @property
    def seq(self) -> int:
        """Number of the newest frame, 0 before the first."""
        return self._now.seq

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the newest frame."""
        return self._now.shape

    @property
    def position(self) -> Position:
        """Epoch and seq of the newest frame."""
        now = self._now
        return Position(now.epoch, now.seq)

    @property
    def epoch(self) -> str:
        """Which life of the table the newest frame belongs to."""
        return self._now.epoch

    @property
    def _source(self) -> SourceStatus:
        return self._now.source

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def put(
        self,
        frame: Any,
        shape: tuple[int, int],
        monotonic: float,
        time: float,
        *,
        unfinished: int | None = None,
        beside: bool = False,
    ) -> None:
        """Make `frame` the newest; the one before is dropped unless it was asked for.

        Args:
            frame: The frame.
            shape: Its rows and columns.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            unfinished: Which row may still become another one (`SourceStatus`).
            beside: Whether encoding it may run somebody else's code, and so take any time.
        """
        held = _Held(frame, beside)

        def act() -> None:
            now = self._now
            source = now.source
            if source.unfinished != unfinished:
                source = replace(source, unfinished=unfinished)
            self._came(monotonic)
            self._table = None
            self._now = _Now(
                now.epoch, now.seq + 1, held, None, shape, monotonic, time, source,
                monotonic + self._ttl if self._ttl is not None and shape[0] else None,
            )  # fmt: skip

        self._turns.post(Job(act))

    def mirror(self, made: Snapshot, *, ended: bool = False) -> None:
        """Make a snapshot the newest that was encoded elsewhere, with its epoch and seq there.

        Args:
            made: The snapshot.
            ended: Whether nothing will change any more.
        """

        def act() -> None:
            shape = made.body.rows, made.body.columns
            self._came(made.monotonic)
            self._table, self._newest, self.ended = None, made, ended
            at = made.position
            self._now = _Now(
                at.epoch, at.seq, _Held(None), None, shape, made.monotonic, made.time,
                self._now.source,
            )  # fmt: skip

        self._turns.post(Job(act))

    def aged(self, position: Position, monotonic: float) -> None:
        """Learn from who made it that the newest frame was sent at a time that is longer ago.

        Args:
            position: The frame's; another one than the newest is passed over.
            monotonic: When it was sent, by this process's monotonic clock.
        """

        def act() -> None:
            if position != self.position or monotonic >= self._now.sent_at:
                return
            if self._newest is not None and self._newest.position == position:
                self._newest = replace(self._newest, monotonic=monotonic)
            self._now = replace(self._now, sent_at=monotonic)

        self._turns.post(Job(act))

    def _came(self, monotonic: float) -> None:
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
        first: Beginning | None = None,
        by_index: bool = False,
        patience: float = PATIENCE_SECONDS,
    ) -> T | None:
        """Change single rows.

        Where another thread is at it for long, or this very thread further down (this is a signal
        handler, a finalizer), the change is made as soon as that is done, and not waited for.

        Args:
            act: Changes the table, or raises and leaves it as it is.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            first: What the table begins with, if nothing was sent yet.
            by_index: Whether rows are told apart by the index, where there is no key.
            patience: How long to wait for who else is at it.

        Returns:
            What `act` returns, None if it was not waited for.

        Raises:
            BadFrame: the table can't be changed so.
        """
        held = self._now.held
        begun = self._begun(held, first) if self._now.state is None else None

        def job() -> T:
            return self._change(act, monotonic, time, held, begun, first, by_index=by_index)

        one = Job(job)
        self._turns.post(one)
        if not self._turns.settle(one, patience):
            one.abandon(lambda error: tell(_log, "table %r: %s", self.name, safe_str(error)))
            return None
        if one.error is not None:
            raise one.error
        return one.result

    def _change(
        self,
        act: Callable[[ChangingTable], T],
        monotonic: float,
        time: float,
        held: _Held,
        begun: Beginning | None,
        first: Beginning | None,
        *,
        by_index: bool,
    ) -> T:
        now, table = self._now, self._table
        if table is None:
            if begun is None or now.held is not held:  # something was sent meanwhile
                begun = self._begun(now.held, first)
            table = self._changing(*begun, now.seq)
        if by_index and not table.key:
            table = self._begun_by_index(table)
        before = table.now, table.seq, table.tail
        try:
            table.expire(monotonic)
            result = act(table)
            self._table = table
            self._commit(table, monotonic, time)
        except LivetableError:
            if table is self._table:  # rows may have gone before it was refused
                self._commit(table, monotonic, time)
            raise
        except BaseException:  # Ctrl-C in the midst of it: as if it had not begun
            table.restore(*before, monotonic)
            raise
        return result

    def _commit(self, table: ChangingTable, monotonic: float, time: float) -> None:
        """Make the table's rows those that readers see. One assignment: all of it or nothing."""
        now, source = self._now, self._now.source
        if table.unfinished != source.unfinished:
            source = replace(source, unfinished=table.unfinished)
        if table.seq == now.seq and now.state is not None:
            self._now = replace(now, state=table.now, source=source, expiry=table.next_expiry)
            return
        if table.seq > now.seq:
            self._came(monotonic)
            self._newest = None  # of no use any more, and as large as the table
            shape = len(table.now.rows), len(table.now.shape.described["labels"])
            at = monotonic, time
        else:
            shape, at = now.shape, (now.sent_at, now.sent_time)
        self._now = _Now(
            now.epoch, table.seq, _Held(None), table.now, shape, *at, source, table.next_expiry
        )

    def _begun(self, held: _Held, first: Beginning | None) -> Beginning:
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import begun, nothing_of

        newest, now, frame = self._newest, self._now, held.frame
        if now.held is held and not now.seq:
            if first is None:
                raise LivetableError(f"table {self.name!r} has no rows yet")
            state, key = first
            return nothing_of(state), key
        # The bytes come before the frame goes: one of the two is there.
        body = newest.body if newest is not None and newest.position == self.position else None
        return begun(frame, body, self.key)

    def _begun_by_index(self, table: ChangingTable) -> ChangingTable:
        """Return a table to which rows were only added so far, as one with its index as key."""
        anew = not table.now.shape.levels
        state = table.now.with_index() if anew else table.now
        return self._changing(state, tuple(range(state.shape.levels)), table.seq, anew=anew)

    def _changing(
        self, state: State, key: tuple[int, ...], seq: int, *, anew: bool = False
    ) -> ChangingTable:
        from livetable.feed.rows.keyed_table import ChangingTable

        sent_at = self._now.sent_at
        return ChangingTable(
            state, key, seq, anew=anew, limit=self._limit, ttl=self._ttl, now=sent_at
        )

    @property
    def next_expiry(self) -> float | None:
        """When the time of the next row is over, None if none's ever is."""
        return self._now.expiry

    @property
    def is_mortal(self) -> bool:
        """Whether rows go by themselves."""
        return self._ttl is not None

    def expire(self, monotonic: float, *, patience: float = 0.0) -> bool:
        """Remove the rows whose time is over; tell whether there were any.

        Args:
            monotonic: The time.
            patience: How long to wait for who is changing the table.
        """
        due = self._now.expiry
        if due is None or due > monotonic:
            return False
        seq = self._now.seq
        try:
            self.change(lambda table: None, monotonic, time.time(), patience=patience)
        except Exception as error:  # one table's trouble must not be that of all in the process
            self._ttl = None
            self.failure = f"rows whose time is over stay: {safe_str(error):.200}"
            tell(_log, "table %r: %s", self.name, self.failure)
            self._turns.post(Job(self._stay))
        return self._now.seq > seq

    def _stay(self) -> None:
        self._now = replace(self._now, expiry=None)

    @property
    def has_tail(self) -> bool:
        """Whether there is a row that may still become another one."""
        now = self._now
        return now.state is not None and now.source.unfinished is not None

    @property
    def is_bloated(self) -> bool:
        """Whether `compact` would free much room."""
        state = self._now.state
        return state is not None and state.store.is_bloated(len(state.rows))

    def compact(self) -> None:
        """Let go of what rows held before. Takes a pass over the table, but holds nobody up."""
        from livetable.feed.rows.keyed_table import compacted

        table, before = self._table, self._now.state
        if table is None or before is None or not before.store.is_bloated(len(before.rows)):
            return
        store = compacted(before)

        def act() -> None:
            if self._table is table and self._now.state is not None:
                table.adopt(before, store)
                self._now = replace(self._now, state=table.now)

        self._turns.post(Job(act))

    # -- the source --------------------------------------------------------------------------------

    def set_source(self, **changes: Any) -> bool:
        """Note how the feed stands with what it reads; tell whether that is news.

        Before the frame of which it is to be true, where it makes less of it, and behind it, where
        it makes more: what is read in between is then taken for less than it is.
        """

        def act() -> bool:
            after = replace(self._now.source, **changes)
            if after == self._now.source:
                return False
            self._now = replace(self._now, source=after)
            return True

        job = Job(act)
        self._turns.post(job)
        if self._turns.settle(job, PATIENCE_SECONDS) and not job.result:
            return False
        self.note_is_new = self.wanted = True
        return True

    def source_of(self, shown: Snapshot | Position | None) -> SourceStatus | None:
        """Return how the feed stands with the source of a state that a viewer has, or is sent."""
        position = shown.position if isinstance(shown, Snapshot) else shown
        now = self._now
        if position == Position(now.epoch, now.seq) or not now.seq:
            return now.source
        return shown.source if isinstance(shown, Snapshot) else None

    # -- what viewers need -------------------------------------------------------------------------

    def has_news(self, have: Position | None) -> bool:
        """Tell whether there is a frame that a viewer at `have` does not show."""
        return self.shown.seq > 0 and have != self.shown

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        now, newest = self._now, self._newest
        if self._failed < now.seq:
            return Position(now.epoch, now.seq)
        return newest.position if newest else Position(now.epoch, 0)

    def is_last(self, at: Position | None) -> bool:
        """Tell whether nothing will come after `at`.

        Asked of what a viewer is sent, not of the table alone: the producer may have sent more,
        and ended it, while that was encoded.
        """
        return self.ended and at == self.shown

    @property
    def is_slow(self) -> bool:
        """Whether it may take so long to encode that it is done beside the feed's thread."""
        now = self._now
        if self._making.locked():
            return True
        if now.state is None and self.is_encoded:
            return False
        if now.shape[0] * now.shape[1] > LARGE_CELLS:
            return True
        return now.state is None and (now.held.beside or self._took > SLOW_SECONDS)

    @property
    def is_encoded(self) -> bool:
        """Whether the newest frame is, or can't be."""
        newest = self._newest
        at = self.position
        return self._failed == at.seq or (newest is not None and newest.position == at)

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
        with self._making:  # of a slow table another thread may be at it
            return self._since(have, deltas=deltas)

    def whole(self, encode: Callable[[Any], Body]) -> Body | None:
        """Return the newest frame as a body, None if there is none; waits for nobody.

        Args:
            encode: Turns what `put` was given into bytes.
        """
        now, newest = self._now, self._newest
        frame = now.held.frame
        if now.state is not None:
            return _whole(now.state)
        if frame is not None:
            return encode(frame)
        if newest is None:
            newest = self._newest
        return newest.body if newest is not None else None

    def _since(self, have: Position | None, *, deltas: bool) -> Snapshot | None:
        if not self.has_news(have):
            return None
        newest, now, missed = self._newest, self._now, None
        if self._failed == now.seq:
            return newest
        position, held, state = Position(now.epoch, now.seq), now.held, now.state
        table = self._table
        if have is not None and have.epoch == now.epoch and deltas and state and table:
            missed = table.since(have.seq, state, now.seq)
        began = time.monotonic()
        try:
            nothing = Snapshot(position, _NO_BODY, now.sent_at, now.sent_time, now.source)
            if state is not None and have is not None and missed is not None:
                made = self._delta(state, missed, have.seq, nothing)
                if made is not None:
                    return made
            if newest is not None and newest.position == position:
                return newest
            body = self._encode(held.frame) if state is None else _whole(state)
        except Exception as error:
            self._failed = position.seq
            self.failure = f"frame {position.seq} could not be encoded: {safe_str(error):.200}"
            if self._failures == 0:
                tell(_log, "table %r: %s", self.name, self.failure, error=error)
            self._failures += 1
            return newest if have != self.shown else None
        finally:
            self._took = time.monotonic() - began
        self.failure = None
        made = replace(nothing, body=body)
        if self._now.seq == position.seq or self._now.state is None:
            self._newest = made
        # The bytes replace the frame: while both are held, the producer's next write into its own
        # frame has to copy a column first. In this order: one of the two is always there.
        if self._newest is made:
            held.frame = None
        return made

    def _delta(
        self, state: State, missed: Difference, since: int, now: Snapshot
    ) -> Snapshot | None:
        """Return what changed since a seq, once made for all that ask the same."""
        from livetable.feed.rows.deltas import delta, ranges

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
        now, newest = self._now, self._newest
        if self._failed == now.seq:
            return max(0.0, monotonic - newest.monotonic) if newest else None
        return max(0.0, monotonic - now.sent_at)

    def rate(self, monotonic: float) -> float:
        """Return frames per second over the last seconds, 0 when none came."""
        if self.elsewhere is not None and self.elsewhere.told is not None:
            return self.elsewhere.told[0].rate
        while self._sends and self._sends[0] < monotonic - RATE_SECONDS:
            self._sends.popleft()
        sends = list(self._sends)  # the producer goes on meanwhile
        if len(sends) < 2:
            return len(sends) / RATE_SECONDS
        gap = max(sends[-1] - sends[0], 1e-3) / (len(sends) - 1)
        silent = monotonic - sends[-1] > 2 * gap
        return (len(sends) - 1) / max(monotonic - sends[0], 1e-3) if silent else 1 / gap

    def info(self, monotonic: float, pid: int, process: str) -> TableInfo:
        """Return the table's line in the catalogue."""
        if self.elsewhere is not None and (there := self.elsewhere.info(monotonic)) is not None:
            return there
        self.expire(monotonic)
        now = self._now
        rows, columns = now.shape
        return TableInfo(
            name=self.name,
            epoch=now.epoch,
            seq=now.seq,
            rows=rows,
            columns=columns,
            rate=self.rate(monotonic),
            age=self.age(monotonic),
            pid=pid,
            process=process,
            key=self.key,
        )
