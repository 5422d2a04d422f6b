"""The viewers of an endpoint: their topics, their session for each table, and who waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import IDLE_SECONDS, Position, Want
from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.server.peer import MOST_PRIVATE, MOST_TOPICS, MOST_WAITING, Peer, Sent
from livetable.feed.server.peers import Peers

STALE_SECONDS: Final = 12.0
"""A transfer is given up if the viewer does not ask for the next part for this long."""


@dataclass(slots=True)
class Transfer:
    """A body of several parts on its way to one viewer.

    Attributes:
        snapshot: The frame that is sent.
        parts: Its body, split into parts.
        sent: How many parts were sent.
        known: How many parts the viewer has confirmed.
        moved_at: When that number last grew.
        last: The part that was sent last.
    """

    snapshot: Snapshot
    parts: list[memoryview]
    sent: int = 0
    known: int = 0
    moved_at: float = 0.0
    last: Sent | None = None

    def is_given_up(self, now: float) -> bool:
        """Tell whether the viewer has received all sent parts, and does not ask for more."""
        return now - self.moved_at >= STALE_SECONDS and (self.last is None or self.last.done)


@dataclass(slots=True, eq=False)
class Session:
    """One viewer's requests for one table.

    Attributes:
        viewer: The viewer.
        table: The table's name. None: the catalogue.
        answered: Number of the request that was answered last. If it is repeated, its answer is
            already on its way.
        has: The position that was sent last.
        failure_told: Whether the viewer was told of the table's failure. Answered with it on each
            request, the viewer would ask again at once, for ever.
        by_memory: Whether the viewer was told where to read the body in memory, and has not
            confirmed it yet.
        wait: The request that waits for news.
        since: When it began to wait.
        transfer: The body that the viewer fetches part by part.
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
        """Whether the viewer was answered or waits for an answer."""
        return self.answered is not None or self.wait is not None

    def is_fetching(self, want: Want) -> bool:
        """Tell whether a request asks for the next part of the transfer."""
        return self.transfer is not None and self.transfer.snapshot.position == want.fetching


@dataclass(slots=True, eq=False)
class Viewer:
    """One viewer and its sessions.

    Attributes:
        topic: The private topic that it is answered on.
        peer: The connection that owns the topic. Only it may ask for answers on it.
        sessions: The sessions by table. Sessions and viewer refer to each other: empty this before
            you drop a viewer, or both leak in programs that turn the garbage collector off.
    """

    topic: bytes
    peer: Peer
    sessions: dict[str | None, Session] = field(default_factory=dict)

    def session(self, table: str | None) -> Session:
        """Return the session of a table. Begin one if there is none."""
        session = self.sessions.get(table)
        if session is None:
            session = self.sessions[table] = Session(self, table)
        return session


MAX_TOPICS: Final = 20_000
"""The most topics of one endpoint. For more, the connection with the most topics is closed."""

_PRIVATE: Final = b"@"


def is_private(topic: bytes) -> bool:
    """Tell whether a topic is a viewer's own, not the name of a table."""
    return topic.startswith(_PRIVATE)


class Subscriptions:
    """The topics of one endpoint and their subscribers.

    Args:
        peers: The connections of the process.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._holders: dict[bytes, list[Peer]] = {}

    def owner(self, topic: bytes) -> Peer | None:
        """Return the owner of a topic: its first subscriber."""
        holders = self._holders.get(topic)
        return holders[0] if holders else None

    def add(self, topic: bytes, peer: Peer) -> bool:
        """Subscribe a connection to a topic. Return whether it may."""
        holders = self._holders.get(topic)
        is_new = holders is None or peer not in holders
        if len(topic) > MAX_NAME or (is_new and not self._has_place(peer, topic)):
            return False
        if is_new or peer.fd is None:
            self._holders.setdefault(topic, []).append(peer)
            peer.topics.add(topic)
        return True

    def remove(self, topic: bytes, peer: Peer) -> bool:
        """Unsubscribe a connection from a topic. Return whether it was subscribed."""
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
        """Tell whether a connection may subscribe to one more topic."""
        if peer.fd is not None and len(self._holders) >= MAX_TOPICS:
            self._peers.send_greediest_away(peer, lambda other: len(other.topics))
        if len(self._holders) >= MAX_TOPICS and topic not in self._holders:
            return False
        if peer.fd is None:
            return True
        private = sum(map(is_private, peer.topics))
        most = MOST_PRIVATE if is_private(topic) else MOST_TOPICS
        return len(peer.topics) < MOST_TOPICS and (most != MOST_PRIVATE or private < most)


MAX_WANTS: Final = 10_000
"""The most requests that wait at one endpoint. For more, the connection with the most is closed."""


class Waiting:
    """The sessions of one endpoint that wait for news.

    Args:
        peers: The connections of the process.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._by_table: dict[str | None, dict[Session, None]] = {}
        self._due: dict[Session, None] = {}
        """The waiting sessions, longest wait first: `due` stops at the first that is not due."""

    def __contains__(self, table: str | None) -> bool:
        return table in self._by_table

    def of(self, table: str | None) -> list[tuple[Session, Want]]:
        """Return the sessions that wait for a table, with their requests."""
        waiting = self._by_table.get(table, ())
        return [(one, one.wait) for one in waiting if one.wait is not None]

    def has_place(self, peer: Peer) -> bool:
        """Tell whether one more request of a connection may wait."""
        if peer.fd is None:
            return len(self._due) < MAX_WANTS
        if len(self._due) >= MAX_WANTS:
            self._peers.send_greediest_away(peer, lambda other: other.waiting)
        return len(self._due) < MAX_WANTS and peer.waiting < MOST_WAITING

    def add(self, session: Session, want: Want, now: float) -> None:
        """Let a request wait. It replaces the session's earlier one."""
        # A repeated request keeps its start time. Restarted, it would never get its idle answer.
        before = session.wait
        since = session.since if before and before.number == want.number else now
        if since == now:  # a new wait: move it to the end of `_due`
            self.stop(session)
        if session.wait is None:
            session.viewer.peer.waiting += 1
        session.wait, session.since = want, since
        self._by_table.setdefault(session.table, {})[session] = None
        self._due[session] = None

    def stop(self, session: Session) -> None:
        """Let a session stop waiting."""
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
        """Return the sessions whose idle answer is due, with their requests."""
        sessions = []
        for session in self._due:
            if session.since + IDLE_SECONDS > now:
                break
            if session.wait is not None:
                sessions.append((session, session.wait))
        return sessions

    @property
    def deadline(self) -> float | None:
        """When the first idle answer is due, None if nobody waits."""
        first = next(iter(self._due), None)
        return None if first is None else first.since + IDLE_SECONDS
