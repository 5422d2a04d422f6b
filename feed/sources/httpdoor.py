"""The connections of an HTTP server: how many there are, and how long each may take to ask."""

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
"""A request's header has to be whole so long after its connection."""

KEEP_SECONDS: Final = 75.0
"""A connection is kept so long for the next one."""

MOST: Final = 250
"""Connections at once; beyond, who has kept the server waiting longest goes."""

_LEAST: Final = 8
_BACKLOG: Final = 128
_PAUSE_SECONDS: Final = 0.002
_SHORT_SECONDS: Final = 0.05  # of what is short others may give something back


class _Visit(asyncio.Protocol):
    """One connection, between the event loop and what speaks HTTP.

    Args:
        door: All connections.
        inner: What speaks HTTP.
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
        self._door.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_heard()
        self._door.left(self)
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
        """Wait for a request's header, not for ever."""
        self.is_heard()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end)

    def is_heard(self) -> None:
        """Wait no more: a header is whole."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()


class Door:
    """Where connections come in, one after the other, each only when there is a place for it.

    Not the event loop's own way in: it takes a hundred at once, and what the limit of descriptors
    then refuses it writes down a hundred times.

    Args:
        server: Makes what speaks HTTP, for each connection.
    """

    def __init__(self, server: Callable[[], asyncio.Protocol]) -> None:
        self._server = server
        self._most = _most()
        # By what they wait for, who has waited longest first.
        self._asking: dict[Any, _Visit] = {}
        self._reading: dict[Any, _Visit] = {}
        self._answered: dict[Any, _Visit] = {}
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, host: str, port: int) -> int:
        """Let connections in; return the port.

        Raises:
            OSError: it can't be listened at.
        """
        try:
            for family, *_, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                one = socket.socket(family, socket.SOCK_STREAM)
                self._sockets.append(one)
                one.setblocking(False)
                if os.name == "posix":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind((address[0], port, *address[2:]))
                one.listen(_BACKLOG)
                port = one.getsockname()[1]
        except OSError:
            self.close()
            raise
        self._tasks = [asyncio.ensure_future(self._let_in(one)) for one in self._sockets]
        return port

    def close(self) -> None:
        """Let nobody in any more."""
        for task in self._tasks:
            task.cancel()
        for one in self._sockets:
            one.close()

    async def _let_in(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:  # no descriptor for it, or it has gone again
                self._end_one()
                await asyncio.sleep(_SHORT_SECONDS)
                continue
            while len(self._asking) + len(self._reading) + len(self._answered) >= self._most:
                self._end_one()
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                await loop.connect_accepted_socket(lambda: _Visit(self, self._server()), connection)
            except OSError:
                connection.close()

    def _end_one(self) -> None:
        """Cut who has kept the server waiting longest: for a header if anybody has, or a body."""
        for visit in (*self._asking.values(), *self._reading.values()):
            visit.end()
            return

    def came(self, visit: _Visit) -> None:
        """Wait for a connection's first header."""
        self._asking[visit.transport] = visit

    def left(self, visit: _Visit) -> None:
        """Forget a connection."""
        for there in (self._asking, self._reading, self._answered):
            there.pop(visit.transport, None)

    def is_heard(self, request: web.Request) -> None:
        """Wait for no header of a connection, but for the body: the header is there."""
        if (visit := self._asking.pop(request.transport, None)) is not None:
            visit.is_heard()
            self._reading[visit.transport] = visit

    def is_read(self, request: web.Request) -> None:
        """Let a connection be until it is answered: all of its request is there."""
        if (visit := self._reading.pop(request.transport, None)) is not None:
            self._answered[visit.transport] = visit

    def is_answered(self, request: web.Request) -> None:
        """Wait for a connection's next request."""
        at = request.transport
        visit = self._answered.pop(at, None) or self._reading.pop(at, None)
        if visit is not None:
            self._asking[at] = visit
            visit.waits(KEEP_SECONDS)


def _most() -> int:
    if sys.platform == "win32":
        return MOST
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if limit == resource.RLIM_INFINITY else max(_LEAST, min(limit // 4, MOST))
