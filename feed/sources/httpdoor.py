"""The connections of an HTTP server: how many there are, and how long each may take to ask."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import web

HEADER_SECONDS: Final = 10.0
"""A request's header has to be whole so long after its connection, or after the one before."""

MOST: Final = 250
"""Connections at once; beyond, who has kept the server waiting longest goes."""

_LEAST: Final = 8


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
        self.waits()
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

    def waits(self) -> None:
        """Wait for a request's header, not for ever."""
        self.is_heard()
        self._timer = asyncio.get_running_loop().call_later(HEADER_SECONDS, self.end)

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
    """The connections to a server.

    Args:
        server: Makes what speaks HTTP, for each connection.
    """

    def __init__(self, server: Callable[[], asyncio.Protocol]) -> None:
        self._server = server
        self._most = _most()
        # Those that are not being answered, who has waited longest first.
        self._asking: dict[Any, _Visit] = {}
        self._answered: dict[Any, _Visit] = {}

    def __call__(self) -> _Visit:
        """Return what takes in one connection."""
        return _Visit(self, self._server())

    def came(self, visit: _Visit) -> None:
        """Take in one connection more; if it is one too many, one of them goes."""
        self._asking[visit.transport] = visit
        if len(self._asking) + len(self._answered) > self._most:
            next(iter(self._asking.values())).end()

    def left(self, visit: _Visit) -> None:
        """Forget a connection."""
        self._asking.pop(visit.transport, None)
        self._answered.pop(visit.transport, None)

    def is_heard(self, request: web.Request) -> None:
        """Wait for no header of a connection: it is there."""
        if (visit := self._asking.get(request.transport)) is not None:
            visit.is_heard()

    def is_read(self, request: web.Request) -> None:
        """Let a connection be until it is answered: all of its request is there."""
        if (visit := self._asking.pop(request.transport, None)) is not None:
            self._answered[visit.transport] = visit

    def is_answered(self, request: web.Request) -> None:
        """Wait for a connection's next request."""
        at = request.transport
        visit = self._answered.pop(at, None) or self._asking.pop(at, None)
        if visit is not None:
            self._asking[at] = visit
            visit.waits()


def _most() -> int:
    if sys.platform == "win32":
        return MOST
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if limit == resource.RLIM_INFINITY else max(_LEAST, min(limit // 4, MOST))
