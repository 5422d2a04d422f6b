"""A feed's sockets: the server's side of ZMTP 3.0 (https://rfc.zeromq.org/spec/23), as an XPUB.

Not libzmq's, for what a producer must be spared. libzmq ends the process when a viewer connects and
no descriptor is left; it takes all descriptors that viewers want; what it has open cannot be closed
in a forked child, where it keeps the port taken; and it cannot tell which peer unsubscribes.
Encrypted endpoints (CURVE) are libzmq's all the same: `hub`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from livetable.feed.base.native import original
from livetable.feed.errors import BadEndpoint
from livetable.feed.protocol.messages import HEARTBEAT_TIMEOUT_MS, MAX_NAME, MAX_WANT
from livetable.feed.server.peers import MOST_TOPICS, Peer, Peers

Frames = Sequence[bytes | memoryview]

MOST_UNSENT: Final = 128 << 20
"""A peer that has so many bytes on their way to it and is sent more is let go."""

FREE_DESCRIPTORS: Final = 32
"""So many descriptors stay free for the program: nearer to its limit viewers are turned away."""

TAKEN: Final = b"\x03taken "
"""Begins what a process says to another whose table's name it took; the name follows."""

_HANDSHAKE_SECONDS: Final = 5.0
_PING_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = HEARTBEAT_TIMEOUT_MS / 1000
_LINGER_SECONDS: Final = 1.0
_TURNED_AWAY_SECONDS: Final = 2.0
_BACKLOG: Final = 128
_AT_ONCE: Final = 64
_READ: Final = 1 << 16

_MORE, _LONG, _COMMAND = 1, 2, 4
_GREETING: Final = (
    b"\xff\0\0\0\0\0\0\0\x01\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32
)
_READY: Final = b"\x05READY\x0bSocket-Type\0\0\0\x04XPUB"
_PING: Final = b"\x04PING\x00\x00"


