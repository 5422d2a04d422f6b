"""The interface of brokers, which carry tables between machines; one file implements each.

They carry the headers and bodies of docs/protocol.md unchanged: snapshots of each table, of which
the broker keeps the newest, and once a second the catalogue of each process as its heartbeat.
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
"""Seconds between the heartbeats of a process."""

SILENT_SECONDS: Final = 2.5
"""After so many seconds without a heartbeat a process counts as dead."""

_AGAIN_SECONDS: Final = 0.3

OnPart = Callable[[bytes, bool], None]
"""Called with a part (see `pack`), and whether it is live and not one that the broker kept."""


class BrokerError(LivetableError):
    """A broker that can't be used; the sentence says why."""


class BrokerAway(BrokerError):
    """A broker that does not answer now, but may later. The sentence says only why."""


class Broker(Protocol):
    """A connection to a broker. All of it in one event loop.

    Attributes:
        part_bytes: Bytes of a body that go into one message.
        on_link: Called when the connection comes and goes.
    """

    part_bytes: int
    on_link: Callable[[bool], None]

    async def open(self) -> None:
        """Connect; on failure, undo what was begun.

        Raises:
            BrokerAway: it does not answer now.
            BrokerError: it refuses the login, or can't be used.
        """

    async def close(self) -> None:
        """Disconnect."""

    async def put(self, table: str, parts: Sequence[bytes]) -> None:
        """Make this the newest frame of a table, for present and later readers.

        Raises:
            BrokerError: the broker did not accept it; try again.
        """

    async def introduce(self, table: str, about: bytes) -> None:
        """Store a catalogue of this one table beside its frame, for when its process is dead.

        Raises:
            BrokerError: the broker did not accept it; try again.
        """

    async def kept(self, table: str) -> tuple[bytes | None, bytes | None]:
        """Return the catalogue stored by `introduce`, and the header of the stored frame."""

    async def drop(self, table: str) -> None:
        """Delete a table; a reader in the middle of its last frame still gets it."""

    async def say(self, beat: bytes) -> None:
        """Send a catalogue to all present listeners."""

    async def hear(self, on_beat: Callable[[bytes], None]) -> None:
        """Listen to catalogues."""

    async def names(self) -> list[str]:
        """Return the names of the tables of which the broker stores a frame.

        Raises:
            BrokerError: it does not answer now.
        """

    async def follow(self, table: str, on_part: OnPart) -> Callable[[], Awaitable[None]]:
        """Listen to a table's frames, the stored one first; return a function that stops it."""


async def opened(broker: Broker, on_away: Callable[[str], object]) -> None:
    """Connect to a broker; while it does not answer, try again.

    Args:
        broker: The broker.
        on_away: Called after each failed attempt with the reason.

    Raises:
        BrokerError: it refuses the login, or can't be used.
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
        BadEndpoint: it is not an address.
        MissingExtra: its client package is not installed.
    """
    read_address(endpoint)
    module, extra = BROKERS[endpoint.partition("://")[0]]
    need(module, extra, f"{endpoint.partition('://')[0]}://")
    broker: Broker = importlib.import_module(f"livetable.feed.brokers.{module}").connect(endpoint)
    return broker


def why_of(error: Exception) -> str:
    """Return an error of a broker in a few words."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        if (error.errno or 0) > 0:
            return os.strerror(error.errno or 0)
        if error.strerror:
            return error.strerror
    return safe_str(error) or "no answer in time"


def pack(header: bytes, body: memoryview | bytes = b"") -> bytes:
    """Return a message: the header as JSON on one line, a line break, and a part of the body."""
    return b"\n".join((header, body))


def unpack(message: bytes) -> tuple[bytes, memoryview]:
    """Return a message's header and its part of the body."""
    at = message.find(b"\n")
    return message[: at if at >= 0 else None], memoryview(message)[at + 1 if at >= 0 else 0 :]
