"""The connections to a process's endpoints. Decides which to close when a resource runs out.

Each connection has its own account (`Peer`), whatever the viewer claims to be: ZeroMQ tells which
descriptor a message came from, and when a descriptor is accepted and closed. When a resource runs
out, the connection that uses most of it is shut down, and its memory is freed. An honest viewer
reconnects at once.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Final

from livetable.feed.server.peer import OwnLine, Peer

_WARY_SECONDS: Final = 10.0
"""After a flood, new connections from the same host get a smaller budget for this long."""

_LOOK_SECONDS: Final = 0.25

IDLE_SECONDS: Final = 5.0
"""A connection that asked for nothing for this long may be closed to make place for a new one."""

GUESTS: Final = 32
GUEST_SECONDS: Final = 5.0
"""When all places are taken, this many more connections may stay for this long, to be told so."""

_SAID_SECONDS: Final = 0.3  # for the message to a guest to go out
_LEAST_PLACES: Final = 16
_MOST_PLACES: Final = 4_000


class Peers:
    """The connections to the endpoints of a process.

    Args:
        places: The most connections. None: a quarter of the process's descriptors, so that enough
            are left for the program.
    """

    def __init__(self, places: int | None = None) -> None:
        self._given = places
        self._there: dict[int, Peer] = {}
        self._looked_at = 0.0
        self._floods: dict[str, float] = {}

    @property
    def places(self) -> int:
        """The most connections."""
        return self._given if self._given is not None else _places()

    def __len__(self) -> int:
        return len(self._there)

    def came(self, fd: int, now: float, line: OwnLine | None = None) -> Peer:
        """Register a connection that was accepted. Close one if all places are taken.

        Args:
            fd: Its descriptor.
            now: The time.
            line: The connection, if it is the feed's own and not ZeroMQ's.
        """
        newcomer = Peer(fd, now, line)
        if now - self._floods.get(newcomer.host, -_WARY_SECONDS) < _WARY_SECONDS:
            newcomer.be_wary()
        self._there[fd] = newcomer
        present = [peer for peer in self._there.values() if not peer.gone]
        if sum(not peer.guest for peer in present) <= self.places:
            return newcomer
        victim = self._who_leaves(newcomer, present, now)
        if victim is not newcomer:
            victim.send_away()
        elif sum(peer.guest for peer in present) < GUESTS:
            newcomer.guest = True
        else:
            newcomer.send_away()
        return newcomer

    def left(self, peer: Peer) -> None:
        """Remove a closed connection."""
        peer.gone = True
        if peer.flooded_at is not None:
            self._floods.pop(peer.host, None)
            self._floods[peer.host] = peer.flooded_at  # at the end: the oldest is dropped first
            while len(self._floods) > _MOST_PLACES:
                del self._floods[next(iter(self._floods))]
        if peer.fd is not None and self._there.get(peer.fd) is peer:
            del self._there[peer.fd]

    def send_greediest_away(self, newcomer: Peer, takes: Callable[[Peer], int]) -> None:
        """Close the connection that uses most of a resource, if it uses more than the newcomer.

        Args:
            newcomer: The connection that needs one more.
            takes: Returns how many a connection uses.
        """
        present = [peer for peer in self._there.values() if not peer.gone]
        greediest = max(present, key=takes, default=newcomer)
        if takes(greediest) > takes(newcomer) + 1:
            greediest.send_away()

    def look(self, now: float) -> None:
        """Check which connections read what is on its way to them."""
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            for peer in self._there.values():
                peer.look(now)

    def send_away_who_does_not_read(self, now: float) -> None:
        """Close the connections that do not read: the memory they hold is needed for others."""
        self.look(now)
        for peer in list(self._there.values()):
            if not peer.reads(now):
                peer.send_away()

    def send_guests_away(self, now: float) -> None:
        """Close guests that were told that there is no place, or that did not ask in time."""
        for peer in list(self._there.values()):
            if (due := _leaves_at(peer)) is not None and due <= now:
                peer.send_away()

    def deadline(self) -> float | None:
        """Return when `send_guests_away` has something to do, None if there are no guests."""
        times = [_leaves_at(peer) for peer in self._there.values() if peer.guest]
        return min((at for at in times if at is not None), default=None)

    def _who_leaves(self, newcomer: Peer, present: list[Peer], now: float) -> Peer:
        """Return which to close: one that asks for nothing, else one of the host with the most."""
        for peer in present:  # the oldest first
            if not peer.asked and not peer.topics and now - peer.since >= IDLE_SECONDS:
                return peer
        by_host = Counter(peer.host for peer in present if not peer.guest)
        host, most = by_host.most_common(1)[0]
        if by_host[newcomer.host] >= most - 1:  # on a tie, the older connections stay
            return newcomer
        from_host = [peer for peer in present if peer.host == host and not peer.guest]
        return from_host[-1]


def _leaves_at(peer: Peer) -> float | None:
    if not peer.guest or peer.gone:
        return None
    return peer.since + GUEST_SECONDS if peer.told is None else peer.told + _SAID_SECONDS


def _places() -> int:
    if sys.platform == "win32":
        return _MOST_PLACES
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _MOST_PLACES
    return max(_LEAST_PLACES, min(limit // 4, _MOST_PLACES))