class Sent:
    """A message on its way to some peers.

    Attributes:
        left: How many of them have not taken it.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    @property
    def done(self) -> bool:
        """Whether no peer needs it any more."""
        return self.left <= 0


class Line:
    """One connection.

    Attributes:
        peer: Its account.
        unsent: Bytes on their way to it that the system has not taken yet.
        taken: Bytes that the system took.
    """

    peer: Peer

    def __init__(self, sock: Any, now: float, *, local: bool, turned_away: bool) -> None:
        self.socket = sock
        self.fd: int = sock.fileno()
        self.local = local
        self.turned_away = turned_away
        self.topics: dict[bytes, int] = {}
        self.out: deque[tuple[bytes | memoryview, Sent | None]] = deque()
        self.unsent = self.taken = 0
        self.came = self.heard = self.pinged = now
        self.until: float | None = now + _TURNED_AWAY_SECONDS if turned_away else None
        self.stage = 0  # 0: its greeting is waited for; 1: its READY; 2: there
        self.buffer = bytearray()
        self.in_parts = False
        self.closing = self.shut = self.told = False

    def put(self, piece: bytes | memoryview, sent: Sent | None = None) -> None:
        self.out.append((piece, sent))
        self.unsent += len(piece)

    def flush(self) -> bool:
        """Send what the socket takes; tell whether the connection still stands."""
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
        """Shut it and free what it held; its endpoint closes it at the next tick."""
        self.closing = self.shut = True
        self.until = 0.0
        self._forget()
        with contextlib.suppress(OSError):
            self.socket.shutdown(_sockets().SHUT_RDWR)

    def drop(self) -> None:
        """Close it."""
        self._forget()
        with contextlib.suppress(OSError):
            self.socket.close()

    def _forget(self) -> None:
        for _, sent in self.out:
            if sent is not None:
                sent.left -= 1
        self.out.clear()
        self.unsent = 0


Said = list[tuple[Line, bytes | None]]
"""Messages, and whose they are; None says that a connection is gone."""

_SENDMSG: Final = hasattr(original("socket", "socket"), "sendmsg")


def _first(pieces: deque[Any], count: int) -> list[Any]:
    return [pieces[at] for at in range(min(count, len(pieces)))]


class Streams:
    """One endpoint: its listening socket and its connections. Lives in the hub's thread.

    Args:
        endpoint: Where, ``tcp://…`` or ``ipc://…``.
        peers: The accounts of the connections to all endpoints of the process.

    Raises:
        BadEndpoint: it can't be bound.
    """

    def __init__(self, endpoint: str, peers: Peers) -> None:
        self.lines: dict[int, Line] = {}
        self._peers = peers
        self._by_topic: dict[bytes, dict[Line, None]] = {}
        self._public: dict[bytes, dict[Line, None]] = {}  # of these, those that are no viewer's own
        self._dirty: dict[Line, None] = {}
        self._spare: int | None = None
        self.local = endpoint.startswith("ipc://")
        self.socket, self.endpoint = listening(endpoint)
        self._keep_spare()

    # -- what is to be polled ----------------------------------------------------------------------

    def descriptors(self) -> list[tuple[int, bool]]:
        """Return descriptors to wait for, and of which also until they can be written to."""
        found = [(fd, bool(line.out)) for fd, line in self.lines.items()]
        if self.socket is not None and self._takes_more:
            found.append((self.socket.fileno(), False))
        return found

    @property
    def _takes_more(self) -> bool:
        # One at a time is told that there is no room; to poll for the others meanwhile would spin.
        return not any(line.turned_away for line in self.lines.values())

    def deadline(self, now: float) -> float | None:
        """Return when `tick` has something to do."""
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
        """Let go of who is silent or slow to come in; return who is gone."""
        said: Said = []
        for line in list(self.lines.values()):
            late = line.stage < 2 and now >= line.came + _HANDSHAKE_SECONDS
            over = line.until is not None and now >= line.until
            silent = not line.local and now >= line.heard + _SILENT_SECONDS
            if late or over or silent:
                said += self._gone(line)
            elif line.stage == 2 and not line.local and now >= line.pinged + _PING_SECONDS:
                line.pinged = now
                line.put(bytes((_COMMAND, len(_PING))) + _PING)
                self._dirty[line] = None
        return said

    # -- connections -------------------------------------------------------------------------------

    def accept(self, now: float) -> None:
        """Let in who waits; near the limit of descriptors only to be told so."""
        for _ in range(_AT_ONCE):
            if self.socket is None or not self._takes_more:
                return
            reserve = False
            try:
                fd, _ = self.socket._accept()  # noqa: SLF001 - the bare descriptor
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare is None:
                    return
                os.close(self._spare)
                self._spare, reserve = None, True
                try:
                    fd, _ = self.socket._accept()  # noqa: SLF001 - the bare descriptor
                except OSError:
                    self._keep_spare()
                    return
            one = original("socket", "socket")(fileno=fd)
            one.setblocking(False)
            if not self.local:
                socket = _sockets()
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            full = reserve or not _has_room(fd)
            line = Line(one, now, local=self.local, turned_away=full)
            line.peer = self._peers.came(fd, now, line)
            self.lines[fd] = line
            line.put(_GREETING)
            self._dirty[line] = None

    def ready(self, fd: int, now: float) -> Said:
        """Read and write what one connection is ready for; return what came by it."""
        line = self.lines.get(fd)
        if line is None:
            return []
        try:
            data = line.socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            data = None
        except OSError:
            return self._gone(line)
        if data == b"":
            return self._gone(line)
        if data and not line.closing:
            line.heard = now
            line.buffer += data
            messages = self._messages(line)
            if messages is None:
                return self._gone(line)
            if line.out:
                self._dirty[line] = None
            return [(line, message) for message in messages]
        if line.out:
            self._dirty[line] = None
        return []

    def _gone(self, line: Line) -> Said:
        """Forget a connection; say so."""
        if self.lines.pop(line.fd, None) is None:
            return []
        self._dirty.pop(line, None)
        for topic in line.topics:
            self._forget(topic, line)
        line.topics.clear()
        line.drop()
        self._peers.left(line.peer)
        self._keep_spare()
        return [(line, None)]

    def _messages(self, line: Line) -> list[bytes] | None:
        """Return the whole messages that have come; None if what came is no ZMTP."""
        buffer = line.buffer
        found: list[bytes] = []
        if line.stage == 0:
            if (buffer and buffer[0] != 0xFF) or (len(buffer) > 9 and buffer[9] != 0x7F):
                return None
            if len(buffer) < 64:
                return found
            if buffer[10] < 3 or bytes(buffer[12:32]).rstrip(b"\0") != b"NULL":
                return None
            del buffer[:64]
            line.stage = 1
            line.put(bytes((_COMMAND, len(_READY))) + _READY)
        at = 0
        while len(buffer) - at >= 2:
            flags = buffer[at]
            if flags > 7:
                return None
            if flags & _LONG:
                if len(buffer) - at < 9:
                    break
                size, start = struct.unpack_from(">Q", buffer, at + 1)[0], at + 9
            else:
                size, start = buffer[at + 1], at + 2
            if size > 4 * MAX_WANT:
                return None
            if len(buffer) < start + size:
                break
            frame = bytes(buffer[start : start + size])
            at = start + size
            if flags & _COMMAND:
                if not self._command(line, frame, found):
                    return None
            elif line.stage < 2:
                return None
            else:
                more = bool(flags & _MORE)
                if not more and not line.in_parts:
                    self._message(line, frame, found)
                line.in_parts = more
        del buffer[:at]
        return found

    def _command(self, line: Line, frame: bytes, found: list[bytes]) -> bool:
        if frame.startswith(b"\x05READY") and line.stage == 1:
            line.stage = 2
            return b"SUB" in frame
        if frame.startswith(b"\x04PING"):
            pong = b"\x04PONG" + frame[7:23]
            if line.unsent < _READ:  # a flood of pings is not answered to who does not read
                line.put(bytes((_COMMAND, len(pong))) + pong)
        elif frame.startswith(b"\x09SUBSCRIBE"):
            self._message(line, b"\x01" + frame[10:], found)
        elif frame.startswith(b"\x06CANCEL"):
            self._message(line, b"\x00" + frame[7:], found)
        return not frame.startswith(b"\x05ERROR")

    def _message(self, line: Line, message: bytes, found: list[bytes]) -> None:
        topic = message[1:]
        if message[:1] == b"\x01":
            if len(line.topics) >= MOST_TOPICS or line.topics.get(topic, 0) >= 100:
                return
            if len(topic) > MAX_NAME:
                found.append(message)  # who serves refuses it, and says so
                return
            line.topics[topic] = line.topics.get(topic, 0) + 1
            self._by_topic.setdefault(topic, {})[line] = None
            if not topic.startswith(b"@"):
                self._public.setdefault(topic, {})[line] = None
        elif message[:1] == b"\x00":
            if topic not in line.topics:
                return  # another's, or nobody's
            line.topics[topic] -= 1
            if not line.topics[topic]:
                del line.topics[topic]
                self._forget(topic, line)
        found.append(message)

    def _forget(self, topic: bytes, line: Line) -> None:
        for topics in (self._by_topic, self._public):
            if topic in topics:
                topics[topic].pop(line, None)
                if not topics[topic]:
                    del topics[topic]

    # -- sending -----------------------------------------------------------------------------------

    def send(self, frames: Frames) -> Sent:
        """Send a message to who is subscribed to its topic, the first frame."""
        topic = bytes(frames[0])
        if topic.startswith(b"@"):
            lines = list(self._by_topic.get(topic, ()))
        else:
            lines = list({
                line: None
                for wanted, some in self._public.items() if topic.startswith(wanted)
                for line in some
            })  # fmt: skip
        sent = Sent(len(lines))
        pieces = _framed(frames)
        for line in lines:
            self.send_to(line, pieces, sent)
        return sent

    def send_to(self, line: Line, pieces: list[bytes | memoryview], sent: Sent) -> None:
        """Send a message to one peer, framed already."""
        if line.closing or line.unsent > MOST_UNSENT:
            line.until = line.until or 0.0  # it is let go at the next tick
            sent.left -= 1
            return
        for piece in pieces[:-1]:
            line.put(piece)
        line.put(pieces[-1], sent)
        self._dirty[line] = None

    def answer(self, line: Line, frames: Frames) -> None:
        """Send a message to one peer that is turned away, once.

        It is let go a little later: at once it would connect again and again.
        """
        if not line.told:
            line.told = True
            self.send_to(line, _framed(frames), Sent(1))

    def end(self, topics: list[bytes]) -> None:
        """Let go of who is subscribed to some topics, once it has what is on its way to it."""
        for topic in topics:
            for line in self._by_topic.get(topic, ()):
                line.closing = True
                self._dirty[line] = None

    def flush(self, now: float) -> Said:
        """Send what was put; return who is gone."""
        said: Said = []
        for line in list(self._dirty):
            self._dirty.pop(line, None)
            if line.fd not in self.lines:
                continue
            if not line.flush():
                said += self._gone(line)
            elif line.closing and not line.out and not line.shut:
                # Not closed at once: with bytes of its own unread, what is on its way may be lost.
                line.shut = True
                line.until = now + _LINGER_SECONDS
                with contextlib.suppress(OSError):
                    line.socket.shutdown(_sockets().SHUT_WR)
        return said

    # -- the end -----------------------------------------------------------------------------------

    def close(self, now: float) -> None:
        """Let nobody in any more; who is there gets what is on its way to it."""
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
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def let_go(self) -> None:
        """Close all at once and say nothing: in a forked child, to which none of it belongs."""
        for one in (self.socket, *(line.socket for line in self.lines.values())):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.close()
        if self._spare is not None:
            with contextlib.suppress(OSError):
                os.close(self._spare)

    def _keep_spare(self) -> None:
        if self._spare is None and self.socket is not None:
            with contextlib.suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _framed(frames: Frames) -> list[bytes | memoryview]:
    """Return a message's frames with their heads; small ones joined to the next head."""
    pieces: list[bytes | memoryview] = []
    head = b""
    for at, frame in enumerate(frames):
        flags = _MORE if at < len(frames) - 1 else 0
        size = len(frame)
        if size > 255:
            head += struct.pack(">BQ", flags | _LONG, size)
        else:
            head += bytes((flags, size))
        if size < 4096:
            head += bytes(frame)
        else:
            pieces += [head, frame]
            head = b""
    return [*pieces, head] if head else pieces


