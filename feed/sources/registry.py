"""Sources: each turns something into frames, one file each. `find_source` knows them by name.

A source is a function that is given its options, a publisher and an event to stop by, and that
sends frames until the event is set.
"""

from __future__ import annotations

import argparse
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.file_types import form_of, is_folder

Run = Callable[[argparse.Namespace, Publisher, threading.Event], None]
RunMany = Callable[[argparse.Namespace, "MakePublisher", threading.Event], None]


class MakePublisher(Protocol):
    """Makes a publisher where the command line says, for a source that has many tables."""

    def __call__(
        self,
        name: str,
        *,
        key: Any = None,
        limit: int | None = None,
        ttl: float | None = None,
    ) -> Publisher:
        """Return a publisher."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is published.

    Attributes:
        run: Publishes it as one table until it is stopped; None for what is many tables.
        run_many: Publishes it as tables that it makes itself; None for what is one.
        key: The one table's key column.
    """

    run: Run | None
    run_many: RunMany | None = None
    key: str | None = None


_BY_NAME: Final = {
    "command": ("livetable.feed.sources.command", None),
    "demo": ("livetable.feed.sources.demo", "symbol"),
    "-": ("livetable.feed.sources.stdin", None),
    "processes": ("livetable.feed.sources.processes", "pid"),
    "replay": ("livetable.feed.sources.tape", None),
}
_BY_SCHEME: Final = {
    "tcp": ("livetable.feed.sources.zeromq", None),
    "ipc": ("livetable.feed.sources.zeromq", None),
    "http": ("livetable.feed.sources.http", None),
    "nats": ("livetable.feed.sources.broker", None),
    "tls": ("livetable.feed.sources.broker", None),
    "redis": ("livetable.feed.sources.broker", None),
    "rediss": ("livetable.feed.sources.broker", None),
}


def find_source(source: str, *, each: bool = False) -> Source | None:
    """Return how a source is published, None if there is no such source.

    Args:
        source: A name (``demo``), an address (``tcp://host:port``), a file, a folder or a pattern.
        each: Whether each file of a folder is a table.
    """
    if "://" not in source and source not in _BY_NAME and is_folder(source):
        folder = importlib.import_module("livetable.feed.sources.folder")
        return Source(None, folder.run_each) if each else Source(folder.run)
    found = _BY_NAME.get(source) or _BY_SCHEME.get(
        source.split("://")[0] if "://" in source else ""
    )
    if found is None and "://" not in source and form_of(source)[0] is not None:
        found = ("livetable.feed.sources.files", None)
    if found is None:
        return None
    name, key = found
    module = importlib.import_module(name)
    if getattr(module, "MANY", False):
        return Source(None, module.run)
    return Source(module.run, key=key)


def source_names() -> list[str]:
    """Return what `find_source` knows, as it is written on a command line."""
    return [*_BY_NAME, *(f"{scheme}://…" for scheme in _BY_SCHEME), "files (.csv, .parquet, …)"]
