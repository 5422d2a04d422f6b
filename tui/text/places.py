"""The feed processes that this viewer has started, by their endpoints.

Their sockets are internal: what a person reads names the source instead (`place`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from livetable.feed.base.command_line import without_sockets


class Started(Protocol):
    """A feed process that this viewer has started."""

    @property
    def title(self) -> str:
        """Its source's name for a person: ``standard input``, ``orders.csv``."""
        ...

    @property
    def awaits(self) -> str:
        """What the viewer is waiting for until there is a table: ``rows on standard input``."""
        ...

    @property
    def failure(self) -> str | None:
        """Why it can't publish anything, None if it can."""
        ...

    @property
    def over(self) -> bool:
        """Whether it has ended and is not restarted."""
        ...

    def listen(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Call `callback` when there is a `failure`; return a function that stops that."""
        ...


_started: Final[dict[str, Started]] = {}


def add(endpoint: str, feed: Started) -> None:
    """Register a feed."""
    _started[endpoint] = feed


def remove(endpoint: str) -> None:
    """Unregister a feed."""
    _started.pop(endpoint, None)


def started(endpoint: str | None) -> Started | None:
    """Return the feed process at an endpoint, None if this viewer has not started it."""
    return _started.get(endpoint) if endpoint is not None else None


def place(endpoint: str) -> str:
    """Return an endpoint's name for a person."""
    feed = started(endpoint)
    # A browser's viewer shows a feed that the serving process has started: it only has the socket.
    return feed.title if feed is not None else without_sockets(endpoint)
