"""Encodes the newest frame of a table, when a viewer asks for it and at most once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.base.late_import import loaded
from livetable.feed.base.log_thread import tell
from livetable.feed.base.native import Pausing, new_lock, start_thread
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.frames.captured import Captured
from livetable.feed.protocol.messages import Position
from livetable.feed.server.newest import Newest

if TYPE_CHECKING:
    from livetable.feed.rows.state import Difference, State
    from livetable.feed.server.table_state import TableState


_log = logging.getLogger("livetable.feed")

LARGE_CELLS: Final = 5_000_000
"""Larger tables are encoded in a side thread, so that the feed's thread can keep answering."""

SLOW_SECONDS: Final = 0.005
"""So are tables whose last encoding took longer than this."""

_NO_BODY: Final = Body(memoryview(b""), 0, 0)


def _whole(state: State) -> Body:
    loaded("livetable.feed.rows.deltas")
    from livetable.feed.rows.deltas import whole

    return whole(state)


class Encoding:
    """Encodes what viewers need of one table.

    Args:
        name: The table's name.
        newest: The table's newest frame.
        encode: Encodes what was sent; called in the feed's thread or in a side thread.
    """

    def __init__(self, name: str, newest: Newest, encode: Callable[[Any], Body]) -> None:
        self._name = name
        self._newest = newest
        self._encode = encode
        self.prepared: Snapshot | None = None
        """What a side thread encoded last."""
        self.failed_seq = 0
        """The seq of the last frame that could not be encoded."""
        self._failures = 0
        self._took = 0.0  # seconds of the last encoding
        self._making = new_lock()  # held while encoding; no call of the producer may wait for it
        self._deltas: dict[int, Snapshot] = {}  # deltas to the newest state, by start seq
        self._deltas_to = 0

    def has_news(self, have: Position | None) -> bool:
        """Tell whether a viewer at `have` lacks the newest frame."""
        return self.shown.seq > 0 and have != self.shown

    @property
    def shown(self) -> Position:
        """Epoch and seq of the newest frame that can be shown."""
        now, newest = self._newest.now, self._newest.encoded
        if self.failed_seq < now.seq:
            return Position(now.epoch, now.seq)
        return newest.position if newest else Position(now.epoch, 0)

    @property
    def is_slow(self) -> bool:
        """Whether to encode in a side thread, because it may take long."""
        now = self._newest.now
        if self._making.locked():
            return True
        if now.state is None and self.is_encoded:
            return False
        if now.shape[0] * now.shape[1] > LARGE_CELLS:
            return True
        return now.state is None and (now.held.beside or self._took > SLOW_SECONDS)

    @property
    def is_encoded(self) -> bool:
        """Whether the newest frame is encoded, or can't be."""
        newest = self._newest.encoded
        position = self._newest.position
        return self.failed_seq == position.seq or (
            newest is not None and newest.position == position
        )

    def prepared_for(self, have: Position | None, *, deltas: bool) -> Snapshot | None:
        """Return what a side thread encoded, if it is news for a viewer at `have`; None if not."""
        prepared = self.prepared
        if prepared is None or prepared.position.epoch != self._newest.now.epoch:
            return None
        same_life = have is not None and have.epoch == prepared.position.epoch
        if prepared.since is not None:
            fits = deltas and same_life and have is not None and have.seq == prepared.since
            return prepared if fits else None
        return prepared if not same_life or (have and have.seq < prepared.position.seq) else None

    def since(self, have: Position | None, *, deltas: bool = False) -> Snapshot | None:
        """Return what a viewer at `have` needs to be up to date, None if it is up to date.

        A frame that can't be encoded is logged, noted and skipped.

        Args:
            have: The viewer's position.
            deltas: Whether the viewer can read deltas, not only whole tables.
        """
        with self._making:  # a side thread may be encoding this table
            return self._since(have, deltas=deltas)

    def whole(self, encode: Callable[[Any], Body]) -> Body | None:
        """Return the newest frame as a body, None if there is none. Never waits.

        Args:
            encode: Encodes a frame given to `put`.
        """
        now, newest = self._newest.now, self._newest.encoded
        frame = now.held.frame
        if now.state is not None:
            return _whole(now.state)
        if frame is not None:
            return encode(frame)
        if newest is None:
            newest = self._newest.encoded
        return newest.body if newest is not None else None

    def _since(self, have: Position | None, *, deltas: bool) -> Snapshot | None:
        if not self.has_news(have):
            return None
        newest, now, missed = self._newest.encoded, self._newest.now, None
        if self.failed_seq == now.seq:
            return newest
        position, held, state = Position(now.epoch, now.seq), now.held, now.state
        table = self._newest.table
        if have is not None and have.epoch == now.epoch and deltas and state and table:
            missed = table.since(have.seq, state, now.seq)
        began = time.monotonic()
        try:
            nothing = Snapshot(position, _NO_BODY, now.sent_at, now.sent_time, now.source)
            if state is not None and have is not None and missed is not None:
                snapshot = self._delta(state, missed, have.seq, nothing)
                if snapshot is not None:
                    return snapshot
            if newest is not None and newest.position == position:
                return newest
            body = self._encode(held.frame) if state is None else _whole(state)
        except Exception as error:
            self.failed_seq = position.seq
            self._newest.failure = f"can't encode frame {position.seq}: {safe_str(error):.200}"
            if self._failures == 0:
                tell(_log, "table %r: %s", self._name, self._newest.failure, error=error)
            self._failures += 1
            return newest if have != self.shown else None
        finally:
            self._took = time.monotonic() - began
        self._newest.failure = None
        snapshot = replace(nothing, body=body)
        if self._newest.now.seq == position.seq or self._newest.now.state is None:
            self._newest.encoded = snapshot
        # Drop the frame once it is encoded: while it is held, the producer's next write into its
        # own frame copies a column. Set `encoded` first: readers must find the frame or its bytes.
        if self._newest.encoded is snapshot:
            held.frame = None
        return snapshot

    def _delta(
        self, state: State, missed: Difference, since: int, now: Snapshot
    ) -> Snapshot | None:
        """Return the changes since a seq. Viewers that ask for the same seq share one delta."""
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


