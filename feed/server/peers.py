"""The connections to a process's endpoints: who is there, what each may take, who is sent away.

ZeroMQ tells of a message which descriptor it came by, and of a descriptor when it was accepted and
when it is gone. So each connection has an account, whatever it says it is. Where something is
short, the greediest goes first: its descriptor is shut, and ZeroMQ frees what it held for it. An
honest viewer that this happens to is back in a moment.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Final

from livetable.feed.server.peer import OwnLine, Peer

_WARY_SECONDS: Final = 10.0
"""So long newcomers are let do less from where somebody flooded."""

_LOOK_SECONDS: Final = 0.25

IDLE_SECONDS: Final = 5.0
"""Who has not asked for anything by then gives its place to a newcomer."""

GUESTS: Final = 32
GUEST_SECONDS: Final = 5.0
"""So many connections beyond the last place are told so, and for so long."""

_SAID_SECONDS: Final = 0.3  # until what it was told has gone out
_LEAST_PLACES: Final = 16
_MOST_PLACES: Final = 4_000


class Peers:
    """The connections to the endpoints of a process.

    Args:
        places: How many there may be; None: as many as leave the program what it needs.
    """

    def __init__(self, places: int | None = None) -> None:
        self._given = places
        self._there: dict[int, Peer] = {}
        self._looked_at = 0.0
        self._floods: dict[str, float] = {}

    @property
    def places(self) -> int:
        """How many connections there may be: at most a quarter of the process's descriptors."""
        return self._given if self._given is not None else _places()

    def __len__(self) -> int:
        return len(self._there)

    def came(self, fd: int, now: float, line: OwnLine | None = None) -> Peer:
        """Open the account of a connection that was accepted.

        Args:
            fd: Its descriptor.
            now: The time.
            line: The connection, where it is the feed's own.
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
        """Close the account of a connection that is gone."""
        peer.gone = True
        if peer.flooded_at is not None:
            self._floods.pop(peer.host, None)
            self._floods[peer.host] = peer.flooded_at  # the newest last
            while len(self._floods) > _MOST_PLACES:
                del self._floods[next(iter(self._floods))]
        if peer.fd is not None and self._there.get(peer.fd) is peer:
            del self._there[peer.fd]

    def send_greediest_away(self, newcomer: Peer, takes: Callable[[Peer], int]) -> None:
        """Make room for one more of what is short, if somebody has more of it than the newcomer.

        Args:
            newcomer: Who needs one.
            takes: How many of them a connection has.
        """
        present = [one for one in self._there.values() if not one.gone]
        greediest = max(present, key=takes, default=newcomer)
        if takes(greediest) > takes(newcomer) + 1:
            greediest.send_away()

    def look(self, now: float) -> None:
        """See who reads what is on its way."""
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            for peer in self._there.values():
                peer.look(now)

    def send_away_who_does_not_read(self, now: float) -> None:
        """Shut the connections to which nothing moves: what they hold is missed elsewhere."""
        self.look(now)
        for peer in list(self._there.values()):
            if not peer.reads(now):
                peer.send_away()

    def send_guests_away(self, now: float) -> None:
        """Shut the connections of guests that were told, or did not ask in time."""
        for peer in list(self._there.values()):
            if (due := _leaves_at(peer)) is not None and due <= now:
                peer.send_away()

    def deadline(self) -> float | None:
        """Return when `send_guests_away` has something to do, None if there are no guests."""
        times = [_leaves_at(peer) for peer in self._there.values() if peer.guest]
        return min((at for at in times if at is not None), default=None)

    def _who_leaves(self, newcomer: Peer, present: list[Peer], now: float) -> Peer:
        """Return who has no place: one that asks for nothing, else one of the greediest host's."""
        for peer in present:  # the oldest first
            if not peer.asked and not peer.topics and now - peer.since >= IDLE_SECONDS:
                return peer
        by_host = Counter(peer.host for peer in present if not peer.guest)
        host, most = by_host.most_common(1)[0]
        if by_host[newcomer.host] >= most - 1:  # of equal ones who was there first stays
            return newcomer
        of_it = [peer for peer in present if peer.host == host and not peer.guest]
        return of_it[-1]


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
