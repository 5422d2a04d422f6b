"""The contract between a source and its caller: how a source publishes tables."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from livetable.feed.server.publisher import Publisher


class Publish(Protocol):
    """Makes a source's tables where the command line says, and passes on its notes."""

    def __call__(
        self,
        name: str,
        *,
        key: Any = None,
        limit: int | None = None,
        ttl: float | None = None,
        is_further: bool = False,
    ) -> Publisher:
        """Return a new table's publisher; the source closes it.

        Args:
            name: The table's name.
            key: What identifies a row.
            limit: The most rows that it keeps.
            ttl: Seconds after which a row goes that was not sent again.
            is_further: Whether it is one of several tables: neither is it announced by itself, nor
                does its failure end anything.

        Raises:
            LivetableError: there can be no such table; the sentence says why.
        """

    def ready(self, sentence: str) -> None:
        """Announce a source of several tables."""

    def away(self, state: str) -> None:
        """Tell the state of what the source waits for: ``does not answer (…)``."""


Run = Callable[[Any, Publish, threading.Event], None]
"""A source's entry point, `run(options, publish, stop)`: publishes until `stop` is set."""
