"""Limits the memory of bodies that are on their way to the viewers of an endpoint."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Position, Want
from livetable.feed.server.peer import Sent
from livetable.feed.server.peers import Peers
from livetable.feed.server.table_state import TableState
from livetable.feed.server.viewers import Session, Transfer

FREE_BYTES: Final = 64 << 20
"""The most bytes on their way from an endpoint, beside `FREE_BODIES` of each table."""

FREE_BODIES: Final = 3
"""This many frames of each table may be on their way, whatever their size."""

MESSAGE_BYTES: Final = 1_000
"""The memory that a message takes in addition to its body."""

SHARED_BYTES: Final = 1 << 20
"""Bodies of at least this size are kept while they are on their way, to send them to others too."""

_RECOUNT_SECONDS: Final = 0.05
_FEW: Final = 16

At = tuple[str, str, int, int | None]
"""What identifies a body: table, epoch, seq, and the seq that a delta starts at."""


def place_of(table: str, snapshot: Snapshot) -> At:
    """Return what identifies a body."""
    return table, snapshot.position.epoch, snapshot.position.seq, snapshot.since


class _Body:
    """A body that at least one viewer has not taken yet."""

    __slots__ = ("fetching", "sents", "size", "snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self.size = len(snapshot.body.data)
        is_shared = snapshot.since is None and self.size >= SHARED_BYTES
        self.snapshot = snapshot if is_shared else None
        self.sents: deque[Sent] = deque()
        self.fetching = 0

    def is_free(self) -> bool:
        """Drop the messages that were taken. Return whether nobody needs the body any more."""
        while self.sents and self.sents[0].done:
            self.sents.popleft()
        return not self.sents and self.fetching <= 0


class Unsent:
    """The bodies on their way. A body that is sent to many viewers counts once."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[At, _Body]] = {}
        self._bytes = 0
        self._looked_at = 0.0

    def __bool__(self) -> bool:
        return bool(self._tables)

    def is_full(self, table: str, now: float, size: int = 1) -> bool:
        """Tell whether a new body of a table has to wait.

        Args:
            table: The table's name.
            now: The time.
            size: The body's size in bytes.
        """
        return not self._has_free_frame(table) and not self._has_room(size, now)

    def admits(self, table: str, snapshot: Snapshot, now: float) -> bool:
        """Tell whether a body may be sent."""
        if place_of(table, snapshot) in self._tables.get(table, ()):
            return True
        return not self.is_full(table, now, len(snapshot.body.data))

    def add(self, table: str, snapshot: Snapshot, message: Sent) -> None:
        """Count a message that carries a body, or a part of one."""
        body = self._body(table, snapshot)
        body.sents.append(message)
        body.size += MESSAGE_BYTES
        self._bytes += MESSAGE_BYTES

    def fetched(self, table: str, snapshot: Snapshot, by: int) -> None:
        """Add to the number of viewers that fetch a body part by part (`by` may be negative)."""
        self._body(table, snapshot).fetching += by

    def newest(self, table: str) -> Snapshot | None:
        """Return the newest whole table that is on its way to a viewer, None if none is."""
        snapshots = (body.snapshot for body in self._tables.get(table, {}).values())
        return max(
            (snapshot for snapshot in snapshots if snapshot is not None),
            key=lambda snapshot: snapshot.position.seq,
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
        place = place_of(table, snapshot)
        if place not in bodies:
            bodies[place] = _Body(snapshot)
            self._bytes += bodies[place].size
        return bodies[place]

    def _has_free_frame(self, table: str) -> bool:
        # Only for a few bodies: checking many would take too long on each call.
        if FREE_BODIES <= len(self._tables.get(table, ())) <= _FEW:
            self.let_go([table])
        return len(self._tables.get(table, ())) < FREE_BODIES

    def _has_room(self, size: int, now: float) -> bool:
        if self._bytes + size > FREE_BYTES and now - self._looked_at >= _RECOUNT_SECONDS:
            self._looked_at = now
            self.let_go()
        return self._bytes + size <= FREE_BYTES


Prepare: TypeAlias = Callable[[TableState, Position | None, bool], None]
"""Encodes in a side thread what a viewer at a position needs, then has `news` of the table called.

The third argument tells whether the viewer reads deltas."""

RETRY_SECONDS: Final = 0.02
"""A frame that could not be sent for lack of credit is tried again after this time."""

_FRESH_SECONDS: Final = 0.3
_LOOK_SECONDS: Final = 0.5  # between two checks of what is still on its way


class Admission:
    """Decides which bodies one endpoint may send now, and which are held back.

    Args:
        peers: The connections of the viewers.
        prepare: Encodes a slow table in a side thread. None: encode all tables at once.
        shares: Whether viewers may read bodies from this process's memory.
    """

    def __init__(self, peers: Peers, prepare: Prepare | None, *, shares: bool) -> None:
        self.unsent = Unsent()
        self._peers = peers
        self._prepare = prepare
        self._shares = shares
        self._fetching: dict[str, dict[Session, None]] = {}
        self._held: set[str] = set()
        """The tables whose news are held back from at least one viewer, for lack of credit."""
        self._retry_at = 0.0
        self._look_at = 0.0

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Within this context, encode bodies at once and send them by socket."""
        shares, prepare = self._shares, self._prepare
        self._shares, self._prepare = False, None  # shared memory may be gone before it is read
        try:
            yield
        finally:
            self._shares, self._prepare = shares, prepare

    def by_memory(self, snapshot: Snapshot, want: Want) -> bool:
        """Tell whether a viewer may read a body from this process's memory."""
        return self._shares and want.memory and snapshot.body.place is not None

    # -- what is held back -------------------------------------------------------------------------

    def hold(self, name: str, now: float) -> None:
        """Hold a table's news back, to try again later."""
        if name not in self._held:
            self._held.add(name)
            self._retry_at = now + RETRY_SECONDS

    def release(self, name: str) -> None:
        """Stop holding a table's news back."""
        self._held.discard(name)

    def is_held(self, name: str | None) -> bool:
        """Tell whether a table's news are held back."""
        return name in self._held

    def to_retry(self, now: float) -> list[str]:
        """Return the tables whose held-back news are due again."""
        return list(self._held) if self._held and self._retry_at <= now else []

    # -- what is on its way ------------------------------------------------------------------------

    def newer(self, table: TableState, have: Position | None, deltas: bool) -> Snapshot | None:
        """Return what a viewer lacks. None if it is up to date, or if a side thread encodes it."""
        if self._prepare is None or not table.encoding.is_slow:
            return table.since(have, deltas=deltas)
        if not table.has_news(have):
            return None
        made = table.encoding.prepared_for(have, deltas=deltas)
        if made is None:
            self._prepare(table, have, deltas)
        return made

    def admitted(self, table: TableState, want: Want, now: float, *, free: bool) -> Snapshot | None:
        """Return what to send a viewer now, None if there is nothing or it has to wait.

        If the newest frame has no room, return a frame that is on its way to others already, as
        long as it is newer than the viewer's.

        Args:
            table: The table.
            want: The viewer's request.
            now: The time.
            free: Whether this viewer's bodies are not counted.
        """
        if not table.has_news(want.have):
            return None
        if free or (self._shares and want.memory):  # takes no room, or is not counted
            snapshot = self.newer(table, want.have, want.deltas)
            if snapshot is None or free or snapshot.body.place is not None:
                return snapshot
        if self._has_room(table.name, 1, now):
            snapshot = self.newer(table, want.have, want.deltas)
            if snapshot is None or self.unsent.admits(table.name, snapshot, now):
                return snapshot
            if self._has_room(table.name, len(snapshot.body.data), now):
                return snapshot
        other, have = self.unsent.newest(table.name), want.have
        if other is not None and other.position.epoch == table.epoch:
            is_old = have is not None and have.epoch == table.epoch
            if not is_old or (have is not None and have.seq < other.position.seq):
                return other
        self.hold(table.name, now)
        return None

    def begin(self, session: Session, name: str, transfer: Transfer) -> None:
        """Begin a transfer: a viewer fetches a body part by part."""
        session.transfer = transfer
        self._fetching.setdefault(name, {})[session] = None
        self.unsent.fetched(name, transfer.snapshot, 1)

    def give_up(self, session: Session) -> None:
        """End a viewer's transfer, if it has one."""
        transfer, name = session.transfer, session.table
        if transfer is None or name is None:
            return
        session.transfer = None
        fetching = self._fetching[name]
        del fetching[session]
        if not fetching:
            del self._fetching[name]
        self.unsent.fetched(name, transfer.snapshot, -1)

    def fetching(self, name: str) -> list[tuple[Session, Transfer]]:
        """Return a table's transfers. The one without progress for the longest time comes first."""
        sessions = self._fetching.get(name, ())
        pairs = [(one, one.transfer) for one in sessions if one.transfer is not None]
        return sorted(pairs, key=lambda pair: pair[1].moved_at)

    def _has_room(self, name: str, size: int, now: float) -> bool:
        """Tell whether one more body of a table has room. Make room if necessary.

        Room is taken from the connection with the most transfers of the table, from stalled
        transfers, and from connections that do not read.
        """
        if not self.unsent.is_full(name, now, size):
            return True
        fetching = self.fetching(name)
        by_peer = Counter(session.viewer.peer for session, _ in fetching)
        greedy = {peer for peer, number in by_peer.most_common(1) if number > 1}
        for session, transfer in fetching:
            if transfer.is_given_up(now) or session.viewer.peer in greedy:
                self.give_up(session)
                self.unsent.let_go([name])
                if not self.unsent.is_full(name, now, size):
                    return True
        newest = self.unsent.newest(name)
        # A fresh body that is on its way already can be sent to this viewer, too: no need for room.
        if newest is None or now - newest.monotonic >= _FRESH_SECONDS:
            self._peers.send_away_who_does_not_read(now)
        return not self.unsent.is_full(name, now, size)

    def look(self, now: float) -> None:
        """Forget stalled transfers and bodies that nobody needs any more, if that is due."""
        if not self.unsent or self._look_at > now:  # no bodies: then there are no transfers either
            return
        self._look_at = now + _LOOK_SECONDS
        self._peers.look(now)
        for name in list(self._fetching):
            for session, transfer in self.fetching(name):
                if transfer.is_given_up(now):
                    self.give_up(session)
        self.unsent.let_go()

    def deadlines(self, now: float) -> list[float]:
        """Return when `look` and `to_retry` have something to do."""
        times = [self._retry_at] if self._held else []
        if self.unsent:
            times.append(max(self._look_at, now))
        return times
