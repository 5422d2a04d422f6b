"""The connections to one endpoint without keys. Works like a ZeroMQ XPUB socket."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Final

from livetable.feed.base.native import original
from livetable.feed.protocol.messages import HEARTBEAT_TIMEOUT_MS
from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.server.listening import Spare, has_room, listening, sockets
from livetable.feed.server.peer import MOST_TOPICS, Frames
from livetable.feed.server.peers import Peers
from livetable.feed.server.zmtp import (
    GREETING,
    PING,
    READ_BYTES,
    Line,
    SentMessage,
    command,
    framed,
)

MOST_UNSENT: Final = 128 << 20
"""A connection with more unsent bytes than this is closed when it is sent another message."""

_HANDSHAKE_SECONDS: Final = 5.0
_PING_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = HEARTBEAT_TIMEOUT_MS / 1000
_LINGER_SECONDS: Final = 1.0
_AT_ONCE: Final = 64

Said = list[tuple[Line, bytes | None]]
"""Messages with their connections. None instead of a message: the connection is gone."""


class Streams:
    """One endpoint: its listening socket and its connections. Used only in the hub's thread.

    Args:
        endpoint: The endpoint, ``tcp://…`` or ``ipc://…``.
        peers: The limits of the connections to all endpoints of the process.

    Raises:
        BadEndpoint: the endpoint can't be bound.
    """

    def __init__(self, endpoint: str, peers: Peers) -> None:
        self.lines: dict[int, Line] = {}
        self._peers = peers
        self._by_topic: dict[bytes, dict[Line, None]] = {}
        self._public: dict[bytes, dict[Line, None]] = {}  # without private topics
        self._dirty: dict[Line, None] = {}
        self.local = endpoint.startswith("ipc://")
        self.socket, self.endpoint = listening(endpoint)
        self._spare = Spare()

    # -- polling -----------------------------------------------------------------------------------

    def descriptors(self) -> list[tuple[int, bool]]:
        """Return the descriptors to wait for. True: also wait until it can be written to."""
        descriptors = [(fd, bool(line.out)) for fd, line in self.lines.items()]
        if self.socket is not None and self._takes_more:
            descriptors.append((self.socket.fileno(), False))
        return descriptors

    @property
    def _takes_more(self) -> bool:
        # Turn away one viewer at a time. Polling for the others meanwhile would be a busy loop.
        return not any(line.turned_away for line in self.lines.values())

    def deadline(self, now: float) -> float | None:
        """Return when `tick` is due next, None if never."""
        times = []
        for line in self.lines.values():
            if line.until is not None:
                times.append(line.until)
            if line.stage < 2:
                times.append(line.came + _HANDSHAKE_SECONDS)
            elif not line.local:
                times.append(min(line.pinged + _PING_SECONDS, line.heard + _SILENT_SECONDS))
        return min(times, default=None)

    def tick(self, now: float) -> Said:
        """Close connections that are silent or too slow to connect. Return those that are gone."""
        messages: Said = []
        for line in list(self.lines.values()):
            late = line.stage < 2 and now >= line.came + _HANDSHAKE_SECONDS
            over = line.until is not None and now >= line.until
            silent = not line.local and now >= line.heard + _SILENT_SECONDS
            if late or over or silent:
                messages += self._gone(line)
            elif line.stage == 2 and not line.local and now >= line.pinged + _PING_SECONDS:
                line.pinged = now
                line.put(command(PING))
                self._dirty[line] = None
        return messages

    # -- connections -------------------------------------------------------------------------------

    def accept(self, now: float) -> None:
        """Accept waiting connections. Near the descriptor limit, only to tell them so."""
        for _ in range(_AT_ONCE):
            if self.socket is None or not self._takes_more:
                return
            reserve = False
            try:
                fd, _ = self.socket._accept()  # noqa: SLF001 - the bare descriptor
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._spare.give():
                    return
                reserve = True
                try:
                    fd, _ = self.socket._accept()  # noqa: SLF001 - the bare descriptor
                except OSError:
                    self._spare.keep()
                    return
            connection = original("socket", "socket")(fileno=fd)
            connection.setblocking(False)
            if not self.local:
                socket = sockets()
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            full = reserve or not has_room(fd)
            line = Line(connection, now, local=self.local, turned_away=full)
            line.peer = self._peers.came(fd, now, line)
            self.lines[fd] = line
            line.put(GREETING)
            self._dirty[line] = None

    def ready(self, fd: int, now: float) -> Said:
        """Read from a connection that is ready, and mark it for writing. Return what was read."""
        line = self.lines.get(fd)
        if line is None:
            return []
        try:
            data = line.socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            data = None
        except OSError:
            return self._gone(line)
        if data == b"":
            return self._gone(line)
        if data and not line.closing:
            messages = line.read(data, now)
            if messages is None:
                return self._gone(line)
            if line.out:
                self._dirty[line] = None
            return [(line, message) for message in messages if self._is_heard(line, message)]
        if line.out:
            self._dirty[line] = None
        return []

    def _gone(self, line: Line) -> Said:
        """Close and forget a connection. Return that it is gone."""
        if self.lines.pop(line.fd, None) is None:
            return []
        self._dirty.pop(line, None)
        for topic in line.topics:
            self._forget(topic, line)
        line.topics.clear()
        line.drop()
        self._peers.left(line.peer)
        if self.socket is not None:
            self._spare.keep()
        return [(line, None)]

    def _is_heard(self, line: Line, message: bytes) -> bool:
        """Note a subscribe or unsubscribe message. Return whether to pass the message on."""
        topic = message[1:]
        if message[:1] == b"\x01":
            if len(line.topics) >= MOST_TOPICS or line.topics.get(topic, 0) >= 100:
                return False
            if len(topic) > MAX_NAME:
                return True  # passed on: `Serving` refuses and logs it
            line.topics[topic] = line.topics.get(topic, 0) + 1
            self._by_topic.setdefault(topic, {})[line] = None
            if not topic.startswith(b"@"):
                self._public.setdefault(topic, {})[line] = None
        elif message[:1] == b"\x00":
            if topic not in line.topics:
                return False  # it never subscribed to this topic
            line.topics[topic] -= 1
            if not line.topics[topic]:
                del line.topics[topic]
                self._forget(topic, line)
        return True

    def _forget(self, topic: bytes, line: Line) -> None:
        for topics in (self._by_topic, self._public):
            if topic in topics:
                topics[topic].pop(line, None)
                if not topics[topic]:
                    del topics[topic]

    # -- sending -----------------------------------------------------------------------------------

    def send(self, frames: Frames) -> SentMessage:
        """Send a message to the subscribers of its topic, which is the first frame."""
        topic = bytes(frames[0])
        if topic.startswith(b"@"):
            lines = list(self._by_topic.get(topic, ()))
        else:
            lines = list({
                line: None
                for wanted, some in self._public.items() if topic.startswith(wanted)
                for line in some
            })  # fmt: skip
        sent = SentMessage(len(lines))
        pieces = framed(frames)
        for line in lines:
            self.send_to(line, pieces, sent)
        return sent

    def send_to(self, line: Line, pieces: list[bytes | memoryview], sent: SentMessage) -> None:
        """Send a framed message to one connection."""
        if line.closing or line.unsent > MOST_UNSENT:
            line.until = line.until or 0.0  # closed at the next tick
            sent.left -= 1
            return
        for piece in pieces[:-1]:
            line.put(piece)
        line.put(pieces[-1], sent)
        self._dirty[line] = None

    def answer(self, line: Line, frames: Frames) -> None:
        """Send a message to a connection that is turned away, once.

        It is closed a little later: closed at once, the viewer would reconnect again and again.
        """
        if not line.told:
            line.told = True
            self.send_to(line, framed(frames), SentMessage(1))

    def end(self, topics: list[bytes]) -> None:
        """Close the connections that subscribed to the topics, once all is sent to them."""
        for topic in topics:
            for line in self._by_topic.get(topic, ()):
                line.closing = True
                self._dirty[line] = None

    def flush(self, now: float) -> Said:
        """Send the queued bytes. Return the connections that are gone."""
        messages: Said = []
        for line in list(self._dirty):
            self._dirty.pop(line, None)
            if line.fd not in self.lines:
                continue
            if not line.flush():
                messages += self._gone(line)
            elif line.closing and not line.out and not line.shut:
                # Shut down, but don't close yet: closing while the viewer's bytes are unread resets
                # the connection, and what is on its way would be lost.
                line.shut = True
                line.until = now + _LINGER_SECONDS
                with contextlib.suppress(OSError):
                    line.socket.shutdown(sockets().SHUT_WR)
        return messages

    # -- the end -----------------------------------------------------------------------------------

    def close(self, now: float) -> None:
        """Stop listening. Connections still get what is on its way to them."""
        if self.socket is not None:
            if self.local:
                with contextlib.suppress(OSError):
                    os.unlink(self.endpoint.removeprefix("ipc://"))
            self.socket.close()
            self.socket = None
        for line in self.lines.values():
            line.closing = True
            line.until = now + _LINGER_SECONDS
            self._dirty[line] = None
        self._spare.give()

    def let_go(self) -> None:
        """Close the parent's sockets in a forked child, and send nothing."""
        for socket in (self.socket, *(line.socket for line in self.lines.values())):
            if socket is not None:
                with contextlib.suppress(OSError):
                    socket.close()
        with contextlib.suppress(OSError):
            self._spare.give()
