"""Plain subscribers of an endpoint: they subscribe to a table's name and are sent whole tables."""

from __future__ import annotations

from typing import Final

from livetable.feed.protocol.messages import Position, split
from livetable.feed.server.admission import Admission
from livetable.feed.server.answers import body_header
from livetable.feed.server.peer import Send, Sent
from livetable.feed.server.peers import Peers
from livetable.feed.server.table_state import TableState

PUBLIC_SECONDS: Final = 0.25
"""The least time between two snapshots of a table to plain subscribers."""

PUBLIC_BYTES: Final = 64 << 20
"""While this much of a table is on its way to plain subscribers, newer snapshots are skipped."""


class _Public:
    """What was sent to the plain subscribers of one table."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.next_at = 0.0
        self.on_their_way: list[tuple[Sent, int]] = []

    def has_room(self) -> bool:
        self.on_their_way = [pair for pair in self.on_their_way if not pair[0].done]
        return sum(size for _, size in self.on_their_way) < PUBLIC_BYTES


class PlainSubscribers:
    """Sends the tables of one endpoint to plain subscribers.

    Args:
        send: Sends a message.
        peers: The connections of the process.
        admission: Counts the bodies that are on their way.
    """

    def __init__(self, send: Send, peers: Peers, admission: Admission) -> None:
        self._send = send
        self._peers = peers
        self._admission = admission
        self._topics: set[bytes] = set()
        self.tables: dict[str, _Public] = {}
        """What was sent of each table that has, or just had, plain subscribers."""

    def subscribe(self, topic: bytes, tables: dict[str, TableState], now: float) -> None:
        """Begin to send the tables whose names begin with a topic."""
        self._topics.add(topic)
        for name, table in tables.items():
            if name.encode().startswith(topic):
                # Send the current frame to the new subscriber. The earlier ones get it again, too.
                self.tables.setdefault(name, _Public()).position = None
                table.wanted = True
                self.publish(table, now)

    def unsubscribe(self, topic: bytes) -> None:
        """Stop sending for a topic: its last subscriber left."""
        self._topics.discard(topic)

    def forget(self, name: str) -> None:
        """Forget what was sent of a table."""
        self.tables.pop(name, None)

    def publish(self, table: TableState, now: float) -> None:
        """Send a table if it has subscribers, has news, and is due."""
        if not self._has_subscribers(table.name):
            self.tables.pop(table.name, None)
            return
        public = self.tables.setdefault(table.name, _Public())
        if now < public.next_at:
            return
        if not public.has_room():
            self._peers.send_away_who_does_not_read(now)
            return
        if (snapshot := self._admission.newer(table, public.position, deltas=False)) is None:
            return
        header = body_header(table, snapshot, now)
        frames: list[bytes | memoryview] = [table.name.encode(), header.encode()]
        frames += split(snapshot.body.data)
        sent = self._send(frames)
        if len(self._peers):
            self._admission.unsent.add(table.name, snapshot, sent)
        public.on_their_way.append((sent, len(snapshot.body.data)))
        public.position = snapshot.position
        public.next_at = now + PUBLIC_SECONDS

    def have(self, table: TableState) -> bool:
        """Tell whether all plain subscribers of a table have its newest frame."""
        public = self.tables.get(table.name)
        if public is None or not self._has_subscribers(table.name):
            return True
        public.has_room()
        return not public.on_their_way and not table.has_news(public.position)

    def deadlines(self, tables: dict[str, TableState], now: float) -> list[float]:
        """Return when `publish` has something to do."""
        times = []
        for name, public in self.tables.items():
            table = tables.get(name)
            if table and table.has_news(public.position) and self._has_subscribers(name):
                times.append(max(public.next_at, now + 0.01))
        return times

    def _has_subscribers(self, name: str) -> bool:
        encoded = name.encode()
        return any(encoded.startswith(topic) for topic in self._topics)
