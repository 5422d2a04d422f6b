"""The feeds that this process started for itself, by their endpoints: their sockets are internal.

Whatever a person reads names what such a feed publishes (`place`), never its socket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from livetable.feed.base.command_line import without_sockets


class Started(Protocol):
    """A feed of this process's own."""

    @property
    def title(self) -> str:
        """What it publishes, for a person: ``standard input``, ``orders.csv``."""
        ...

    @property
    def awaits(self) -> str:
        """What is waited for until there is a table: ``rows on standard input``."""
        ...

    @property
    def failure(self) -> str | None:
        """Why it can't publish anything, None while it may."""
        ...

    @property
    def over(self) -> bool:
        """Whether it is not started again."""
        ...

    def listen(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Have `callback` called when there is a `failure`; return what ends that."""
        ...


_started: Final[dict[str, Started]] = {}


def add(endpoint: str, feed: Started) -> None:
    """Make a feed known."""
    _started[endpoint] = feed


def remove(endpoint: str) -> None:
    """Forget a feed that was ended."""
    _started.pop(endpoint, None)


def started(endpoint: str | None) -> Started | None:
    """Return the feed of this process's own at an endpoint, None if it is another's."""
    return _started.get(endpoint) if endpoint is not None else None


def place(endpoint: str) -> str:
    """Return what to call an endpoint where a person reads it."""
    feed = started(endpoint)
    # A browser's viewer shows the feed of the process that serves it, and knows only its socket.
    return feed.title if feed is not None else without_sockets(endpoint)
