"""A connection and its account: how much it may say, get and hold, and what is on its way to it."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from livetable.feed.base.native import original

Frames: TypeAlias = Sequence[bytes | memoryview]
"""The frames of one message; the first is its topic."""


class Sent(Protocol):
    """A message on its way."""

    @property
    def done(self) -> bool:
        """Whether no peer needs it any more."""
        ...


Send: TypeAlias = Callable[[Frames], Sent]
"""Sends one message of several frames; tells when it is done."""


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


def ends_of(fd: int) -> Ends | None:
    """Return which connection a descriptor is of, None if that can't be known."""
    with contextlib.suppress(OSError), _held(fd) as connection:
        local, remote = connection.getsockname(), connection.getpeername()
        if connection.family != getattr(socket, "AF_UNIX", None):
            return Ends(local, remote, str(remote[0]))
        host = ""
        if hasattr(socket, "SO_PEERCRED"):
            pid, *_ = struct.unpack(
                "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            )
            host = f"process {pid}"
        return Ends(local, remote, host)
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

STILL_SECONDS: Final = 3.0
"""A connection to which nothing moves for so long, though there is something, is not read."""

STILL_PUBLIC_SECONDS: Final = 0.5
"""The same of a plain subscriber: it is sent more without having asked for it."""

_WARY: Final = 50
"""From where somebody flooded newcomers may say and get only so much at once for a while."""


class OwnLine(Protocol):
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

    def __init__(
        self, fd: int | None = None, now: float = 0.0, line: OwnLine | None = None
    ) -> None:
        self.fd = fd
        self._line = line
        self.ends = None if fd is None else ends_of(fd)
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


def _drop_done(messages: deque[Sent]) -> None:
    while messages and messages[0].done:
        messages.popleft()
