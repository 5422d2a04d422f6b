"""Brokers that carry tables between machines: one file each, opened by the scheme of an endpoint.

What travels is what docs/protocol.md describes, headers and bodies unchanged: a snapshot of each
table, of which the broker keeps the newest, and once a second a process's catalogue, which tells
that it lives.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from livetable.feed.base.addresses import BROKERS, read_address
from livetable.feed.base.extras import need
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import LivetableError

BEAT_SECONDS: Final = 1.0
"""A process says this often that it lives."""

SILENT_SECONDS: Final = 2.5
"""One that has not been heard for so long is taken for dead."""

_AGAIN_SECONDS: Final = 0.3

OnPart = Callable[[bytes, bool], None]
"""Called with a part (`pack`), and whether it came just now, not from what the broker kept."""


class BrokerError(LivetableError):
    """A broker that can't be used; the sentence says why."""


class BrokerAway(BrokerError):
    """A broker that does not answer just now; waiting may bring it. The sentence says only why."""


class Broker(Protocol):
    """A connection to a broker. All of it in one event loop.

    Attributes:
        part_bytes: Bytes of a body that go into one message.
        on_link: Called when the connection comes and goes.
    """

    part_bytes: int
    on_link: Callable[[bool], None]

    async def open(self) -> None:
        """Connect. What was begun is undone if that fails.

        Raises:
            BrokerAway: there is nobody, just now.
            BrokerError: it does not let us in, or can't be used.
        """

    async def close(self) -> None:
        """Disconnect."""

    async def put(self, table: str, parts: Sequence[bytes]) -> None:
        """Make this the newest frame of a table, for those there are and those who come.

        Raises:
            BrokerError: the broker did not take it; it may be tried again.
        """

    async def introduce(self, table: str, about: bytes) -> None:
        """Keep a catalogue of this one table beside its frame, for when its process is dead.

        Raises:
            BrokerError: the broker did not take it; it may be tried again.
        """

    async def kept(self, table: str) -> tuple[bytes | None, bytes | None]:
        """Return what a table was introduced with, and the header of the frame that is kept."""

    async def drop(self, table: str) -> None:
        """Forget a table; who is just reading its last frame still gets it."""

    async def say(self, beat: bytes) -> None:
        """Say a catalogue to all who listen now."""

    async def hear(self, on_beat: Callable[[bytes], None]) -> None:
        """Listen to catalogues."""

    async def names(self) -> list[str]:
        """Return the tables of which the broker keeps a frame.

        Raises:
            BrokerError: it does not say just now.
        """

    async def follow(self, table: str, on_part: OnPart) -> Callable[[], Awaitable[None]]:
        """Listen to a table's frames, the one that is kept first; return what ends it."""


async def opened(broker: Broker, on_away: Callable[[str], object]) -> None:
    """Connect to a broker, once it is there.

    Args:
        broker: The broker.
        on_away: Told why it is waited for, as often as that is tried.

    Raises:
        BrokerError: it does not let us in, or can't be used.
    """
    while True:
        try:
            await broker.open()
            return
        except BrokerAway as error:
            on_away(str(error))
            await asyncio.sleep(_AGAIN_SECONDS)


def broker_at(endpoint: str) -> Broker:
    """Return a broker, not connected yet.

    Raises:
        BadEndpoint: it can't be an address.
        MissingExtra: the package that speaks to it is not installed.
    """
    read_address(endpoint)
    module, extra = BROKERS[endpoint.partition("://")[0]]
    need(module, extra, f"{endpoint.partition('://')[0]}://")
    broker: Broker = importlib.import_module(f"livetable.feed.brokers.{module}").connect(endpoint)
    return broker


def why_of(error: Exception) -> str:
    """Return in a few words what went wrong at a broker."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        if (error.errno or 0) > 0:
            return os.strerror(error.errno or 0)
        if error.strerror:
            return error.strerror
    return safe_str(error) or "no answer in time"


def pack(header: bytes, body: memoryview | bytes = b"") -> bytes:
    """Return a message: the header, a line break, which JSON has none of, and the body's part."""
    return b"\n".join((header, body))


def unpack(message: bytes) -> tuple[bytes, memoryview]:
    """Return a message's header and its part of the body."""
    at = message.find(b"\n")
    return message[: at if at >= 0 else None], memoryview(message)[at + 1 if at >= 0 else 0 :]
