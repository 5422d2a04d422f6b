"""A connection and its limits: how much it may send, receive and leave unread."""

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
    """A message that was sent to some peers."""

    @property
    def done(self) -> bool:
        """Whether all peers have taken it or are gone."""
        ...


Send: TypeAlias = Callable[[Frames], Sent]
"""Sends one message of several frames. The result tells when the peers have taken it."""


def queued(fd: int) -> int:
    """Return how many sent bytes the other end of a connection has not taken, 0 if unknown.

    Safe if the descriptor was reused meanwhile: it is only read.
    """
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    try:
        unread: int = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:
        return 0
    return unread


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a connection when it was accepted.

    Attributes:
        here: The address on this side.
        there: The address on the other side.
        host: The other machine, or the process on this machine.
    """

    here: object
    there: object
    host: str


def shut(fd: int, ends: Ends) -> None:
    """Shut a connection down, unless its descriptor was reused for something else meanwhile."""
    with contextlib.suppress(OSError), _held(fd) as connection:
        if (connection.getsockname(), connection.getpeername()) == (ends.here, ends.there):
            connection.shutdown(socket.SHUT_RDWR)


def ends_of(fd: int) -> Ends | None:
    """Return the ends of a descriptor's connection, None if they can't be read."""
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
    """Return a connection on a duplicate descriptor, which can't be reused while it is held.

    Raises:
        OSError: the descriptor is not a socket, or no descriptors are left.
    """
    own = os.dup(fd)
    try:
        return original("socket", "socket")(fileno=own)  # gevent's socket would start an event loop
    except OSError:
        os.close(own)
        raise


MOST_TOPICS: Final = 1_000
"""The most topics that one connection may subscribe to. A plain subscriber may name each table."""

MOST_PRIVATE: Final = 100
"""The most private topics (for answers) of one connection. A viewer needs one."""

MOST_WAITING: Final = 1_000
"""The most requests of one connection that may wait."""

MOST_UNSENT: Final = 2_000
"""The most messages on their way to one connection that does not read."""

MESSAGES: Final = 2_000
MESSAGES_A_SECOND: Final = 500
"""How many unanswered messages a connection may send: at once, and then per second."""

ANSWERS: Final = 500
ANSWERS_A_SECOND: Final = 2_000
"""How many answers a connection gets: at once, and then per second. Further ones wait."""

BODIES_AHEAD: Final = 2
"""The most bodies of one table on their way to one connection: the last may be just arriving."""

_FLOOD: Final = 1_000
"""A connection that exceeds its budget by this many messages is closed."""

STILL_SECONDS: Final = 3.0
"""A connection counts as unread if nothing of what is on its way moved for this long."""

STILL_PUBLIC_SECONDS: Final = 0.5
"""The same for a plain subscriber, which is sent frames without asking for each."""

_WARY: Final = 50
"""The budget of new connections from a host that flooded: messages and answers at once."""


class OwnLine(Protocol):
    """A connection that the feed handles itself, not ZeroMQ.

    Attributes:
        unsent: Bytes to send that the system has not taken yet.
        taken: Bytes that the system has taken.
    """

    unsent: int
    taken: int

    def cut(self) -> None:
        """Shut the connection down and free its unsent messages."""


class _Bucket:
    """A token bucket: so many at once, and so many more per second."""

    __slots__ = ("_filled", "_left", "_rate", "_room")

    def __init__(self, room: float, rate: float, now: float) -> None:
        self._room = self._left = room
        self._rate = rate
        self._filled = now

    def left(self, now: float) -> float:
        """Return how many tokens are left. Negative if more were taken."""
        self._left = min(self._room, self._left + (now - self._filled) * self._rate)
        self._filled = now
        return self._left

    def take(self, number: float) -> None:
        """Take tokens, even more than are left. A negative number gives tokens back."""
        self._left -= number


class Peer:
    """A connection and its limits.

    Args:
        fd: Its descriptor. None: the sender of messages is unknown, and no limits apply.
        now: The time.
        line: The connection, if it is the feed's own and not ZeroMQ's.
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
        """Whether it ever made a request."""
        self.guest = False
        """Whether it connected when all places were taken."""
        self.told: float | None = None
        """When it was told that there is no place."""
        self.flooded_at: float | None = None
        """When it was closed for sending too many messages."""
        self.gone = False
        """Whether it is closed."""
        self._says = _Bucket(MESSAGES, MESSAGES_A_SECOND, now)
        self._gets = _Bucket(ANSWERS, ANSWERS_A_SECOND, now)
        self._unsent: deque[Sent] = deque()
        self._bodies: dict[str, deque[Sent]] = {}
        self._moved = 0, 0
        self._still_since: float | None = None

    def be_wary(self) -> None:
        """Reduce the budget, because another connection of the same host flooded."""
        self._says.take(MESSAGES - _WARY)
        self._gets.take(ANSWERS - _WARY)

    def says(self, now: float) -> bool:
        """Count a message from this connection. Return whether to handle it."""
        if self.fd is None:
            return True
        left = self._says.left(now)
        self._says.take(1)
        if left < -_FLOOD and not self.gone:
            self.flooded_at = now
            self.send_away()
        return left > 0 and not self.gone

    def may_get(self, now: float) -> bool:
        """Tell whether to answer it now; if not, later."""
        if self.fd is None:
            return True
        if self._gets.left(now) <= 0:
            return False
        if len(self._unsent) < MOST_UNSENT:
            return True
        _drop_done(self._unsent)
        if len(self._unsent) >= MOST_UNSENT and not self.is_behind:
            self._unsent.clear()  # it has read all: another subscriber has not
        return len(self._unsent) < MOST_UNSENT

    def got(self, sent: Sent) -> None:
        """Count an answer. It gives back the budget for one request."""
        if self.fd is not None:
            self._says.take(-1)
            self._gets.take(1)
            _drop_done(self._unsent)
            self._unsent.append(sent)

    def got_body(self, table: str, last: Sent) -> None:
        """Count a body, or some parts of one. `last` is the last message of them."""
        if self.fd is not None:
            bodies = self._bodies.setdefault(table, deque())
            _drop_done(bodies)
            bodies.append(last)

    def has_credit(self, table: str, now: float) -> bool:
        """Tell whether to send it one more body of a table. Not before it took the earlier ones."""
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
        """Whether it has not read all that was sent to it."""
        if self._line is not None and self._line.unsent:
            return True
        return self.fd is not None and queued(self.fd) > 0

    def look(self, now: float) -> None:
        """Check whether it reads what is on its way to it."""
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
        """Tell whether it has read something lately, or had nothing to read."""
        if self._still_since is None:
            return True
        is_public = any(not topic.startswith(b"@") for topic in self.topics)
        most = STILL_PUBLIC_SECONDS if is_public else STILL_SECONDS
        return now - self._still_since < most

    def send_away(self) -> None:
        """Shut the connection down. ZeroMQ notices, and frees its memory for it."""
        if not self.gone and self.fd is not None:
            self.gone = True
            if self._line is not None:
                self._line.cut()
            elif self.ends is not None:
                shut(self.fd, self.ends)

    @property
    def host(self) -> str:
        """The other machine, or the process on this machine."""
        return "" if self.ends is None else self.ends.host


def _drop_done(messages: deque[Sent]) -> None:
    while messages and messages[0].done:
        messages.popleft()
