"""Watch the folders of local tables for changes."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from livetable.feed.errors import RuntimeFolder
from livetable.feed.local import folders
from livetable.feed.local.folders import check_folder, own_folder
from livetable.feed.local.viewer_sockets import sweep

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_LONG_MS: Final = 3_600_000
_LOOK_SECONDS: Final = 0.3


def changes(stop: threading.Event) -> Iterator[frozenset[str] | None]:
    """Yield once at the start and then at each change of the folders, until `stop` is set.

    Raises:
        RuntimeFolder: there is no folder to watch.
    """
    own_folder()  # creates a folder to watch before the first feed starts
    sweep()
    # Feeds that are started elsewhere (cron, a service) may use another folder.
    for folder in folders.folders():
        if folder.parent.is_dir():
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700)
    places = [str(folder) for folder in folders.folders() if _is_safe(folder)]
    yield from changes_in(places, stop)


def changes_in(
    places: list[str], stop: threading.Event, patience: Callable[[], float | None] = lambda: None
) -> Generator[frozenset[str] | None]:
    """Yield once at the start and then at each change of some folders, until `stop` is set.

    Args:
        places: The folders.
        stop: Set it to end the loop, also while it waits.
        patience: Returns the seconds after which to yield without a change, None for never.

    Yields:
        The paths that changed; an empty set after `patience` seconds without a change; None if any
        path may have changed: at the start, and after a file name that can't be decoded.
    """
    # Not `watchfiles.watch`: it starts to watch only after its caller has looked, and misses
    # changes in between.
    from watchfiles._rust_notify import WatchfilesRustInternalError

    while not stop.is_set():
        with _watcher(places) as watcher:
            yield None
            while not stop.is_set():
                seconds = patience()
                wait = _LONG_MS if seconds is None else int(seconds * 1000)
                try:
                    changed = watcher.watch(20, 10, wait, stop)
                # it would fail at each further call: watch anew
                except WatchfilesRustInternalError:
                    break
                if changed == "stop" or changed == "signal":
                    return
                if changed != "timeout":
                    yield frozenset(path for _, path in changed)
                elif seconds is not None:
                    yield frozenset()


def _watcher(places: list[str]) -> RustNotify | _Looking:
    """Return a watcher of folders: file events, or polling where the system has no watch left.

    Linux gives each user 128 inotify instances: the 129th viewer or feed would fail without this.
    """
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    try:
        return RustNotify(places, False, False, 0, False, True)
    except (WatchfilesRustInternalError, OSError):
        return _Looking(places)


class _Looking:
    """Polls folders, in place of file events.

    watchfiles' own polling compares times in whole seconds: it missed the second of two changes to
    a file within a second.

    Args:
        places: The folders.

    Raises:
        FileNotFoundError: one of them is not there.
    """

    def __init__(self, places: list[str]) -> None:
        for place in places:
            os.stat(place)
        self._places = places
        self._pause = _LOOK_SECONDS
        self._seen = self._look()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def watch(
        self, debounce: int, step: int, timeout: int, stop: threading.Event
    ) -> set[tuple[int, str]] | Literal["stop", "timeout"]:
        """Wait for changes, as watchfiles' do."""
        until = time.monotonic() + timeout / 1000
        while not stop.wait(max(0.0, min(self._pause, until - time.monotonic()))):
            before, self._seen = self._seen, self._look()
            if changed := before.items() ^ self._seen.items():
                return {(2, path) for path, _ in changed}
            if time.monotonic() >= until:
                return "timeout"
        return "stop"

    def _look(self) -> dict[str, tuple[int, ...]]:
        """Return a state of the folders that differs after any change in them."""
        began, seen = time.monotonic(), dict[str, tuple[int, ...]]()
        for place in self._places:
            with contextlib.suppress(OSError):  # deleted, or not readable
                folder = os.stat(place)
                seen[place] = folder.st_dev, folder.st_ino
                for file in os.scandir(place):
                    with contextlib.suppress(FileNotFoundError):
                        status = file.stat(follow_symlinks=False)
                        seen[file.path] = (
                            status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
                        )  # fmt: skip
        # A folder with a hundred thousand files takes long: poll for at most 5 % of the time.
        self._pause = max(_LOOK_SECONDS, 20 * (time.monotonic() - began))
        return seen


def _is_safe(folder: Path) -> bool:
    with contextlib.suppress(RuntimeFolder, OSError):
        check_folder(folder)
        return True
    return False
