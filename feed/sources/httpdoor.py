"""Limits an HTTP server's connections: their number, and the time for sending a request."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import web

HEADER_SECONDS: Final = 10.0
"""A connection is cut if no complete header has arrived by then."""

KEEP_SECONDS: Final = 75.0
"""A connection is kept open this long for the next request."""

MOST: Final = 250
"""Open connections. Beyond this, the one that has kept the server waiting longest is cut."""

_LEAST: Final = 8
_BACKLOG: Final = 128
_PAUSE_SECONDS: Final = 0.002
_SHORT_SECONDS: Final = 0.05  # others may free descriptors meanwhile


class _Visit(asyncio.Protocol):
    """One connection, between the event loop and the HTTP protocol.

    Args:
        door: All connections.
        inner: The HTTP protocol.
    """

    def __init__(self, door: Door, inner: asyncio.Protocol) -> None:
        self._door = door
        self._inner = inner
        self.transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._inner.connection_made(transport)
        self.waits(HEADER_SECONDS)
        self._door.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_heard()
        self._door.remove(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def waits(self, seconds: float) -> None:
        """Cut the connection if no complete header arrives in time."""
        self.is_heard()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end)

    def is_heard(self) -> None:
        """Stop that timer: a header is complete."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()


class Door:
    """Accepts connections one by one, each only when there is a place for it.

    Don't use the event loop's own server: it accepts a hundred at once, and at the descriptor limit
    it logs a hundred errors.

    Args:
        server: Makes the HTTP protocol of each connection.
    """

    def __init__(self, server: Callable[[], asyncio.Protocol]) -> None:
        self._server = server
        self._most = _most()
        # By what the server waits for, the longest wait first.
        self._asking: dict[Any, _Visit] = {}
        self._reading: dict[Any, _Visit] = {}
        self._answered: dict[Any, _Visit] = {}
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, host: str, port: int) -> int:
        """Start to accept connections; return the port.

        Raises:
            OSError: can't listen there.
        """
        try:
            for family, *_, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                listener = socket.socket(family, socket.SOCK_STREAM)
                self._sockets.append(listener)
                listener.setblocking(False)
                if os.name == "posix":
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((address[0], port, *address[2:]))
                listener.listen(_BACKLOG)
                port = listener.getsockname()[1]
        except OSError:
            self.close()
            raise
        self._tasks = [asyncio.ensure_future(self._accept(listener)) for listener in self._sockets]
        return port

    def close(self) -> None:
        """Stop accepting connections."""
        for task in self._tasks:
            task.cancel()
        for listener in self._sockets:
            listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # no descriptor is left, or the peer has closed it again
                self._end_slowest()
                await asyncio.sleep(_SHORT_SECONDS)
                continue
            while len(self._asking) + len(self._reading) + len(self._answered) >= self._most:
                self._end_slowest()
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                await loop.connect_accepted_socket(lambda: _Visit(self, self._server()), connection)
            except OSError:
                connection.close()

    def _end_slowest(self) -> None:
        """Cut the connection that has kept the server waiting longest for a header, else a body."""
        for visit in (*self._asking.values(), *self._reading.values()):
            visit.end()
            return

    def add(self, visit: _Visit) -> None:
        """Wait for a connection's first header."""
        self._asking[visit.transport] = visit

    def remove(self, visit: _Visit) -> None:
        """Forget a connection."""
        for visits in (self._asking, self._reading, self._answered):
            visits.pop(visit.transport, None)

    def is_heard(self, request: web.Request) -> None:
        """Wait for a request's body: its header is complete."""
        if (visit := self._asking.pop(request.transport, None)) is not None:
            visit.is_heard()
            self._reading[visit.transport] = visit

    def is_read(self, request: web.Request) -> None:
        """Wait for the answer: the request is complete."""
        if (visit := self._reading.pop(request.transport, None)) is not None:
            self._answered[visit.transport] = visit

    def is_answered(self, request: web.Request) -> None:
        """Wait for a connection's next request."""
        transport = request.transport
        visit = self._answered.pop(transport, None) or self._reading.pop(transport, None)
        if visit is not None:
            self._asking[transport] = visit
            visit.waits(KEEP_SECONDS)


def _most() -> int:
    if sys.platform == "win32":
        return MOST
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if limit == resource.RLIM_INFINITY else max(_LEAST, min(limit // 4, MOST))
