"""Find a local table by its name, and again each time that it moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator


def endpoints_of(
    name: str, stop: threading.Event, missing: Callable[[], object] = lambda: None
) -> Iterator[str]:
    """Yield the endpoint of a local table, and its current endpoint again at each further step.

    Blocks until the table exists, without using the processor; ends when `stop` is set.

    Args:
        name: The table's name.
        stop: Set it to end the loop.
        missing: Called when there is no such table now.

    Raises:
        RuntimeFolder: there is no usable folder.
    """
    from livetable.feed.local.directory import find

    # Look before importing the watcher: the import takes longer than finding an existing table.
    if tables := find(name):
        yield tables[0].endpoint
    from livetable.feed.local.watch import changes

    while not stop.is_set():
        for _ in changes(stop):
            if tables := find(name):
                yield tables[0].endpoint
                break
            missing()
