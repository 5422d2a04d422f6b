"""A source that runs in a thread, and the table that it publishes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from livetable.feed import Publisher
from tests.feed.sources.published import Published


class Table:
    """What a source publishes."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.problems: list[BaseException] = []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The newest rows, none while there is no table."""
        snapshot = self.publisher._state.since(None)
        if snapshot is None:
            return []
        with pa.ipc.open_stream(snapshot.body.data) as stream:
            rows: list[dict[str, Any]] = stream.read_all().to_pylist()
            return rows

    @property
    def failure(self) -> str | None:
        """Why there is no table."""
        return self.publisher._state.failed

    @property
    def note(self) -> str | None:
        return self.publisher._state.note

    @property
    def ended(self) -> bool:
        return self.publisher._state.ended


@contextmanager
def running(module: Any, **options: Any) -> Iterator[Table]:
    """Run a source in a thread; it has to end when it is told to."""
    given = module.Options(**options)
    stop = threading.Event()
    with Publisher("source", key=given.key, limit=given.limit) as publisher:
        table = Table(publisher)

        def act() -> None:
            try:
                module.run(given, Published(publisher), stop)
            except BaseException as error:
                table.problems.append(error)

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        try:
            yield table
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()
