"""Where a table is, and again wherever it moves to: found by its name, by file events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator


def endpoints_of(
    name: str, stop: threading.Event, missing: Callable[[], object] = lambda: None
) -> Iterator[str]:
    """Yield the endpoint of a local table, again each time the caller comes back for another.

    Blocks until the table is there, without using the processor; ends when `stop` is set.

    Args:
        name: The table's name.
        stop: Ends it.
        missing: Called when there is no such table now.

    Raises:
        RuntimeFolder: there is no folder in which it could be.
    """
    from livetable.feed.local.directory import find

    # Before what watches is imported: it takes longer than to find a table that is there.
    if tables := find(name):
        yield tables[0].endpoint
    from livetable.feed.local.watch import changes

    while not stop.is_set():
        for _ in changes(stop):
            if tables := find(name):
                yield tables[0].endpoint
                break
            missing()
