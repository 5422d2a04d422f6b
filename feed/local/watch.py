"""Tells when local tables come or go, by file events on their folders."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livetable.feed.errors import RuntimeFolder
from livetable.feed.local.folders import check_folder, folders, own_folder
from livetable.feed.local.viewer_sockets import sweep

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_LONG_MS: Final = 3_600_000
_LOOK_MS: Final = 300


def changes(stop: threading.Event) -> Iterator[frozenset[str] | None]:
    """Yield once at the start and then at each change of the folders, until `stop` is set.

    Raises:
        RuntimeFolder: there is no folder to watch.
    """
    own_folder()  # there is something to watch before the first feed starts
    sweep()
    for folder in folders():  # feeds started elsewhere (cron, a service) may come to use another
        if folder.parent.is_dir():
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700)
    places = [str(folder) for folder in folders() if _is_safe(folder)]
    yield from changes_in(places, stop)


def changes_in(
    places: list[str], stop: threading.Event, patience: Callable[[], float | None] = lambda: None
) -> Generator[frozenset[str] | None]:
    """Yield once at the start and then at each change of some folders, until `stop` is set.

    Args:
        places: The folders.
        stop: Ends it, also while it waits.
        patience: Returns after how many seconds without a change to say so, None for never.

    Yields:
        Paths that changed; None where all may have: at the start, and where a name is no text. Of
        nothing that changed, for as long as `patience` said, none.
    """
    # Not `watchfiles.watch`: that starts to watch after its caller has looked, and misses what
    # comes in between.
    from watchfiles._rust_notify import WatchfilesRustInternalError

    while not stop.is_set():
        with _watcher(places) as watcher:
            yield None
            while not stop.is_set():
                seconds = patience()
                wait = _LONG_MS if seconds is None else int(seconds * 1000)
                try:
                    told = watcher.watch(20, 10, wait, stop)
                except WatchfilesRustInternalError:  # from now on it would say so at each call
                    break
                if told == "stop" or told == "signal":
                    return
                if told != "timeout":
                    yield frozenset(path for _, path in told)
                elif seconds is not None:
                    yield frozenset()


def _watcher(places: list[str]) -> RustNotify:
    """Return what watches folders; where no more can be told of events, it looks now and then.

    Linux gives each user 128 of what tells: without this the 129th viewer or feed would fail.
    """
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    try:
        return RustNotify(places, False, False, _LOOK_MS, False, True)
    except (WatchfilesRustInternalError, OSError):
        return RustNotify(places, False, True, _LOOK_MS, False, True)


def _is_safe(folder: Path) -> bool:
    with contextlib.suppress(RuntimeFolder, OSError):
        check_folder(folder)
        return True
    return False
