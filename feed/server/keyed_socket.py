"""The endpoints with keys of a process: ZeroMQ sockets, because ZeroMQ encrypts.

This is a separate module so that a producer without keys never imports `zmq`.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Iterable, Iterator
from typing import Final

import zmq
import zmq.utils.garbage

from livetable.feed.curve.introduction import Introducer
from livetable.feed.curve.keys import KeyPair
from livetable.feed.curve.zap import Doorkeeper
from livetable.feed.errors import BadEndpoint
from livetable.feed.protocol.messages import HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS, MAX_WANT
from livetable.feed.protocol.place import can_share
from livetable.feed.server.admission import Prepare
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.listening import close_connections, listening
from livetable.feed.server.mailbox import Poll
from livetable.feed.server.peer import Frames, Peer
from livetable.feed.server.peers import Peers
from livetable.feed.server.table_state import describe

_LINGER_MS: Final = 200
"""How long a closing socket may take to send its last messages (`end`)."""

_AT_ONCE: Final = 1000
_RENEW_SECONDS: Final = 0.2


class Arrivals:
    """Tracks the connections of a ZeroMQ socket, and which connection sent a message.

    Args:
        context: The socket's context.
        bound: The socket. It must not be bound yet.
        peers: The connections of the process.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], bound: zmq.Socket[bytes], peers: Peers
    ) -> None:
        self._bound = bound
        self._peers = peers
        self._own: dict[int, Peer] = {}
        self.socket: zmq.Socket[bytes] | None = None
        """Readable when a connection came or went; None if ZeroMQ can't tell."""
        where = f"inproc://livetable-arrivals-{id(bound)}"
        try:
            self.socket = context.socket(zmq.PAIR)
            self.socket.setsockopt(zmq.LINGER, 0)
            self.socket.setsockopt(zmq.RCVHWM, 0)  # with a limit, ZeroMQ's thread would wait for us
            bound.monitor(where, zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
            self.socket.connect(where)
        except zmq.ZMQError:  # no more descriptors
            self.close()

    def look(self, now: float) -> list[Peer]:
        """Read which connections came and went. Return those that went."""
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
        """Yield each message and its sender, None if the sender is unknown.

        Messages of closed connections, and of those that send too much, are left out.
        """
        for frame in frames:
            fd = self._fd_of(frame)
            peer = None if fd is None else self._own.get(fd)
            if fd is None or (peer is not None and not peer.gone and peer.says(now)):
                yield frame.bytes, peer

    def close(self) -> None:
        """Stop tracking, and forget all connections."""
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
        except zmq.ZMQError:  # made by ZeroMQ when a connection closed; or unsupported here
            return None


class KeyedSocket:
    """An endpoint with keys, on a ZeroMQ socket. Used only in the hub's thread."""

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
        # Listen on a descriptor of our own: a forked child can close it, but not one of libzmq's.
        self._listening, bound = listening(endpoint)
        try:
            self.socket, self.arrivals = self._listener(bound, pair)
        except BadEndpoint:
            self._listening.close()
            raise
        # Show the endpoint as it was written: "127.0.0.1", not "[::ffff:127.0.0.1]".
        bound_to = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.endpoint = re.sub(r"\[::ffff:([\d.]+)\]", r"\1", bound_to)
        self.serving = self._served()
        self.introducer: Introducer | None = None
        with contextlib.suppress(OSError):  # without it, users write known_feeds by hand
            self.introducer = Introducer(self.endpoint, pair.public)

    def _listener(self, endpoint: str, pair: KeyPair) -> tuple[zmq.Socket[bytes], Arrivals]:
        """Return a bound socket, and what tracks its connections."""
        socket = self._context.socket(zmq.XPUB)
        arrivals = Arrivals(self._context, socket, self._peers)
        options = {
            zmq.XPUB_VERBOSER: 1,  # report each subscribe and unsubscribe of each viewer
            zmq.SNDHWM: 0,  # no limit: it would drop frames silently; credit bounds the queue
            zmq.LINGER: _LINGER_MS,
            zmq.MAXMSGSIZE: MAX_WANT * 4,
            zmq.HANDSHAKE_IVL: 5_000,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.IPV6: 1,
        }
        try:
            for option, value in options.items():
                socket.setsockopt(option, value)
            socket.setsockopt(zmq.CURVE_SERVER, 1)
            socket.setsockopt(zmq.CURVE_PUBLICKEY, pair.public)
            socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret)
            socket.setsockopt(zmq.ZAP_DOMAIN, b"livetable")
            socket.copy_threshold = 0
            # A duplicate, because libzmq closes it: ours keeps the port while `renew` replaces it.
            socket.setsockopt(zmq.USE_FD, os.dup(self._listening.fileno()))
            socket.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            arrivals.close()
            socket.close(0)
            raise BadEndpoint(f"can't bind {endpoint}: {_reason(error, endpoint)}") from None
        return socket, arrivals

    def _served(self) -> Serving:
        shares = can_share(self.endpoint)
        return Serving(self._send, describe, self._prepare, shares=shares, peers=self._peers)

    def renew(self, now: float) -> bool:
        """Disconnect all viewers. Those whose key is still authorized reconnect at once.

        Returns:
            Whether the socket was replaced. If not (no descriptors are left), try again: until
            then no viewer is connected.
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
        """The sockets to wait for."""
        return [one for one in (self.socket, self.arrivals.socket) if one is not None]

    def let_go(self) -> None:
        """Close the parent's descriptors in a forked child: open, they keep the port in use."""
        port = self.endpoint.rpartition(":")[2]
        with contextlib.suppress(OSError, ValueError):
            close_connections(int(port))
        self._listening.detach()

    def close(self, now: float) -> None:
        """Close the endpoint. The last messages still go out."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.unbind(self.endpoint)  # `close` alone would free the port some time later
        self._listening.close()
        self.arrivals.close()
        self.socket.close()
        if self.introducer is not None:
            self.introducer.close()

    def _send(self, frames: Frames) -> zmq.MessageTracker:
        if self.socket.closed:  # `renew` failed so far: nobody is connected
            return zmq.MessageTracker()
        *head, last = frames
        for frame in head:
            self.socket.send(frame, zmq.SNDMORE, copy=len(frame) < 65_536)
        tracker = self.socket.send(last, copy=False, track=True)
        assert isinstance(tracker, zmq.MessageTracker)
        return tracker

    def receive(self, now: float) -> None:
        """Read and handle what viewers sent."""
        # Read a limited number: a flood of requests must not delay news.
        frames = []
        for _ in range(_AT_ONCE):
            try:
                frames.append(self.socket.recv(zmq.NOBLOCK, copy=False))
            except zmq.Again:
                break
        # Look at arrivals after reading: each message's sender has then arrived already.
        for gone in self.arrivals.look(now):
            self.serving.left(gone)
        for message, peer in self.arrivals.heard((one for one in frames if not one.more), now):
            self.serving.received(message, now, peer)


class KeyedSockets:
    """The endpoints with keys of a process, and the check of viewers' keys.

    Used only in the hub's thread.

    Args:
        poll: Waits for the sockets.
        prepare: Encodes a slow table in a side thread.
        peers: The connections to all endpoints of the process.
    """

    def __init__(self, poll: Poll, prepare: Prepare, peers: Peers) -> None:
        self._poll = poll
        self._prepare = prepare
        self._peers = peers
        self._bound: set[KeyedSocket] = set()
        self._to_renew: set[KeyedSocket] = set()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        # Without a doorkeeper, ZeroMQ admits every viewer that has any key.
        self._doorkeeper = Doorkeeper(self._context)
        poll.add(self._doorkeeper.socket)

    def bind(self, endpoint: str, pair: KeyPair) -> KeyedSocket:
        """Bind an endpoint.

        Args:
            endpoint: The endpoint.
            pair: The feed's key pair.

        Raises:
            BadEndpoint: the endpoint can't be bound.
        """
        self._doorkeeper.owners.add(pair.public)
        bound = KeyedSocket(self._context, endpoint, self._prepare, pair, self._peers)
        self._bound.add(bound)
        self._listen_to(bound)
        if bound.introducer is not None:
            self._poll.add(bound.introducer)
        return bound

    def unbind(self, bound: KeyedSocket, now: float) -> None:
        """Close an endpoint. The last messages still go out."""
        self._bound.discard(bound)
        self._listen_to(bound, on=False)
        if bound.introducer is not None:
            self._poll.remove(bound.introducer)
        bound.close(now)

    def deadlines(self, now: float) -> list[float | None]:
        """Return when `revoke` has something to do."""
        return [self._doorkeeper.deadline, now + _RENEW_SECONDS if self._to_renew else None]

    def let_in(self) -> None:
        """Answer ZeroMQ's questions whether a viewer's key is authorized."""
        if self._doorkeeper.socket in self._poll.ready:
            self._doorkeeper.answer()

    def revoke(self, now: float) -> None:
        """Disconnect viewers whose keys were removed."""
        if self._doorkeeper.revokes(now):
            self._to_renew = set(self._bound)
        for bound in list(self._to_renew):
            self._listen_to(bound, on=False)
            if bound not in self._bound:  # its last table was closed meanwhile
                self._to_renew.discard(bound)
            elif bound.renew(now):
                self._to_renew.discard(bound)
                self._listen_to(bound)

    def serve(self, bound: KeyedSocket, now: float) -> None:
        """Read what an endpoint's viewers sent, and answer what is due."""
        if bound in self._to_renew:
            return  # it has no socket at the moment
        if not self._poll.ready.isdisjoint(bound.sockets):
            bound.receive(now)
        if bound.introducer is not None and bound.introducer.fileno() in self._poll.ready:
            bound.introducer.answer()
        bound.serving.tick(now)

    def close(self) -> None:
        """Close the key check and ZeroMQ's context, after all endpoints."""
        self._doorkeeper.close()
        self._context.term()

    def _listen_to(self, bound: KeyedSocket, *, on: bool = True) -> None:
        for socket in bound.sockets:
            if on:
                self._poll.add(socket)
            else:
                self._poll.remove(socket)


def _reason(error: zmq.ZMQError | OSError, endpoint: str) -> str:
    if error.errno == zmq.EADDRINUSE:
        return "another process uses it; choose another port or end that process"
    if error.errno == zmq.EINVAL:
        return "write it as tcp://127.0.0.1:5411 or ipc:///path/of/a/socket"
    return str(error.strerror or error).lower()
