"""Who waits for news, by table, and who of them is due for an answer without any."""

from __future__ import annotations

from typing import Final

from livetable.feed.protocol.messages import IDLE_SECONDS, Want
from livetable.feed.server.peer import MOST_WAITING, Peer
from livetable.feed.server.peers import Peers
from livetable.feed.server.viewer import Session

MAX_WANTS: Final = 10_000
"""Wants that wait at one endpoint; for more the connection goes that has most of them."""


class Waiting:
    """The sessions of one endpoint that wait.

    Args:
        peers: The connections that they come by.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._by_table: dict[str | None, dict[Session, None]] = {}
        self._due: dict[Session, None] = {}
        """In the order in which they began to wait: so the first one is due first."""

    def __contains__(self, table: str | None) -> bool:
        return table in self._by_table

    def of(self, table: str | None) -> list[tuple[Session, Want]]:
        """Return who waits for a table, and with which want."""
        waiting = self._by_table.get(table, ())
        return [(one, one.wait) for one in waiting if one.wait is not None]

    def has_place(self, peer: Peer) -> bool:
        """Tell whether one more want of a connection may wait."""
        if peer.fd is None:
            return len(self._due) < MAX_WANTS
        if len(self._due) >= MAX_WANTS:
            self._peers.send_greediest_away(peer, lambda one: one.waiting)
        return len(self._due) < MAX_WANTS and peer.waiting < MOST_WAITING

    def add(self, session: Session, want: Want, now: float) -> None:
        """Have a want wait, in place of one of the same session."""
        # A want that is repeated goes on waiting: its idle answer is due when the first one's was.
        before = session.wait
        since = session.since if before and before.number == want.number else now
        if since == now:  # behind those that are due before it
            self.stop(session)
        if session.wait is None:
            session.viewer.peer.waiting += 1
        session.wait, session.since = want, since
        self._by_table.setdefault(session.table, {})[session] = None
        self._due[session] = None

    def stop(self, session: Session) -> None:
        """Have a session wait no more."""
        if session.wait is None:
            return
        session.wait = None
        session.viewer.peer.waiting -= 1
        del self._due[session]
        waiting = self._by_table[session.table]
        del waiting[session]
        if not waiting:
            del self._by_table[session.table]

    def due(self, now: float) -> list[tuple[Session, Want]]:
        """Return who has waited long enough, and with which want."""
        found = []
        for one in self._due:
            if one.since + IDLE_SECONDS > now:
                break
            if one.wait is not None:
                found.append((one, one.wait))
        return found

    @property
    def deadline(self) -> float | None:
        """When the first one is due, None if nobody waits."""
        first = next(iter(self._due), None)
        return None if first is None else first.since + IDLE_SECONDS
