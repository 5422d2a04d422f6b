"""Tells when local tables come or go, by file events on their folders."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from livetable.feed.directory import check_folder, folders, own_folder
from livetable.feed.errors import RuntimeFolder


def changes(stop: threading.Event) -> Iterator[None]:
    """Yield once at the start and then at each change of the folders, until `stop` is set.

    Raises:
        RuntimeFolder: there is no folder to watch.
    """
    own_folder()  # there is something to watch before the first feed starts
    for folder in folders():  # feeds started elsewhere (cron, a service) may come to use another
        if folder.parent.is_dir():
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700)
    places = [str(folder) for folder in folders() if _is_safe(folder)]
    yield from changes_in(places, stop)


def changes_in(places: list[str], stop: threading.Event) -> Iterator[None]:
    """Yield once at the start and then at each change of some folders, until `stop` is set."""
    # Not `watchfiles.watch`: that starts to watch after its caller has looked, and misses what
    # comes in between.
    from watchfiles._rust_notify import RustNotify

    with RustNotify(places, False, False, 300, False, True) as watcher:
        yield None
        while not stop.is_set():
            told = watcher.watch(50, 50, 3_600_000, stop)
            if told == "stop" or stop.is_set():
                return
            if told != "timeout":
                yield None


def _is_safe(folder: Path) -> bool:
    with contextlib.suppress(RuntimeFolder, OSError):
        check_folder(folder)
        return True
    return False
