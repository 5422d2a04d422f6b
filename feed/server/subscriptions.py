"""Who listens to which topic of an endpoint, and how many one connection may."""

from __future__ import annotations

from typing import Final

from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.server.peer import MOST_PRIVATE, MOST_TOPICS, Peer
from livetable.feed.server.peers import Peers

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
