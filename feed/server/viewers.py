"""The viewers of an endpoint: their topics, a session for each table they look at, who waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import IDLE_SECONDS, Position, Want
from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.server.peer import MOST_PRIVATE, MOST_TOPICS, MOST_WAITING, Peer, Sent
from livetable.feed.server.peers import Peers

STALE_SECONDS: Final = 12.0
"""Who fetches a body and does not ask for its next part for so long has given it up."""


@dataclass(slots=True)
class Transfer:
    """A body of several parts on its way to one viewer.

    Attributes:
        snapshot: What is sent.
        parts: Its body, cut in parts.
        sent: How many parts were sent.
        known: How many parts the viewer said that it has.
        moved_at: When it last said so of one more.
        last: The part that was sent last.
    """

    snapshot: Snapshot
    parts: list[memoryview]
    sent: int = 0
    known: int = 0
    moved_at: float = 0.0
    last: Sent | None = None

    def is_given_up(self, now: float) -> bool:
        """Tell whether its viewer has all that was sent, and does not ask for more."""
        return now - self.moved_at >= STALE_SECONDS and (self.last is None or self.last.done)


@dataclass(slots=True, eq=False)
class Session:
    """How one viewer stands with one table.

    Attributes:
        viewer: Whose it is.
        table: The table's name; None is the catalogue.
        answered: Number of the want last answered: if repeated, it has its answer on its way.
        has: What was sent last.
        failure_told: Whether its failure was told: told at each want, it would be asked for ever.
        by_memory: Whether it was told where the body is, and did not say yet that it was read.
        wait: The want that waits for news.
        since: Since when it waits.
        transfer: The body that is got part by part.
    """

    viewer: Viewer
    table: str | None
    answered: int | None = None
    has: Position | None = None
    failure_told: bool = False
    by_memory: bool = False
    wait: Want | None = None
    since: float = 0.0
    transfer: Transfer | None = None

    @property
    def is_looked_at(self) -> bool:
        """Whether its viewer was answered, or waits for that."""
        return self.answered is not None or self.wait is not None

    def is_fetching(self, want: Want) -> bool:
        """Tell whether a want asks for the next part of what is got part by part."""
        return self.transfer is not None and self.transfer.snapshot.position == want.fetching


@dataclass(slots=True, eq=False)
class Viewer:
    """Where one viewer is answered, and what it looks at.

    Attributes:
        topic: The private topic that it is answered on.
        peer: Whose topic it is: only it may ask for answers on it.
        sessions: What it looks at, by table. It and they refer to each other: who deletes a viewer
            empties this, or both stay where the garbage collector is off.
    """

    topic: bytes
    peer: Peer
    sessions: dict[str | None, Session] = field(default_factory=dict)

    def session(self, table: str | None) -> Session:
        """Return its session with a table, begun if there is none."""
        found = self.sessions.get(table)
        if found is None:
            found = self.sessions[table] = Session(self, table)
        return found


MAX_TOPICS: Final = 20_000
"""Topics that viewers of one endpoint are subscribed to; for more the greediest goes."""

_PRIVATE: Final = b"@"


def is_private(topic: bytes) -> bool:
    """Tell whether a topic is a viewer's own, not the name of a table."""
    return topic.startswith(_PRIVATE)


class Subscriptions:
    """The topics of one endpoint and who listens to them.

    Args:
        peers: The connections that they come by.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._holders: dict[bytes, list[Peer]] = {}

    def owner(self, topic: bytes) -> Peer | None:
        """Return whose topic it is: who was there first of those that listen to it."""
        holders = self._holders.get(topic)
        return holders[0] if holders else None

    def add(self, topic: bytes, peer: Peer) -> bool:
        """Have a connection listen to a topic; tell whether it may."""
        holders = self._holders.get(topic)
        is_new = holders is None or peer not in holders
        if len(topic) > MAX_NAME or (is_new and not self._has_place(peer, topic)):
            return False
        if is_new or peer.fd is None:
            self._holders.setdefault(topic, []).append(peer)
            peer.topics.add(topic)
        return True

    def remove(self, topic: bytes, peer: Peer) -> bool:
        """Have a connection listen no more; False if it did not: another's is not its to end."""
        holders = self._holders.get(topic, [])
        if peer not in holders:
            return False
        holders.remove(peer)
        if peer not in holders:
            peer.topics.discard(topic)
        if not holders:
            del self._holders[topic]
        return True

    def _has_place(self, peer: Peer, topic: bytes) -> bool:
        """Tell whether a connection may listen to one more topic."""
        if peer.fd is not None and len(self._holders) >= MAX_TOPICS:
            self._peers.send_greediest_away(peer, lambda one: len(one.topics))
        if len(self._holders) >= MAX_TOPICS and topic not in self._holders:
            return False
        if peer.fd is None:
            return True
        private = sum(map(is_private, peer.topics))
        most = MOST_PRIVATE if is_private(topic) else MOST_TOPICS
        return len(peer.topics) < MOST_TOPICS and (most != MOST_PRIVATE or private < most)


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
        sessions = []
        for session in self._due:
            if session.since + IDLE_SECONDS > now:
                break
            if session.wait is not None:
                sessions.append((session, session.wait))
        return sessions

    @property
    def deadline(self) -> float | None:
        """When the first one is due, None if nobody waits."""
        first = next(iter(self._due), None)
        return None if first is None else first.since + IDLE_SECONDS
