"""Which bodies may be on their way to viewers of an endpoint: there is memory for so many."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Position, Want
from livetable.feed.server.peers import Peers
from livetable.feed.server.table_state import TableState
from livetable.feed.server.unsent import Unsent
from livetable.feed.server.viewer import Session, Transfer

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
