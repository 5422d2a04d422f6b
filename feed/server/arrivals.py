"""Who comes to a socket of ZeroMQ's, who goes, and by whom a message came."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator

import zmq

from livetable.feed.server.peer import Peer
from livetable.feed.server.peers import Peers


class Arrivals:
    """Hears from ZeroMQ who comes to a socket and who goes, and by whom a message came.

    Args:
        context: The socket's context.
        bound: The socket, which is not bound yet.
        peers: Who is there.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], bound: zmq.Socket[bytes], peers: Peers
    ) -> None:
        self._bound = bound
        self._peers = peers
        self._own: dict[int, Peer] = {}
        self.socket: zmq.Socket[bytes] | None = None
        """What can be read when there is something to hear; None where ZeroMQ does not tell."""
        where = f"inproc://livetable-arrivals-{id(bound)}"
        try:
            self.socket = context.socket(zmq.PAIR)
            self.socket.setsockopt(zmq.LINGER, 0)
            self.socket.setsockopt(zmq.RCVHWM, 0)  # ZeroMQ's thread would wait for us else
            bound.monitor(where, zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
            self.socket.connect(where)
        except zmq.ZMQError:  # no more descriptors
            self.close()

    def look(self, now: float) -> list[Peer]:
        """Take in who came and who went; return those that went."""
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
        """Yield the messages that are to be heard, and by whom they came, None if nobody knows.

        Those of who is gone, or says too much, are not.
        """
        for frame in frames:
            fd = self._fd_of(frame)
            peer = None if fd is None else self._own.get(fd)
            if fd is None or (peer is not None and not peer.gone and peer.says(now)):
                yield frame.bytes, peer

    def close(self) -> None:
        """Hear no more; who is there still is forgotten."""
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
        except zmq.ZMQError:  # a connection's last word, said by ZeroMQ for it; or not told here
            return None
