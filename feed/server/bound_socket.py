"""A bound endpoint: its socket, with keys or without, and what it serves there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import zmq
import zmq.utils.garbage

from livetable.feed.curve.introduction import Introducer
from livetable.feed.curve.keys import KeyPair
from livetable.feed.errors import BadEndpoint, WireError
from livetable.feed.protocol.messages import (
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    MAX_WANT,
    Header,
    Position,
    Want,
)
from livetable.feed.protocol.place import can_share
from livetable.feed.server.admission import Prepare
from livetable.feed.server.arrivals import Arrivals
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.line import Line
from livetable.feed.server.listening import close_connections, listening
from livetable.feed.server.peers import Peers
from livetable.feed.server.process_name import describe
from livetable.feed.server.sent import Frames
from livetable.feed.server.streams import Said, Streams
from livetable.feed.server.taken import TAKEN

LINGER_MS: Final = 200
"""How long a closing socket may take to send its last words (`end`)."""

_AT_ONCE: Final = 1000


class PlainSocket:
    """An endpoint without keys and what it serves. Lives in the hub's thread only."""

    pair: KeyPair | None = None
    introducer: Introducer | None = None

    def __init__(self, endpoint: str, prepare: Prepare, peers: Peers) -> None:
        self.on_taken: Callable[[str], object] = self._taken
        self.streams = Streams(endpoint, peers)
        self.endpoint = self.streams.endpoint
        shares = can_share(self.endpoint)
        self.serving = Serving(self.streams.send, describe, prepare, shares=shares, peers=peers)

    def read(self, ready: set[Any], now: float) -> None:
        """Let in who comes, and take in what is said on connections that can be read."""
        streams = self.streams
        if streams.socket is not None and streams.socket.fileno() in ready:
            streams.accept(now)
        for fd in ready & streams.lines.keys():
            self.received(streams.ready(fd, now), now)
        self.received(streams.tick(now), now)

    def received(self, said: Said, now: float) -> None:
        """Take in what was said on connections, or that they are gone."""
        for line, message in said:
            if message is None:
                self.serving.left(line.peer)
            elif line.peer.gone or not line.peer.says(now):
                continue
            elif message.startswith(TAKEN):
                self.on_taken(message[len(TAKEN) :].decode(errors="replace"))
            elif line.turned_away and message[:1] not in (b"\x00", b"\x01"):
                self._turn_away(line, message, now)
            elif not line.closing:
                self.serving.received(message, now, line.peer)

    def _taken(self, name: str) -> None:
        """Another process says that a table's name is its own now; believe the folder, not it."""
        table = self.serving.tables.get(name)
        if table is not None and table.on_taken is not None:
            table.on_taken()

    def _turn_away(self, line: Line, message: bytes, now: float) -> None:
        try:
            want = Want.decode(message)
        except WireError:
            return
        if want.table is None:
            self.serving.received(message, now, line.peer)
            return
        table = self.serving.tables.get(want.table)
        at = table.shown if table is not None else Position("0" * 16, 0)
        header = Header("idle", want.table, want.number, at, note=_FULL, failure=_FULL)
        self.streams.answer(line, [want.topic, header.encode()])


_FULL: Final = (
    "its process can't take another viewer: too many are there, or it has no descriptors left; "
    "end some, or raise ulimit -n there"
)


