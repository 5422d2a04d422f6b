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
    from watchfiles import watch

    own_folder()  # there is something to watch before the first feed starts
    places = [folder for folder in folders() if _is_safe(folder)]
    watcher = watch(
        *places, stop_event=stop, debounce=50, step=50, recursive=False, raise_interrupt=False,
        yield_on_timeout=False, rust_timeout=3_600_000,
    )  # fmt: skip
    yield None
    for _ in watcher:
        yield None


def _is_safe(folder: Path) -> bool:
    with contextlib.suppress(RuntimeFolder, OSError):
        check_folder(folder)
        return True
    return False
