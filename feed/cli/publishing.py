"""What `livetable-feed` gives a source to publish with: publishers as its command line says."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from livetable.feed.base.addresses import shown
from livetable.feed.base.command_line import AWAY, say, say_plainly
from livetable.feed.server.publisher import Publisher


class Publishing:
    """Makes a source's tables, and says on stderr where they are and what is wrong.

    Args:
        program: The command's name.
        options: What was parsed of its command line.
        stop: Is set where a failure is the end.
        is_over: Whether a failure is the end.

    Attributes:
        failed: Whether a failure was.
    """

    def __init__(
        self, program: str, options: argparse.Namespace, stop: threading.Event, *, is_over: bool
    ) -> None:
        self.failed = False
        self._program = program
        self._options = options
        self._stop = stop
        self._is_over = is_over
        self._failure = ""
        self._announced = options.bind

    def __call__(
        self,
        name: str,
        *,
        key: Any = None,
        limit: int | None = None,
        ttl: float | None = None,
        is_further: bool = False,
    ) -> Publisher:
        """Return a new table's publisher, as `Publish` says."""
        options = self._options
        publisher = Publisher(
            name, key=key, endpoint=options.bind, limit=limit, ttl=ttl, listed=not options.tied,
            secure=options.secure,
        )  # fmt: skip
        if options.tied:
            return publisher
        if is_further:
            self._announce_place(publisher.endpoint)
        else:
            publisher.on_failure = self._on_failure
            self._announce(publisher)
        return publisher

    def ready(self, sentence: str) -> None:
        """Say that a source with several tables works, and what it does."""
        say_plainly("ready" if self._options.tied else sentence)

    def away(self, state: str) -> None:
        """Say how it is with what the source waits for."""
        if self._options.tied:
            say_plainly(f"{AWAY}{state}")
        else:
            say(self._program, f"{shown(self._options.source)} {state}: waiting for it")

    def _announce(self, publisher: Publisher) -> None:
        # As it was bound: port 0 takes a free one. A broker's is shown without its password.
        self._announced = publisher.endpoint
        show = f"livetable {publisher.endpoint if self._options.bind else repr(publisher.name)}"
        say_plainly(f"publishing {publisher.name!r}; to watch it: {show}")

    def _announce_place(self, endpoint: str) -> None:
        # A free port was taken: another one each time, once the last table there has ended.
        if endpoint.startswith("tcp://") and endpoint != self._announced:
            self._announced = endpoint
            say_plainly(f"to watch the tables: livetable {endpoint}")

    def _on_failure(self, sentence: str) -> None:
        if sentence != self._failure:  # a command fails as it did, every two seconds
            self._failure = sentence
            say(self._program, sentence)
        if self._is_over:  # files and commands may do better next time
            self.failed = True
            self._stop.set()
