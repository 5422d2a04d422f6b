"""Sources: each turns something into frames, one file each. `find_source` knows them by name.

A source is a function that is given its options, a publisher and an event to stop by, and that
sends frames until the event is set.
"""

from __future__ import annotations

import argparse
import importlib
import threading
from collections.abc import Callable
from typing import Final

from livetable.feed.publisher import Publisher

Run = Callable[[argparse.Namespace, Publisher, threading.Event], None]

_BY_NAME: Final = {
    "demo": ("livetable.feed.sources.demo", "symbol"),
    "processes": ("livetable.feed.sources.processes", "pid"),
}
_BY_SCHEME: Final = {
    "tcp": ("livetable.feed.sources.foreign", None),
    "ipc": ("livetable.feed.sources.foreign", None),
}


def find_source(source: str) -> tuple[Run, str | None] | None:
    """Return the function for a source and its table's key column, None if there is no such source.

    Args:
        source: A name (``demo``) or an address (``tcp://host:port``).
    """
    found = _BY_NAME.get(source) or _BY_SCHEME.get(
        source.split("://")[0] if "://" in source else ""
    )
    if found is None:
        return None
    module, key = found
    run: Run = importlib.import_module(module).run
    return run, key


def source_names() -> list[str]:
    """Return what `find_source` knows, as it is written on a command line."""
    return [*_BY_NAME, *(f"{scheme}://…" for scheme in _BY_SCHEME)]