def say_taken(path: str, name: str) -> None:
    """Tell the process at a local socket that this one took a table's name from it."""
    socket = _sockets()
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x04XSUB"
    message = TAKEN + name.encode()
    with (
        contextlib.suppress(OSError),
        original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as one,
    ):
        one.settimeout(1.0)
        one.connect(path)
        one.sendall(_GREETING + bytes((_COMMAND, len(ready))) + ready)
        one.sendall(b"".join(bytes(piece) for piece in _framed([message])))
        one.shutdown(socket.SHUT_WR)
        while one.recv(4096):  # until it is read
            pass


def _descriptor_limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def _has_room(fd: int) -> bool:
    # A new descriptor is the lowest free one: it tells how many there are at least.
    limit = _descriptor_limit()
    return limit is None or fd < limit - FREE_DESCRIPTORS


def _sockets() -> Any:
    import socket

    return socket


def listening(endpoint: str) -> tuple[Any, str]:
    """Return a listening socket, and its endpoint with wildcards replaced.

    Raises:
        BadEndpoint: it can't be bound.
    """
    try:
        return _bound(endpoint)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadEndpoint(f"{endpoint} can't be bound: {_reason(error)}") from None


def close_connections(port: int) -> None:
    """Close this process's descriptors of a port: in a forked child, to which they do not belong.

    Linux only; elsewhere there is no list of descriptors.
    """
    socket = _sockets()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=os.dup(int(name)))
            with one:
                is_it = one.family in (socket.AF_INET, socket.AF_INET6)
                is_it = is_it and one.getsockname()[1] == port
            if is_it:
                os.close(int(name))


