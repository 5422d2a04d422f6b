"""What one process says to another whose table's name it took."""

from __future__ import annotations

import contextlib
from typing import Final

from livetable.feed.base.native import original
from livetable.feed.server.listening import sockets
from livetable.feed.server.zmtp import GREETING, command, framed

TAKEN: Final = b"\x03taken "
"""Begins what is said; the name follows."""


def say_taken(path: str, name: str) -> None:
    """Tell the process at a local socket that this one took a table's name from it."""
    socket = sockets()
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x04XSUB"
    message = TAKEN + name.encode()
    with (
        contextlib.suppress(OSError),
        original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as one,
    ):
        one.settimeout(1.0)
        one.connect(path)
        one.sendall(GREETING + command(ready))
        one.sendall(b"".join(bytes(piece) for piece in framed([message])))
        one.shutdown(socket.SHUT_WR)
        while one.recv(4096):  # until it is read
            pass
