"""The events that a reader of an endpoint yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from livetable.feed.client.requests import News


@dataclass(frozen=True, slots=True)
class Link:
    """The connection came or went.

    Attributes:
        connected: Whether the other side answered the ZeroMQ handshake.
    """

    connected: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """A table's feed stopped answering.

    Attributes:
        table: The table's name, None for the catalogue.
    """

    table: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot in parts is on its way.

    Attributes:
        table: The table's name.
        done: The share that has arrived, from 0 to 1.
    """

    table: str
    done: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that does not follow the protocol was dropped.

    Attributes:
        reason: Why, as a sentence.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """The feed and this reader don't agree on keys; the reader tries again.

    Attributes:
        reason: Why, and what to do, as a sentence.
    """

    reason: str


Event: TypeAlias = News | Link | Gone | Progress | Refused | Barred
