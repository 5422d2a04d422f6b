"""The state of one published table, and what a viewer needs to catch up with it. No sockets.

A table that is only sent whole is its newest frame, encoded when a viewer asks. A table that is
changed row by row is a `KeyedTable`, which also records its latest changes.
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
    """The newest state of one table, encoded on demand and at most once.

    The producer's threads call `put` and `rows.change`; the feed's thread calls everything else.
    No call waits for a lock: writers run as jobs in `Turns`, readers read `Now`.

    Args:
        name: The table's name.
        key: Labels of the key columns, as JSON labels.
        encode: Encodes a frame given to `put`; called in the feed's thread.
        limit: The most rows that the table holds.
        ttl: Remove a row that was not written again for this many seconds.

    Attributes:
        newest: The newest frame.
        rows: Changes single rows.
        encoding: Encodes the newest frame.
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
        """Called after each change, in the thread that made it."""
        self.note: str | None = None
        self.failed: str | None = None
        """Why the source has no table, or only part of one, and will not recover. Any frame
        clears it."""
        self.ended = False
        """Whether the table is complete: no more frames come."""
        self.wanted = False
        """Whether a viewer waits for the next frame. The feed sets it before it looks for news, and
        the producer reads it after `put`. In any other order, both could miss a new frame."""
        self.note_is_new = False
        """Whether to send the note to waiting viewers at once."""
        self.elsewhere: Elsewhere | None = None
        """The other process that makes this table's frames, if it is mirrored (`Mirror`)."""
        self.on_taken: Callable[[], object] | None = None
        """Called in the feed's thread when another process says that it took the table's name."""
        self.newest = Newest()
        self._turns = Turns(self._changed)
        self._rate = Rate()
        self.encoding = Encoding(name, self.newest, encode)
        self.rows = RowChanges(
            name, key, self.newest, self._turns, self._came, limit=limit, ttl=ttl
        )

    @property
    def is_silent(self) -> bool:
        """Whether to leave viewers unanswered, because the mirrored process is not heard."""
        return self.elsewhere is not None and self.elsewhere.is_silent

    @property
    def seq(self) -> int:
        """The number of the newest frame, 0 before the first."""
        return self.newest.now.seq

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns of the newest frame."""
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
        """Make `frame` the newest. The previous frame is dropped, unless it was encoded already.

        Args:
            frame: The frame.
            shape: Its rows and columns.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            unfinished: Index of the row that may still change (`SourceStatus`).
            beside: Whether to encode it outside the feed's thread, because encoding may run other
                people's code and so take any time.
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
        """Make a snapshot of another process the newest. It keeps that process's epoch and seq.

        Args:
            snapshot: The snapshot.
            ended: Whether the table is complete.
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
        """Correct when the newest frame was sent, if the mirrored process reports an earlier time.

        Args:
            position: The frame's position. Ignored unless it is the newest frame.
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
        if self.failed is not None:  # a frame: a script must no longer exit with the failure
            self.note = self.failed = None

    def expire(self, monotonic: float, *, patience: float = 0.0) -> bool:
        """Remove the expired rows. Return whether there were any."""
        return self.rows.expire(monotonic, patience=patience)

    # -- the source --------------------------------------------------------------------------------

    def set_source(self, **changes: Any) -> bool:
        """Update the source's status. Return whether it changed.

        Set a status that makes viewers trust a frame less before that frame is sent. Set a status
        that makes them trust it more after the frame. A viewer that reads in between then trusts
        the frame too little, never too much.
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
        """Return the source's status for a frame that a viewer has or is sent."""
        position = shown.position if isinstance(shown, Snapshot) else shown
        now = self.newest.now
        if position == Position(now.epoch, now.seq) or not now.seq:
            return now.source
        return shown.source if isinstance(shown, Snapshot) else None

    # -- what viewers need -------------------------------------------------------------------------

    def has_news(self, have: Position | None) -> bool:
        """Tell whether a viewer at `have` lacks the newest frame."""
        return self.encoding.has_news(have)

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        return self.encoding.shown

    def is_last(self, position: Position | None) -> bool:
        """Tell whether the frame at `position` is the table's last.

        Ask for the frame that is sent, not only whether the table ended: the producer may have sent
        another frame and ended the table while this one was encoded.
        """
        return self.ended and position == self.shown

    def since(self, have: Position | None, *, deltas: bool = False) -> Snapshot | None:
        """Return what a viewer at `have` needs to be up to date, None if it is up to date.

        A frame that can't be encoded is logged, noted and skipped.

        Args:
            have: The viewer's position.
            deltas: Whether the viewer can read deltas, not only whole tables.
        """
        return self.encoding.since(have, deltas=deltas)

    @property
    def body_note(self) -> str | None:
        """The note for viewers: the source's, an encoding error, or which columns became text."""
        return (
            self.note
            or self.newest.failure
            or (self.newest.encoded.body.note if self.newest.encoded else None)
        )

    def age(self, monotonic: float) -> float | None:
        """Return the age of the shown frame in seconds, None if there is none."""
        now, newest = self.newest.now, self.newest.encoded
        if self.encoding.failed_seq == now.seq:
            return max(0.0, monotonic - newest.monotonic) if newest else None
        return max(0.0, monotonic - now.sent_at)

    def rate(self, monotonic: float) -> float:
        """Return the frames per second of the last few seconds."""
        if self.elsewhere is not None and self.elsewhere.reported is not None:
            return self.elsewhere.reported[0].rate
        return self._rate.per_second(monotonic)

    def info(self, monotonic: float, pid: int, process: str) -> TableInfo:
        """Return the table's entry in the catalogue."""
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
    """Return the catalogue entry of a table that this process publishes."""
    return table.info(now, os.getpid(), process_name())


def process_name() -> str:
    """Return the process's name for people: its script or module, else its executable."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")[:256]
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return (name if name not in ("", "-", "-c") else os.path.basename(sys.executable))[:256]
