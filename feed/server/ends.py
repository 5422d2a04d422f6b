"""The two ends of a connection by its descriptor, which may be ZeroMQ's, or another's by now."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from livetable.feed.base.native import original


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
