"""A viewer's side of the protocol for one table: what to ask, and what an answer means.

No sockets and no clock: bytes and times come in, wants and news go out. One want is outstanding at
most; the next is asked for by `ask`, which is the viewer's credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from livetable.feed.buffers.pool import Room
from livetable.feed.errors import WireError
from livetable.feed.protocol.messages import MAX_BODY, WINDOW, WITH_BODY, Header, Position, Want

REPEAT_SECONDS: Final = 1.6
"""A want without any answer is repeated after this long (an idle answer takes one second)."""

GONE_SECONDS: Final = 2.6
"""A feed that leaves a want without any answer this long is gone (promised: within 3 s)."""

TRANSFER_SECONDS: Final = 12.0
"""In the middle of a snapshot it may take this long: its next part may crawl over a slow line."""

MISSES: Final = 3
"""After so many failures in a row to read its memory, a feed is asked to use the socket."""


@dataclass(frozen=True, slots=True)
class News:
    """An answer that is complete.

    Attributes:
        header: What the feed said; of a snapshot in parts, its last part's header.
        body: The snapshot's Arrow stream, None if the answer has none.
        heard: When it was complete, by the viewer's monotonic clock.
    """

    header: Header
    body: bytearray | bytes | memoryview | None
    heard: float


@dataclass(slots=True)
class _Assembly:
    """A body of which some parts have arrived.

    Attributes:
        header: The first part's header.
        data: A buffer of the announced size; pages take memory only once they are written.
        parts: Number of parts that have arrived.
        filled: Number of bytes that have arrived.
    """

    header: Header
    data: memoryview
    parts: int = 0
    filled: int = 0

    def add(self, frame: bytes | memoryview) -> bool:
        """Add bytes; tell whether they fitted."""
        import numpy as np

        piece = np.frombuffer(frame, dtype=np.uint8)
        end = self.filled + len(piece)
        if end > len(self.data):
            return False
        # NumPy releases the interpreter: key presses need not wait while 80 MB are copied.
        np.frombuffer(self.data, dtype=np.uint8)[self.filled : end] = piece
        self.filled = end
        return True


class Wanting:
    """What a viewer has of one table, and which want is outstanding.

    Args:
        topic: The viewer's private topic.
        table: The table's name, None for the catalogue.
        memory: Whether its bodies may be read from the feed's memory.
    """

    def __init__(self, topic: bytes, table: str | None, *, memory: bool = False) -> None:
        self._memory = memory
        self._misses = 0
        self._room = Room()
        self._want = Want(0, topic, table, deltas=table is not None, memory=memory)
        self._outstanding = False
        self._asked_at = 0.0
        self._said_at = 0.0
        self._heard_at = 0.0
        self._assembly: _Assembly | None = None
        self._told_gone = False

    @property
    def outstanding(self) -> bool:
        """Whether a want has not been answered yet."""
        return self._outstanding

    @property
    def progress(self) -> float | None:
        """Share of a body that has arrived, from 0 to 1; None if no body is on its way."""
        if self._assembly is None:
            return None
        return self._assembly.parts / max(1, self._assembly.header.parts)

    def ask(self, now: float) -> bytes:
        """Return the want for what is newer than the last news."""
        self._want = replace(self._want, number=self._want.number + 1)
        self._outstanding = True
        self._asked_at = self._said_at = now
        return self._want.encode()

    def forget(self) -> None:
        """Ask for the whole table next time: the last answer could not be used."""
        self._want = replace(self._want, have=None)

    def awaits(self, header: Header) -> bool:
        """Tell whether an answer whose body is in shared memory is expected.

        Raises:
            WireError: the want did not allow shared memory.
        """
        if not self._outstanding or header.want != self._want.number:
            return False
        if not self._want.memory or header.kind not in WITH_BODY:
            raise WireError("memory: this reader did not ask for it")
        return True

    def unread(self, now: float, *, written_over: bool = False) -> bytes:
        """Return a new want after a body could not be read from shared memory.

        Args:
            now: The time.
            written_over: Whether a newer body had overwritten it.
        """
        self._heard_at = now
        self._misses += not written_over
        # this time over the socket, which always works
        self._want = replace(self._want, memory=False)
        return self.ask(now)

    def _is_next(self, header: Header) -> bool:
        """Tell whether a delta changes what the viewer has."""
        have, position = self._want.have, header.position
        if have is None or position is None or header.want != self._want.number:
            return False
        return Position(position.epoch, header.since or 0) == have

    def deadline(self) -> float | None:
        """Return when `repeat` or `is_gone` may change, None while nothing is outstanding."""
        if not self._outstanding:
            return None
        since = max(self._asked_at, self._heard_at)
        repeat = max(self._said_at, self._heard_at) + REPEAT_SECONDS
        return repeat if self._told_gone else min(repeat, since + GONE_SECONDS)

    def tell_gone(self, now: float) -> bool:
        """Return True once when the feed is gone."""
        if self._told_gone or not self.is_gone(now):
            return False
        self._told_gone = True
        return True

    def repeat(self, now: float) -> bytes | None:
        """Return the want again if it has been without any answer for long, else None."""
        if self._outstanding and now - max(self._said_at, self._heard_at) >= REPEAT_SECONDS:
            self._said_at = now
            return self._want.encode()
        return None

    def is_gone(self, now: float) -> bool:
        """Tell whether the feed has left the want without any answer for too long."""
        since = max(self._asked_at, self._heard_at)
        patience = GONE_SECONDS if self._assembly is None else TRANSFER_SECONDS
        return self._outstanding and now - since >= patience

    def restart(self, now: float, topic: bytes | None = None) -> bytes | None:
        """Return the want to send on a new connection, None if nothing is outstanding.

        Args:
            now: The time.
            topic: The topic to answer on from now on, if it is another one.
        """
        self._drop_assembly()
        self._misses = 0  # another process may answer now
        self._want = replace(self._want, topic=topic or self._want.topic, memory=self._memory)
        if not self._outstanding:
            return None
        self._said_at = now
        return self._want.encode()

    def receive(
        self, header: Header, body: Sequence[bytes | memoryview], now: float
    ) -> tuple[News | None, bytes | None]:
        """Take in one answer.

        Returns:
            The news if this completes it, and a want to send if this is a part that frees others.

        Raises:
            WireError: the answer contradicts itself or an earlier part; it is forgotten.
        """
        self._heard_at = now
        self._told_gone = False
        if header.kind not in WITH_BODY:
            if header.kind == "end":
                # The end may come while the last frame is painted, or cross the next want.
                have = self._want.have
                if have is not None and header.position and header.position.epoch != have.epoch:
                    return None, None
            elif header.want != self._want.number or not self._outstanding:
                return None, None
            self._outstanding = False
            self._drop_assembly()
            if header.kind == "catalogue":
                self._want = replace(self._want, have=header.position)
            return News(header, None, now), None
        if header.position == self._want.have:
            return None, None  # a repeated want's second answer
        if header.kind == "delta" and not self._is_next(header):
            return None, None  # it changes a state that the viewer no longer has
        if header.parts == 1:
            data = body[0] if len(body) == 1 else b"".join(body)
            if len(data) != header.size:
                raise WireError(f"size: {header.size} bytes announced, {len(data)} received")
            return self._complete(header, data, now), None
        return self._receive_part(header, body, now)

    def _receive_part(
        self, header: Header, body: Sequence[bytes | memoryview], now: float
    ) -> tuple[News | None, bytes | None]:
        assembly = self._assembly
        if header.part == 0 and (assembly is None or assembly.header.position != header.position):
            try:
                room = self._room.take(min(header.size, MAX_BODY))
            except MemoryError:
                self._drop_assembly()
                raise WireError(
                    f"size: not enough memory for the {header.size:,} bytes announced"
                ) from None
            assembly = self._assembly = _Assembly(header, room)
        if assembly is None or assembly.header.position != header.position:
            return None, None  # the rest of a snapshot that was given up
        if header.part != assembly.parts:
            return None, None  # came twice
        fits = all(assembly.add(frame) for frame in body)
        assembly.parts += 1
        if not fits:
            self._drop_assembly()
            raise WireError(f"size: {header.size} bytes announced, more received")
        if assembly.parts == header.parts:
            if assembly.filled != header.size:
                self._drop_assembly()
                raise WireError(f"size: {header.size} bytes announced, fewer received")
            return self._complete(header, assembly.data, now), None
        self._want = replace(self._want, fetching=header.position, part=assembly.parts)
        # Half a window is asked for at once: the other half is on its way meanwhile.
        half = WINDOW // 2
        if assembly.parts % half == 0 and assembly.parts + half < header.parts:
            self._said_at = now
            return None, self._want.encode()
        return None, None

    def _complete(self, header: Header, data: bytes | bytearray | memoryview, now: float) -> News:
        self._drop_assembly()
        self._outstanding = False
        if header.memory is not None:
            self._misses = 0
        memory = self._memory and self._misses < MISSES
        self._want = replace(self._want, have=header.position, memory=memory)
        return News(header, data, now)

    def _drop_assembly(self) -> None:
        self._assembly = None
        self._want = replace(self._want, fetching=None, part=0)