class KeyedSocket:
    """An endpoint with keys and what it serves: libzmq's. Lives in the hub's thread only."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        prepare: Prepare,
        pair: KeyPair,
        peers: Peers,
    ) -> None:
        self.pair: KeyPair | None = pair
        self._context = context
        self._prepare = prepare
        self._peers = peers
        # A descriptor of ours: a forked child closes it, which it could not do with libzmq's.
        self._listening, bound = listening(endpoint)
        try:
            self.socket, self.arrivals = self._listener(bound, pair)
        except BadEndpoint:
            self._listening.close()
            raise
        # As it was written: "127.0.0.1", not "[::ffff:127.0.0.1]".
        said = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.endpoint = re.sub(r"\[::ffff:([\d.]+)\]", r"\1", said)
        self.serving = self._served()
        self.introducer: Introducer | None = None
        with contextlib.suppress(OSError):  # known_feeds has to be written by hand then
            self.introducer = Introducer(self.endpoint, pair.public)

    def _listener(self, endpoint: str, pair: KeyPair) -> tuple[zmq.Socket[bytes], Arrivals]:
        """Return a socket that is bound, and who tells of its connections."""
        made = self._context.socket(zmq.XPUB)
        arrivals = Arrivals(self._context, made, self._peers)
        options = {
            zmq.XPUB_VERBOSER: 1,  # each viewer's coming and going is seen
            zmq.SNDHWM: 0,  # credit bounds the queue; a mark would drop frames silently
            zmq.LINGER: LINGER_MS,
            zmq.MAXMSGSIZE: MAX_WANT * 4,
            zmq.HANDSHAKE_IVL: 5_000,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.IPV6: 1,
        }
        try:
            for option, value in options.items():
                made.setsockopt(option, value)
            made.setsockopt(zmq.CURVE_SERVER, 1)
            made.setsockopt(zmq.CURVE_PUBLICKEY, pair.public)
            made.setsockopt(zmq.CURVE_SECRETKEY, pair.secret)
            made.setsockopt(zmq.ZAP_DOMAIN, b"livetable")
            made.copy_threshold = 0
            # Another of the same, which libzmq closes: ours keeps the port while that is renewed.
            made.setsockopt(zmq.USE_FD, os.dup(self._listening.fileno()))
            made.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            arrivals.close()
            made.close(0)
            raise BadEndpoint(f"{endpoint} can't be bound: {_reason(error, endpoint)}") from None
        return made, arrivals

    def _served(self) -> Serving:
        shares = can_share(self.endpoint)
        return Serving(self._send, describe, self._prepare, shares=shares, peers=self._peers)

    def renew(self, now: float) -> bool:
        """Part with all viewers; those who are still let in are back at once. Tell whether it did.

        Where it did not, for lack of descriptors, it is to be tried again: no viewer is let in
        meanwhile, and none that should be gone stays.
        """
        assert self.pair is not None
        if not self.socket.closed:
            self.arrivals.close()
            with contextlib.suppress(zmq.ZMQError):
                self.socket.unbind(self.endpoint)
            self.socket.close(0)
        try:
            self.socket, self.arrivals = self._listener(self.endpoint, self.pair)
        except BadEndpoint:
            return False
        tables, self.serving = self.serving.tables, self._served()
        for table in tables.values():
            self.serving.add(table, now)
        return True

    @property
    def sockets(self) -> list[zmq.Socket[bytes]]:
        """What there is to wait for."""
        return [one for one in (self.socket, self.arrivals.socket) if one is not None]

    def let_go(self) -> None:
        """Close what a forked child has of it: it would keep the port taken."""
        port = self.endpoint.rpartition(":")[2]
        with contextlib.suppress(OSError, ValueError):
            close_connections(int(port))
        self._listening.detach()

    def close(self, now: float) -> None:
        """Let go of the endpoint; what was said last still goes out."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.unbind(self.endpoint)  # close does it some time later
        self._listening.close()
        self.arrivals.close()
        self.socket.close()
        if self.introducer is not None:
            self.introducer.close()

    def _send(self, frames: Frames) -> zmq.MessageTracker:
        if self.socket.closed:  # while `renew` goes on: nobody is connected
            return zmq.MessageTracker()
        *head, last = frames
        for frame in head:
            self.socket.send(frame, zmq.SNDMORE, copy=len(frame) < 65_536)
        tracker = self.socket.send(last, copy=False, track=True)
        assert isinstance(tracker, zmq.MessageTracker)
        return tracker

    def receive(self, now: float) -> None:
        """Take in what viewers sent."""
        # A bound on what is taken in at once: a flood of wants must not keep news waiting.
        frames = []
        for _ in range(_AT_ONCE):
            try:
                frames.append(self.socket.recv(zmq.NOBLOCK, copy=False))
            except zmq.Again:
                break
        # Who came, after what they say was taken: it was told before they said it.
        for gone in self.arrivals.look(now):
            self.serving.left(gone)
        for message, peer in self.arrivals.heard((one for one in frames if not one.more), now):
            self.serving.received(message, now, peer)


BoundSocket: TypeAlias = PlainSocket | KeyedSocket


def _reason(error: zmq.ZMQError | OSError, endpoint: str) -> str:
    if error.errno == zmq.EADDRINUSE:
        return "another process uses it; choose another port or end that process"
    if error.errno == zmq.EINVAL:
        return "write it as tcp://127.0.0.1:5411 or ipc:///path/of/a/socket"
    return str(error.strerror or error).lower()
