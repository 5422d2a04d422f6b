"""ZMTP 3.0 as bytes (https://rfc.zeromq.org/spec/23): greeting, commands and frames of an XPUB.

Not libzmq's, for what a producer must be spared. libzmq ends the process when a viewer connects and
no descriptor is left; it takes all descriptors that viewers want; what it has open cannot be closed
in a forked child, where it keeps the port taken; and it cannot tell which peer unsubscribes.
Encrypted endpoints (CURVE) are libzmq's all the same: `KeyedSocket`.
"""

from __future__ import annotations

import struct
from typing import Final

from livetable.feed.server.sent import Frames

MORE, LONG, COMMAND = 1, 2, 4
"""Flags of a frame: another one follows, its length has eight bytes, it is a command."""

GREETING: Final = (
    b"\xff\0\0\0\0\0\0\0\x01\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32
)
READY: Final = b"\x05READY\x0bSocket-Type\0\0\0\x04XPUB"
PING: Final = b"\x04PING\x00\x00"


def command(body: bytes) -> bytes:
    """Return a command with its head."""
    return bytes((COMMAND, len(body))) + body


def framed(frames: Frames) -> list[bytes | memoryview]:
    """Return a message's frames with their heads; small ones joined to the next head."""
    pieces: list[bytes | memoryview] = []
    head = b""
    for at, frame in enumerate(frames):
        flags = MORE if at < len(frames) - 1 else 0
        size = len(frame)
        if size > 255:
            head += struct.pack(">BQ", flags | LONG, size)
        else:
            head += bytes((flags, size))
        if size < 4096:
            head += bytes(frame)
        else:
            pieces += [head, frame]
            head = b""
    return [*pieces, head] if head else pieces
