"""ZMTP 3.0 as bytes (https://rfc.zeromq.org/spec/23): greeting, commands and frames of an XPUB.

The feed does not use libzmq here, because libzmq can harm the producer:

- It ends the process when a viewer connects and no descriptor is left.
- It takes as many descriptors as viewers ask for.
- A forked child can't close its sockets, so that they keep the port in use.
- It does not tell which peer unsubscribes.

Endpoints with keys do use libzmq, because it encrypts (CURVE): see `KeyedSocket`.
"""

from __future__ import annotations

import contextlib
import struct
from collections import deque
from typing import Any, Final

from livetable.feed.base.native import original
from livetable.feed.protocol.messages import MAX_WANT
from livetable.feed.server.listening import sockets
from livetable.feed.server.peer import Frames, Peer

MORE, LONG, COMMAND = 1, 2, 4
"""Flags of a frame: another frame follows, the length has eight bytes, the frame is a command."""

GREETING: Final = (
    b"\xff\0\0\0\0\0\0\0\x01\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32
)
READY: Final = b"\x05READY\x0bSocket-Type\0\0\0\x04XPUB"
PING: Final = b"\x04PING\x00\x00"


def command(body: bytes) -> bytes:
    """Return a command with its frame header."""
    return bytes((COMMAND, len(body))) + body


def framed(frames: Frames) -> list[bytes | memoryview]:
    """Return a message's frames with their headers. Small frames are joined to the next header."""
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


READ_BYTES: Final = 1 << 16
"""The most bytes of one read. While this many bytes are unsent, pings are not answered."""

_TURNED_AWAY_SECONDS: Final = 2.0


class SentMessage:
    """A message that was sent to some peers.

    Attributes:
        left: How many of them have not taken it yet.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    @property
    def done(self) -> bool:
        """Whether all peers have taken it or are gone."""
        return self.left <= 0


class Line:
    """One connection.

    Attributes:
        peer: Its limits.
        unsent: Bytes to send that the system has not taken yet.
        taken: Bytes that the system has taken.
    """

    peer: Peer

    def __init__(self, sock: Any, now: float, *, local: bool, turned_away: bool) -> None:
        self.socket = sock
        self.fd: int = sock.fileno()
        self.local = local
        self.turned_away = turned_away
        self.topics: dict[bytes, int] = {}
        self.out: deque[tuple[bytes | memoryview, SentMessage | None]] = deque()
        self.unsent = self.taken = 0
        self.came = self.heard = self.pinged = now
        self.until: float | None = now + _TURNED_AWAY_SECONDS if turned_away else None
        self.stage = 0  # 0: waits for the greeting; 1: waits for READY; 2: connected
        self._buffer = bytearray()
        self._in_parts = False
        self.closing = self.shut = self.told = False

    def put(self, piece: bytes | memoryview, sent: SentMessage | None = None) -> None:
        """Queue bytes for the next `flush`."""
        self.out.append((piece, sent))
        self.unsent += len(piece)

    def flush(self) -> bool:
        """Send as much as the socket takes. Return whether the connection is still open."""
        try:
            while self.out:
                pieces = [piece for piece, _ in _first(self.out, 64)]
                self._took(self.socket.sendmsg(pieces) if _SENDMSG else self.socket.send(pieces[0]))
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return True

    def _took(self, count: int) -> None:
        self.unsent -= count
        self.taken += count
        while self.out:
            piece, sent = self.out[0]
            if len(piece) > count:
                if count:
                    self.out[0] = memoryview(piece)[count:], sent
                return
            count -= len(piece)
            self.out.popleft()
            if sent is not None:
                sent.left -= 1

    def cut(self) -> None:
        """Shut the connection down and free its unsent messages. The next tick closes it."""
        self.closing = self.shut = True
        self.until = 0.0
        self._forget()
        with contextlib.suppress(OSError):
            self.socket.shutdown(sockets().SHUT_RDWR)

    def drop(self) -> None:
        """Close the connection."""
        self._forget()
        with contextlib.suppress(OSError):
            self.socket.close()

    def _forget(self) -> None:
        for _, sent in self.out:
            if sent is not None:
                sent.left -= 1
        self.out.clear()
        self.unsent = 0

    def read(self, data: bytes, now: float) -> list[bytes] | None:
        """Handle received bytes. Return the complete messages, None if this is not ZMTP."""
        self.heard = now
        self._buffer += data
        return self._messages()

    def _messages(self) -> list[bytes] | None:
        # Long, because it is one loop over bytes: a call per frame would cost more than the frame.
        buffer = self._buffer
        messages: list[bytes] = []
        if self.stage == 0:
            if (buffer and buffer[0] != 0xFF) or (len(buffer) > 9 and buffer[9] != 0x7F):
                return None
            if len(buffer) < 64:
                return messages
            if buffer[10] < 3 or bytes(buffer[12:32]).rstrip(b"\0") != b"NULL":
                return None
            del buffer[:64]
            self.stage = 1
            self.put(command(READY))
        place = 0
        while len(buffer) - place >= 2:
            flags = buffer[place]
            if flags > 7:
                return None
            if flags & LONG:
                if len(buffer) - place < 9:
                    break
                size, start = struct.unpack_from(">Q", buffer, place + 1)[0], place + 9
            else:
                size, start = buffer[place + 1], place + 2
            if size > 4 * MAX_WANT:
                return None
            if len(buffer) < start + size:
                break
            frame = bytes(buffer[start : start + size])
            place = start + size
            if flags & COMMAND:
                if not self._command(frame, messages):
                    return None
            elif self.stage < 2:
                return None
            else:
                more = bool(flags & MORE)
                if not more and not self._in_parts:
                    messages.append(frame)
                self._in_parts = more
        del buffer[:place]
        return messages

    def _command(self, frame: bytes, messages: list[bytes]) -> bool:
        if frame.startswith(b"\x05READY") and self.stage == 1:
            self.stage = 2
            return b"SUB" in frame
        if frame.startswith(b"\x04PING"):
            pong = b"\x04PONG" + frame[7:23]
            if self.unsent < READ_BYTES:  # a peer that floods and does not read gets no pongs
                self.put(command(pong))
        elif frame.startswith(b"\x09SUBSCRIBE"):
            messages.append(b"\x01" + frame[10:])
        elif frame.startswith(b"\x06CANCEL"):
            messages.append(b"\x00" + frame[7:])
        return not frame.startswith(b"\x05ERROR")


_SENDMSG: Final = hasattr(original("socket", "socket"), "sendmsg")


def _first(pieces: deque[Any], count: int) -> list[Any]:
    return [pieces[at] for at in range(min(count, len(pieces)))]


TAKEN: Final = b"\x03taken "
"""The start of the message that `say_taken` sends. The table's name follows."""


def say_taken(path: str, name: str) -> None:
    """Tell the process at a local socket that this process took a table's name from it."""
    socket = sockets()
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x04XSUB"
    message = TAKEN + name.encode()
    with (
        contextlib.suppress(OSError),
        original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
    ):
        connection.settimeout(1.0)
        connection.connect(path)
        connection.sendall(GREETING + command(ready))
        connection.sendall(b"".join(bytes(piece) for piece in framed([message])))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):  # wait until the other process has read it and closes
            pass
