"""A table's state in the feed: its newest frame, and what is new since a viewer's. No sockets.

A table that is only sent whole is its newest frame, encoded when somebody asks. One that is
changed row by row is a `KeyedTable`, which also knows what changed of late.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from livetable.feed.base.turns import Job, Turns
from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import Position
from livetable.feed.protocol.source_status import SourceStatus
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.encoding import Encoding
from livetable.feed.server.newest import Held, Newest, Now, Rate
from livetable.feed.server.row_changes import PATIENCE_SECONDS, RowChanges

if TYPE_CHECKING:
    from livetable.feed.server.mirror import Elsewhere


class TableState:
    """The newest state of one table, encoded when it is asked for and at most once.

    `put` and `rows.change` are called from the producer's threads, everything else from the feed's.
    No call waits for a lock: what changes the table is a job in `Turns`, what reads it reads `Now`.

    Args:
        name: The table's name.
        key: Labels of the key columns, as JSON labels.
        encode: Turns what `put` was given into bytes; called in the feed's thread.
        limit: The most rows that the table holds.
        ttl: Seconds after which a row goes that was not written to again.

    Attributes:
        newest: What is there.
        rows: Changes single rows.
        encoding: Encodes them.
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
        self.newest = Newest()
        self._turns = Turns(self._changed)
        self._rate = Rate()
        self.encoding = Encoding(name, self.newest, encode)
        self.rows = RowChanges(
            name, key, self.newest, self._turns, self._came, limit=limit, ttl=ttl
        )

    @property
    def is_silent(self) -> bool:
        """Whether nobody is to be answered: who makes its frames elsewhere is not heard."""
        return self.elsewhere is not None and self.elsewhere.is_silent

    @property
    def seq(self) -> int:
        """Number of the newest frame, 0 before the first."""
        return self.newest.now.seq

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the newest frame."""
        return self.newest.now.shape

    @property
    def position(self) -> Position:
        """Epoch and seq of the newest frame."""
        return self.newest.position

    @property
    def epoch(self) -> str:
        """Which life of the table the newest frame belongs to."""
        return self.newest.now.epoch

    @property
    def _source(self) -> SourceStatus:
        return self.newest.now.source

    @property
    def failure(self) -> str | None:
        """Why the newest frame can't be shown."""
        return self.newest.failure

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    # -- frames ------------------------------------------------------------------------------------

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
        held = Held(frame, beside)

        def act() -> None:
            now = self.newest.now
            source = now.source
            if source.unfinished != unfinished:
                source = replace(source, unfinished=unfinished)
            self._came(monotonic)
            self.newest.table = None
            self.newest.now = Now(
                now.epoch, now.seq + 1, held, None, shape, monotonic, time, source,
                monotonic + self.rows.ttl if self.rows.ttl is not None and shape[0] else None,
            )  # fmt: skip

        self._turns.post(Job(act))

    def mirror(self, snapshot: Snapshot, *, ended: bool = False) -> None:
        """Make a snapshot the newest that was encoded elsewhere, with its epoch and seq there.

        Args:
            snapshot: The snapshot.
            ended: Whether nothing will change any more.
        """

        def act() -> None:
            shape = snapshot.body.rows, snapshot.body.columns
            self._came(snapshot.monotonic)
            self.newest.table, self.newest.encoded, self.ended = None, snapshot, ended
            position = snapshot.position
            self.newest.now = Now(
                position.epoch, position.seq, Held(None), None, shape, snapshot.monotonic,
                snapshot.time, self.newest.now.source,
            )  # fmt: skip

        self._turns.post(Job(act))

    def aged(self, position: Position, monotonic: float) -> None:
        """Learn from who made it that the newest frame was sent at a time that is longer ago.

        Args:
            position: The frame's; another one than the newest is passed over.
            monotonic: When it was sent, by this process's monotonic clock.
        """

        def act() -> None:
            if position != self.position or monotonic >= self.newest.now.sent_at:
                return
            if self.newest.encoded is not None and self.newest.encoded.position == position:
                self.newest.encoded = replace(self.newest.encoded, monotonic=monotonic)
            self.newest.now = replace(self.newest.now, sent_at=monotonic)

        self._turns.post(Job(act))

    def _came(self, monotonic: float) -> None:
        self._rate.came(monotonic)
        if self.failed is not None:  # else a script would end over a table that is there
            self.note = self.failed = None

    def expire(self, monotonic: float, *, patience: float = 0.0) -> bool:
        """Remove the rows whose time is over; tell whether there were any."""
        return self.rows.expire(monotonic, patience=patience)

    # -- the source --------------------------------------------------------------------------------

    def set_source(self, **changes: Any) -> bool:
        """Note how the feed stands with what it reads; tell whether that is news.

        Before the frame of which it is to be true, where it makes less of it, and behind it, where
        it makes more: what is read in between is then taken for less than it is.
        """

        def act() -> bool:
            after = replace(self.newest.now.source, **changes)
            if after == self.newest.now.source:
                return False
            self.newest.now = replace(self.newest.now, source=after)
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
        now = self.newest.now
        if position == Position(now.epoch, now.seq) or not now.seq:
            return now.source
        return shown.source if isinstance(shown, Snapshot) else None

    # -- what viewers need -------------------------------------------------------------------------

    def has_news(self, have: Position | None) -> bool:
        """Tell whether there is a frame that a viewer at `have` does not show."""
        return self.encoding.has_news(have)

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        return self.encoding.shown

    def is_last(self, position: Position | None) -> bool:
        """Tell whether nothing will come after `at`.

        Asked of what a viewer is sent, not of the table alone: the producer may have sent more,
        and ended it, while that was encoded.
        """
        return self.ended and position == self.shown

    def since(self, have: Position | None, *, deltas: bool = False) -> Snapshot | None:
        """Return what a viewer at `have` needs to be up to date, None if it is.

        A frame that can't be encoded is logged, noted and passed over.

        Args:
            have: What the viewer has.
            deltas: Whether it can read what changed, not only whole tables.
        """
        return self.encoding.since(have, deltas=deltas)

    @property
    def body_note(self) -> str | None:
        """What viewers should know: trouble of the source or of encoding, or what became text."""
        return (
            self.note
            or self.newest.failure
            or (self.newest.encoded.body.note if self.newest.encoded else None)
        )

    def age(self, monotonic: float) -> float | None:
        """Return the seconds since the newest `put`, None before the first."""
        now, newest = self.newest.now, self.newest.encoded
        if self.encoding.failed_seq == now.seq:
            return max(0.0, monotonic - newest.monotonic) if newest else None
        return max(0.0, monotonic - now.sent_at)

    def rate(self, monotonic: float) -> float:
        """Return frames per second over the last seconds, 0 when none came."""
        if self.elsewhere is not None and self.elsewhere.told is not None:
            return self.elsewhere.told[0].rate
        return self._rate.per_second(monotonic)

    def info(self, monotonic: float, pid: int, process: str) -> TableInfo:
        """Return the table's line in the catalogue."""
        if self.elsewhere is not None and (there := self.elsewhere.info(monotonic)) is not None:
            return there
        self.expire(monotonic)
        now = self.newest.now
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


def describe(table: TableState, now: float) -> TableInfo:
    """Return the line of a table of this process in the catalogue."""
    return table.info(now, os.getpid(), process_name())


def process_name() -> str:
    """Return what people call this process: its script or module, else its executable."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")[:256]
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return (name if name not in ("", "-", "-c") else os.path.basename(sys.executable))[:256]
