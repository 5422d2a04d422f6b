"""Which bodies may be on their way to viewers of an endpoint: there is memory for so many."""

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
"""Of all tables of an endpoint together so much may be on its way, and some frames of each."""

FREE_BODIES: Final = 3
"""So many frames of a table may always be on their way."""

MESSAGE_BYTES: Final = 1_000
"""What a message takes beside its body."""

SHARED_BYTES: Final = 1 << 20
"""A body from this size on is kept while it is on its way, to be sent to others too."""

_RECOUNT_SECONDS: Final = 0.05
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
        place = place_of(table, snapshot)
        if place not in bodies:
            bodies[place] = _Body(snapshot)
            self._bytes += bodies[place].size
        return bodies[place]

    def _has_free_frame(self, table: str) -> bool:
        # Of many it takes too long each time.
        if FREE_BODIES <= len(self._tables.get(table, ())) <= _FEW:
            self.let_go([table])
        return len(self._tables.get(table, ())) < FREE_BODIES

    def _has_room(self, size: int, now: float) -> bool:
        if self._bytes + size > FREE_BYTES and now - self._looked_at >= _RECOUNT_SECONDS:
            self._looked_at = now
            self.let_go()
        return self._bytes + size <= FREE_BYTES


Prepare: TypeAlias = Callable[[TableState, Position | None, bool], None]
"""Encodes beside the feed's thread what a viewer at a position needs, and whether it reads deltas;
then has `news` of the table called."""

RETRY_SECONDS: Final = 0.02
"""What could not be sent for lack of credit is tried again after this long."""

_FRESH_SECONDS: Final = 0.3
_LOOK_SECONDS: Final = 0.5  # so often it is seen what is still on its way


class Admission:
    """The bodies on their way from one endpoint, and what is held back meanwhile.

    Args:
        peers: The connections that they go by.
        prepare: Encodes what a viewer needs of a slow table; None: all is encoded at once.
        shares: Whether viewers may be told to read bodies from this process's memory.
    """

    def __init__(self, peers: Peers, prepare: Prepare | None, *, shares: bool) -> None:
        self.unsent = Unsent()
        self._peers = peers
        self._prepare = prepare
        self._shares = shares
        self._fetching: dict[str, dict[Session, None]] = {}
        self._held: set[str] = set()
        """Tables of which somebody is not sent the news that there are, for lack of credit."""
        self._retry_at = 0.0
        self._look_at = 0.0

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Have bodies sent now and whole: nothing is left for later."""
        shares, prepare = self._shares, self._prepare
        self._shares, self._prepare = False, None  # the memory may be gone before it is read
        try:
            yield
        finally:
            self._shares, self._prepare = shares, prepare

    def by_memory(self, snapshot: Snapshot, want: Want) -> bool:
        """Tell whether a viewer can read a body from this process's memory."""
        return self._shares and want.memory and snapshot.body.place is not None

    # -- what is held back -------------------------------------------------------------------------

    def hold(self, name: str, now: float) -> None:
        """Try a table's news again later; they were not sent."""
        if name not in self._held:
            self._held.add(name)
            self._retry_at = now + RETRY_SECONDS

    def release(self, name: str) -> None:
        """Hold a table's news back no more."""
        self._held.discard(name)

    def is_held(self, name: str | None) -> bool:
        """Tell whether somebody is not sent the news of a table."""
        return name in self._held

    def to_retry(self, now: float) -> list[str]:
        """Return the tables whose news are to be tried again."""
        return list(self._held) if self._held and self._retry_at <= now else []

    # -- what is on its way ------------------------------------------------------------------------

    def newer(self, table: TableState, have: Position | None, deltas: bool) -> Snapshot | None:
        """Return what a viewer needs, None if it has it, or if that is being encoded."""
        if self._prepare is None or not table.encoding.is_slow:
            return table.since(have, deltas=deltas)
        if not table.has_news(have):
            return None
        made = table.encoding.prepared_for(have, deltas=deltas)
        if made is None:
            self._prepare(table, have, deltas)
        return made

    def admitted(self, table: TableState, want: Want, now: float, *, free: bool) -> Snapshot | None:
        """Return what a viewer needs, if there is memory for it to be on its way.

        Else what is on its way to others, if that is newer than what it has.

        Args:
            table: The table.
            want: What the viewer asks for.
            now: The time.
            free: Whether nobody counts what is on its way to it.
        """
        if not table.has_news(want.have):
            return None
        if free or (self._shares and want.memory):  # nothing is on its way then, or nobody knows
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
        """Note that a viewer gets a body of a table part by part."""
        session.transfer = transfer
        self._fetching.setdefault(name, {})[session] = None
        self.unsent.fetched(name, transfer.snapshot, 1)

    def give_up(self, session: Session) -> None:
        """End what a viewer gets part by part, if there is anything."""
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
        """Return who gets a table part by part, who was not heard for the longest time first."""
        there = self._fetching.get(name, ())
        pairs = [(one, one.transfer) for one in there if one.transfer is not None]
        return sorted(pairs, key=lambda pair: pair[1].moved_at)

    def _has_room(self, name: str, size: int, now: float) -> bool:
        """Tell whether there is room for one body more of a table, made if need be.

        It is taken from who fetches the table too often, or not on, and from who does not read.
        """
        if not self.unsent.is_full(name, now, size):
            return True
        fetching = self.fetching(name)
        by_peer = Counter(session.viewer.peer for session, _ in fetching)
        greedy = {peer for peer, number in by_peer.most_common(1) if number > 1}
        for session, one in fetching:
            if one.is_given_up(now) or session.viewer.peer in greedy:
                self.give_up(session)
                self.unsent.let_go([name])
                if not self.unsent.is_full(name, now, size):
                    return True
        newest = self.unsent.newest(name)
        if newest is None or now - newest.monotonic >= _FRESH_SECONDS:  # else it will do for others
            self._peers.send_away_who_does_not_read(now)
        return not self.unsent.is_full(name, now, size)

    def look(self, now: float) -> None:
        """Let go of what nobody needs any more, if it is time to."""
        if not self.unsent or self._look_at > now:  # a body that somebody fetches is unsent
            return
        self._look_at = now + _LOOK_SECONDS
        self._peers.look(now)
        for name in list(self._fetching):
            for session, one in self.fetching(name):
                if one.is_given_up(now):
                    self.give_up(session)
        self.unsent.let_go()

    def deadlines(self, now: float) -> list[float]:
        """Return when `look` and `to_retry` have something to do."""
        times = [self._retry_at] if self._held else []
        if self.unsent:
            times.append(max(self._look_at, now))
        return times