class LateEncoder:
    """Imports Arrow when the first viewer asks, so that a producer starts fast."""

    def __init__(self, *, is_local: bool) -> None:
        self._is_local = is_local
        self._encode: Any = None

    def __call__(self, captured: Captured) -> Body:
        if hasattr(captured.frame, "labels"):  # a state received from a feed or read from a tape
            loaded("livetable.feed.rows.replica")
            from livetable.feed.rows.replica import body_of

            return Body(body_of(captured.frame), *captured.shape)
        if self._encode is None:
            loaded("livetable.feed.frames.encoder")
            from livetable.feed.buffers.shared import SharedRoom
            from livetable.feed.frames.encoder import Encoder

            self._encode = Encoder(SharedRoom() if self._is_local else None)
        body: Body = self._encode(captured)
        return body


_MOST_ENCODING: Final = 8


class SideEncoding:
    """Encodes slow tables in side threads, each table in one thread at a time.

    Its methods are called in the feed's thread.

    Args:
        post: Runs a job in the feed's thread.
        news: Answers the viewers that wait for a table.
    """

    def __init__(
        self, post: Callable[[Callable[[], None]], None], news: Callable[[TableState], None]
    ) -> None:
        self._post = post
        self._news = news
        self._preparing: set[TableState] = set()
        self._queue: deque[tuple[TableState, Position | None, bool]] = deque()
        self._after: dict[TableState, list[Callable[[], None]]] = {}

    def prepare(self, table: TableState, have: Position | None, deltas: bool) -> None:
        """Encode what a viewer at `have` needs, then answer the viewers that wait for the table."""
        if table in self._preparing:
            return
        self._preparing.add(table)
        self._queue.append((table, have, deltas))
        self._encode_next()

    def prepare_last(self, table: TableState, finish: Callable[[], None]) -> None:
        """Encode a whole slow table, answer its viewers, then call `finish`."""
        self._after.setdefault(table, []).append(finish)
        self.prepare(table, None, False)

    def _encode_next(self) -> None:
        if self._queue and len(self._preparing) - len(self._queue) < _MOST_ENCODING:
            table, have, deltas = self._queue.popleft()
            try:
                start_thread(lambda: self._encode(table, have, deltas))
            except RuntimeError:  # no more threads
                self._encode(table, have, deltas)

    def _encode(self, table: TableState, have: Position | None, deltas: bool) -> None:
        snapshot = None
        try:
            with Pausing():
                snapshot = table.since(have, deltas=deltas)
        finally:

            def done() -> None:
                self._preparing.discard(table)
                table.encoding.prepared = snapshot
                self._news(table)
                for finish in self._after.pop(table, ()):
                    finish()
                self._encode_next()

            self._post(done)