def _bound(endpoint: str) -> tuple[Any, str]:
    socket = _sockets()
    make = original("socket", "socket")
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        one = make(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(OSError):
                os.fchmod(one.fileno(), 0o600)  # before there is a file that others could open
            _bind_path(one, path)
            one.listen(_BACKLOG)
        except BaseException:
            one.close()
            raise
        one.setblocking(False)
        return one, endpoint
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    host = host.strip("[]")
    number = 0 if port == "*" else int(port)
    # Bytes: for a text a codec is imported, which a process that became nobody may not read.
    name = host.encode("ascii") if host.isascii() else host
    families = (
        [(socket.AF_INET6, ("::", number)), (socket.AF_INET, ("0.0.0.0", number))]
        if host == "*"
        else [(one[0], one[4]) for one in socket.getaddrinfo(
            name, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)][:1]
    )  # fmt: skip
    problem: OSError = OSError(errno.EINVAL, "Invalid argument")
    for family, address in families:
        try:
            one = make(family, socket.SOCK_STREAM)
        except OSError as error:
            problem = error
            continue
        try:
            if os.name == "posix":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            one.bind(address)
            one.listen(_BACKLOG)
        except OSError as error:
            one.close()
            problem = error
            continue
        one.setblocking(False)
        shown = "0.0.0.0" if host == "*" else one.getsockname()[0] if not _is_ip(host) else host
        shown = f"[{shown}]" if ":" in shown else shown
        return one, f"tcp://{shown}:{one.getsockname()[1]}"
    raise problem


def _is_ip(host: str) -> bool:
    return ":" in host or re.fullmatch(r"[\d.]+", host) is not None


def _bind_path(one: Any, path: str) -> None:
    name = "\0" + path[1:] if path.startswith("@") else path
    try:
        one.bind(name)
        return
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise
    socket = _sockets()
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(name)
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise OSError(errno.EADDRINUSE, "Address already in use") from None
        else:
            raise OSError(errno.EADDRINUSE, "Address already in use")
    os.unlink(path)  # of a process that is dead
    one.bind(name)


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return "another process uses it; choose another port or end that process"
    if number == errno.EINVAL or not isinstance(error, OSError) or _is_gaierror(error):
        return "write it as tcp://127.0.0.1:5411 or ipc:///path/of/a/socket"
    return str(error.strerror or error).lower()


def _is_gaierror(error: Exception) -> bool:
    return type(error).__name__ == "gaierror"
