"""The bodies of an endpoint that memory is kept for, since somebody has not taken them yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from livetable.feed.frames.body import Snapshot
from livetable.feed.server.sent import Sent

FREE_BYTES: Final = 64 << 20
"""Of all tables of an endpoint together so much may be on its way, and some frames of each."""

FREE_BODIES: Final = 3
"""So many frames of a table may always be on their way."""

MESSAGE_BYTES: Final = 1_000
"""What a message takes beside its body."""

SHARED_BYTES: Final = 1 << 20
"""A body from this size on is kept while it is on its way, to be sent to others too."""

_LOOK_SECONDS: Final = 0.05
_FEW: Final = 16

At = tuple[str, str, int, int | None]
"""What tells a body from others: table, epoch, seq, and the seq that it changes."""


def place_of(table: str, snapshot: Snapshot) -> At:
    """Return what tells a body from others."""
    return table, snapshot.position.epoch, snapshot.position.seq, snapshot.since


class _Body:
    """A body that somebody has not taken yet."""

    __slots__ = ("fetching", "sents", "size", "snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self.size = len(snapshot.body.data)
        is_shared = snapshot.since is None and self.size >= SHARED_BYTES
        self.snapshot = snapshot if is_shared else None
        self.sents: deque[Sent] = deque()
        self.fetching = 0

    def is_free(self) -> bool:
        """Let go of messages that are done; tell whether nobody needs the body any more."""
        while self.sents and self.sents[0].done:
            self.sents.popleft()
        return not self.sents and self.fetching <= 0


class Unsent:
    """Bodies on their way. Each counts once, to however many it is sent."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[At, _Body]] = {}
        self._bytes = 0
        self._looked_at = 0.0

    def __bool__(self) -> bool:
        return bool(self._tables)

    def is_full(self, table: str, now: float, size: int = 1) -> bool:
        """Tell whether a new body of a table has to wait: some frames of each always have room.

        Args:
            table: The table's name.
            now: The time.
            size: The body's bytes.
        """
        return not self._has_free_frame(table) and not self._has_room(size, now)

    def admits(self, table: str, snapshot: Snapshot, now: float) -> bool:
        """Tell whether a body may be sent."""
        if place_of(table, snapshot) in self._tables.get(table, ()):
            return True
        return not self.is_full(table, now, len(snapshot.body.data))

    def add(self, table: str, snapshot: Snapshot, message: Sent) -> None:
        """Count a message with a body, or with a part of one."""
        body = self._body(table, snapshot)
        body.sents.append(message)
        body.size += MESSAGE_BYTES
        self._bytes += MESSAGE_BYTES

    def fetched(self, table: str, snapshot: Snapshot, by: int) -> None:
        """Count who fetches a body part by part: one more, or one less."""
        self._body(table, snapshot).fetching += by

    def newest(self, table: str) -> Snapshot | None:
        """Return the newest whole table that is on its way to somebody, None if none is."""
        there = (one.snapshot for one in self._tables.get(table, {}).values())
        return max(
            (one for one in there if one is not None),
            key=lambda one: one.position.seq,
            default=None,
        )

    def let_go(self, tables: Iterable[str] | None = None) -> None:
        """Forget the bodies that nobody needs any more."""
        for table in list(self._tables if tables is None else tables):
            bodies = self._tables.get(table, {})
            for at in [at for at, one in bodies.items() if one.is_free()]:
                self._bytes -= bodies.pop(at).size
            if not bodies:
                self._tables.pop(table, None)

    def _body(self, table: str, snapshot: Snapshot) -> _Body:
        bodies = self._tables.setdefault(table, {})
        at = place_of(table, snapshot)
        if at not in bodies:
            bodies[at] = _Body(snapshot)
            self._bytes += bodies[at].size
        return bodies[at]

    def _has_free_frame(self, table: str) -> bool:
        # Of many it takes too long each time.
        if FREE_BODIES <= len(self._tables.get(table, ())) <= _FEW:
            self.let_go([table])
        return len(self._tables.get(table, ())) < FREE_BODIES

    def _has_room(self, size: int, now: float) -> bool:
        if self._bytes + size > FREE_BYTES and now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self.let_go()
        return self._bytes + size <= FREE_BYTES
