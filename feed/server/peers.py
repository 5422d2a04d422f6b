"""The connections to a process's endpoints: who is there, what each may take, who is sent away.

ZeroMQ tells of a message which descriptor it came by, and of a descriptor when it was accepted and
when it is gone. So each connection has an account, whatever it says it is. Where something is
short, the greediest goes first: its descriptor is shut, and ZeroMQ frees what it held for it. An
honest viewer that this happens to is back in a moment.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import zmq

from livetable.feed.base.native import original
from livetable.feed.server.sent import Sent

MOST_TOPICS: Final = 1_000
"""Topics that one connection listens to: a plain subscriber may name each table."""

MOST_PRIVATE: Final = 100
"""Topics for answers that one connection listens to; a viewer needs one."""

MOST_WAITING: Final = 1_000
"""Wants of one connection that wait."""

MOST_UNSENT: Final = 2_000
"""Messages on their way to one connection that does not read."""

MESSAGES: Final = 2_000
MESSAGES_A_SECOND: Final = 500
"""What a connection may say that is not answered: so many at once, and so many more a second."""

ANSWERS: Final = 500
ANSWERS_A_SECOND: Final = 2_000
"""Answers that a connection gets: so many at once, and so many a second. The rest wait."""

BODIES_AHEAD: Final = 2
"""Bodies of one table on their way to one connection: one, and one that was just taken."""

_FLOOD: Final = 1_000
"""Who says so much more than it may is sent away."""

_WARY_SECONDS: Final = 10.0
_WARY: Final = 50
"""From where somebody flooded newcomers may say and get only so much at once for a while."""

STILL_SECONDS: Final = 3.0
"""A connection to which nothing moves for so long, though there is something, is not read."""

STILL_PUBLIC_SECONDS: Final = 0.5
"""The same of a plain subscriber: it is sent more without having asked for it."""

_LOOK_SECONDS: Final = 0.25

IDLE_SECONDS: Final = 5.0
"""Who has not asked for anything by then gives its place to a newcomer."""

GUESTS: Final = 32
GUEST_SECONDS: Final = 5.0
"""So many connections beyond the last place are told so, and for so long."""

_SAID_SECONDS: Final = 0.3  # until what it was told has gone out
_LEAST_PLACES: Final = 16
_MOST_PLACES: Final = 4_000


class Line(Protocol):
    """A connection that is the feed's own, not ZeroMQ's.

    Attributes:
        unsent: Bytes on their way to it that the system has not taken yet.
        taken: Bytes that the system took.
    """

    unsent: int
    taken: int

    def cut(self) -> None:
        """Shut it and free what it held."""


class _Bucket:
    """So many at once, and so many more a second."""

    __slots__ = ("_filled", "_left", "_rate", "_room")

    def __init__(self, room: float, rate: float, now: float) -> None:
        self._room = self._left = room
        self._rate = rate
        self._filled = now

    def left(self, now: float) -> float:
        """Return how many there are now; fewer than none if more were taken."""
        self._left = min(self._room, self._left + (now - self._filled) * self._rate)
        self._filled = now
        return self._left

    def take(self, number: float) -> None:
        """Take so many, whether or not they are there; give them back where it is negative."""
        self._left -= number


class Peer:
    """A connection, and its account.

    Args:
        fd: Its descriptor, which is ZeroMQ's. None: nobody knows whose messages are whose, and
            nothing is held against anybody.
        now: The time.
        line: The connection, where it is the feed's own.
    """

    def __init__(self, fd: int | None = None, now: float = 0.0, line: Line | None = None) -> None:
        self.fd = fd
        self._line = line
        self.ends = None if fd is None else _ends_of(fd)
        self.since = now
        self.topics: set[bytes] = set()
        self.waiting = 0
        self.asked = False
        """Whether it ever wanted anything."""
        self.guest = False
        """Whether it came when there was no place for it."""
        self.told: float | None = None
        """When it was told so."""
        self.flooded_at: float | None = None
        """When it was sent away for saying too much."""
        self.gone = False
        """Whether it is gone, or was sent away."""
        self._says = _Bucket(MESSAGES, MESSAGES_A_SECOND, now)
        self._gets = _Bucket(ANSWERS, ANSWERS_A_SECOND, now)
        self._unsent: deque[Sent] = deque()
        self._bodies: dict[str, deque[Sent]] = {}
        self._moved = 0, 0
        self._still_since: float | None = None

    def be_wary(self) -> None:
        """Let it say and get only little at once."""
        self._says.take(MESSAGES - _WARY)
        self._gets.take(ANSWERS - _WARY)

    def says(self, now: float) -> bool:
        """Count a message of its; tell whether it is heard."""
        if self.fd is None:
            return True
        left = self._says.left(now)
        self._says.take(1)
        if left < -_FLOOD and not self.gone:
            self.flooded_at = now
            self.send_away()
        return left > 0 and not self.gone

    def may_get(self, now: float) -> bool:
        """Tell whether it is answered now, or later."""
        if self.fd is None:
            return True
        if self._gets.left(now) <= 0:
            return False
        if len(self._unsent) < MOST_UNSENT:
            return True
        _drop_done(self._unsent)
        if len(self._unsent) >= MOST_UNSENT and not self.is_behind:
            self._unsent.clear()  # what is not done is so on account of another that listens in
        return len(self._unsent) < MOST_UNSENT

    def got(self, sent: Sent) -> None:
        """Count an answer: who is answered may ask again."""
        if self.fd is not None:
            self._says.take(-1)
            self._gets.take(1)
            _drop_done(self._unsent)
            self._unsent.append(sent)

    def got_body(self, table: str, last: Sent) -> None:
        """Count a body, or some parts of one: `last` is the last of them."""
        if self.fd is not None:
            bodies = self._bodies.setdefault(table, deque())
            _drop_done(bodies)
            bodies.append(last)

    def has_credit(self, table: str, now: float) -> bool:
        """Tell whether it may be sent one more body of a table: it has taken those before."""
        if not self.may_get(now):
            return False
        bodies = self._bodies.get(table)
        if bodies is None:
            return True
        _drop_done(bodies)
        if len(bodies) >= BODIES_AHEAD:
            if self.is_behind:
                return False
            bodies.clear()
        if not bodies:
            del self._bodies[table]
        return True

    @property
    def is_behind(self) -> bool:
        """Whether there is something on its way that it has not read."""
        if self._line is not None and self._line.unsent:
            return True
        return self.fd is not None and queued(self.fd) > 0

    def look(self, now: float) -> None:
        """See what is on its way to it."""
        if self.fd is None:
            return
        line, before = self._line, self._moved
        held, unsent, taken = queued(self.fd), 0, 0
        if line is not None:
            unsent, taken = line.unsent, line.taken
        self._moved = held, taken
        if not held and not unsent:
            self._still_since = None
        elif self._moved != before or self._still_since is None:
            self._still_since = now

    def reads(self, now: float) -> bool:
        """Tell whether it took something of late of what was on its way, if anything was."""
        if self._still_since is None:
            return True
        is_public = any(not topic.startswith(b"@") for topic in self.topics)
        most = STILL_PUBLIC_SECONDS if is_public else STILL_SECONDS
        return now - self._still_since < most

    def send_away(self) -> None:
        """Shut its connection: ZeroMQ finds it so, and frees what it held for it."""
        if not self.gone and self.fd is not None:
            self.gone = True
            if self._line is not None:
                self._line.cut()
            elif self.ends is not None:
                shut(self.fd, self.ends)

    @property
    def host(self) -> str:
        """From where it came: the machine, or the process of this one."""
        return "" if self.ends is None else self.ends.host


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

    def came(self, fd: int, now: float, line: Line | None = None) -> Peer:
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
        present = [one for one in self._there.values() if not one.gone]
        if sum(not one.guest for one in present) <= self.places:
            return newcomer
        victim = self._who_leaves(newcomer, present, now)
        if victim is not newcomer:
            victim.send_away()
        elif sum(one.guest for one in present) < GUESTS:
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
        for one in present:  # the oldest first
            if not one.asked and not one.topics and now - one.since >= IDLE_SECONDS:
                return one
        by_host = Counter(one.host for one in present if not one.guest)
        host, most = by_host.most_common(1)[0]
        if by_host[newcomer.host] >= most - 1:  # of equal ones who was there first stays
            return newcomer
        of_it = [one for one in present if one.host == host and not one.guest]
        return of_it[-1]


def _drop_done(messages: deque[Sent]) -> None:
    while messages and messages[0].done:
        messages.popleft()


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


class Arrivals:
    """Hears from ZeroMQ who comes to a socket and who goes, and by whom a message came.

    Args:
        context: The socket's context.
        bound: The socket, which is not bound yet.
        peers: Who is there.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], bound: zmq.Socket[bytes], peers: Peers
    ) -> None:
        self._bound = bound
        self._peers = peers
        self._own: dict[int, Peer] = {}
        self.socket: zmq.Socket[bytes] | None = None
        """What can be read when there is something to hear; None where ZeroMQ does not tell."""
        where = f"inproc://livetable-arrivals-{id(bound)}"
        try:
            self.socket = context.socket(zmq.PAIR)
            self.socket.setsockopt(zmq.LINGER, 0)
            self.socket.setsockopt(zmq.RCVHWM, 0)  # ZeroMQ's thread would wait for us else
            bound.monitor(where, zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
            self.socket.connect(where)
        except zmq.ZMQError:  # no more descriptors
            self.close()

    def look(self, now: float) -> list[Peer]:
        """Take in who came and who went; return those that went."""
        went = []
        while self.socket is not None:
            try:
                event, fd = struct.unpack("=Hi", self.socket.recv_multipart(zmq.NOBLOCK)[0])
            except zmq.Again:
                break
            if event == zmq.EVENT_ACCEPTED:
                self._own[fd] = self._peers.came(fd, now)
            elif (peer := self._own.pop(fd, None)) is not None:
                self._peers.left(peer)
                went.append(peer)
        return went

    def heard(self, frames: Iterable[zmq.Frame], now: float) -> Iterator[tuple[bytes, Peer | None]]:
        """Yield the messages that are to be heard, and by whom they came, None if nobody knows.

        Those of who is gone, or says too much, are not.
        """
        for frame in frames:
            fd = self._fd_of(frame)
            peer = None if fd is None else self._own.get(fd)
            if fd is None or (peer is not None and not peer.gone and peer.says(now)):
                yield frame.bytes, peer

    def close(self) -> None:
        """Hear no more; who is there still is forgotten."""
        for peer in self._own.values():
            self._peers.left(peer)
        self._own.clear()
        if self.socket is not None:
            with contextlib.suppress(zmq.ZMQError):
                self._bound.monitor(None, 0)
            self.socket.close(0)
            self.socket = None

    def _fd_of(self, frame: zmq.Frame) -> int | None:
        try:
            return frame.get(zmq.SRCFD) if self.socket is not None else None
        except zmq.ZMQError:  # a connection's last word, said by ZeroMQ for it; or not told here
            return None


# -- descriptors that are ZeroMQ's -----------------------------------------------------------------


def queued(fd: int) -> int:
    """Return how many bytes the system holds that the other end of a connection has not taken.

    0 where that can't be known. The descriptor may be another's by now: nothing is changed.
    """
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    try:
        told: int = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:
        return 0
    return told


@dataclass(frozen=True, slots=True)
class Ends:
    """Which connection a descriptor was of when it was accepted.

    Attributes:
        here: Its address on this side.
        there: Its address on the other.
        host: From where it came: the machine, or the process of this one.
    """

    here: object
    there: object
    host: str


def shut(fd: int, ends: Ends) -> None:
    """Shut a connection, if the descriptor is still of that one and not of the program's own."""
    with contextlib.suppress(OSError), _held(fd) as one:
        if (one.getsockname(), one.getpeername()) == (ends.here, ends.there):
            one.shutdown(socket.SHUT_RDWR)


def _ends_of(fd: int) -> Ends | None:
    with contextlib.suppress(OSError), _held(fd) as one:
        here, there = one.getsockname(), one.getpeername()
        if one.family != getattr(socket, "AF_UNIX", None):
            return Ends(here, there, str(there[0]))
        host = ""
        if hasattr(socket, "SO_PEERCRED"):
            pid, *_ = struct.unpack("3i", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            host = f"process {pid}"
        return Ends(here, there, host)
    return None


def _held(fd: int) -> Any:
    """Return a connection by a descriptor of its own, which can't become another's meanwhile.

    Raises:
        OSError: it is none, or there are no more descriptors.
    """
    own = os.dup(fd)
    try:
        return original("socket", "socket")(fileno=own)  # gevent's would start a loop of its own
    except OSError:
        os.close(own)
        raise
