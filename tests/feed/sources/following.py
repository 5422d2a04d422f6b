"""A file that a source follows in a thread, and what is published of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from livetable.feed import Publisher
from livetable.feed.protocol.source_status import SourceStatus
from livetable.feed.sources import files
from tests.feed.sources.published import Published

Rows = list[dict[str, Any]]


class Followed:
    """A file that is followed by a source in a thread."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.options = files.Options(**{"source": str(path), "encoding": "utf-8"} | more)
        self.publisher = Publisher("file", key=self.options.key)
        self.stop = threading.Event()
        self.problems: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            files.run(self.options, Published(self.publisher), self.stop)
        except BaseException as error:
            self.problems.append(error)

    @property
    def rows(self) -> Rows:
        state = self.publisher._state
        snapshot = state.since(None)
        if snapshot is None:
            return []
        with pa.ipc.open_stream(snapshot.body.data) as stream:
            rows: Rows = stream.read_all().to_pylist()
            return rows

    def column(self, name: str) -> list[Any]:
        with pa.ipc.open_stream(pa.py_buffer(self.publisher.snapshot())) as stream:
            values: list[Any] = stream.read_all().column(name).to_numpy().tolist()
            return values

    @property
    def note(self) -> str | None:
        return self.publisher._state.note

    @property
    def source(self) -> SourceStatus:
        return self.publisher._state._source

    def close(self) -> None:
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.publisher.close()
        assert not self.problems, self.problems


@contextmanager
def followed(path: Path, **more: Any) -> Iterator[Followed]:
    one = Followed(path, **more)
    try:
        yield one
    finally:
        one.close()
