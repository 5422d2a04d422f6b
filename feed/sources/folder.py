"""Publishes the newest file of a folder or pattern, or with `--each` a table for each file."""

from __future__ import annotations

import contextlib
import fnmatch
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livetable.feed.errors import LivetableError
from livetable.feed.protocol.names import name_from
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources import files
from livetable.feed.sources.csv_reader import counted
from livetable.feed.sources.file_types import form_of, path_of
from livetable.feed.sources.followed import FileOptions
from livetable.feed.sources.publish import Publish
from livetable.feed.sources.whereabouts import Way, events_of, way_into, way_to

MOST: Final = 200
"""Files to show as tables, at most."""


class BadFolder(LivetableError):
    """A folder that can't have tables."""


def parted(source: str) -> tuple[Path, str]:
    """Return the folder and the pattern that a source names.

    Raises:
        BadFolder: no such folder, or its own name has a pattern.
    """
    path = path_of(source)
    folder, pattern = (path, "*") if path.is_dir() else (path.parent, path.name)
    if not folder.is_dir():
        if any(sign in str(folder) for sign in "*?["):
            raise BadFolder(f"{source}: put the pattern in the last part, e.g. logs/*.csv")
        raise BadFolder(f"{source}: no folder {folder}")
    return folder.absolute(), pattern


def files_in(folder: Path, pattern: str) -> list[Path]:
    """Return the files there that can be tables, the newest first."""
    candidates = []
    try:
        paths = list(folder.iterdir())
    except OSError:  # deleted: it may be created again
        return []
    for path in paths:
        fits = fnmatch.fnmatch(path.name, pattern) and not path.name.startswith(".")
        if fits and form_of(path.name)[0] is not None:
            with contextlib.suppress(OSError):  # deleted meanwhile
                if path.is_file():  # opening a pipe waits for a writer
                    candidates.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(candidates, reverse=True)]


def _way(folder: Path, pattern: str) -> Way:
    """Return the way into a folder, and to the files elsewhere that links in it lead to."""
    links = [path for path in files_in(folder, pattern)[:MOST] if path.is_symlink()]
    return way_into(folder).joined(map(way_to, links))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(FileOptions):
    """Which files are read, and how.

    Attributes:
        source: The folder, or the pattern.
        each: Whether each file is a table of its own.
    """

    source: str
    each: bool = False


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish the newest file, or each file, until `stop` is set.

    Raises:
        BadFolder: there is no such folder.
    """
    folder, pattern = parted(options.source)
    if options.each:
        _publish_each(folder, pattern, options, publish, stop)
        return
    name = options.name or name_from(path_of(options.source).absolute().name, "files")
    with publish(name, key=options.key, limit=options.limit) as publisher:
        _publish_newest(folder, pattern, options, publisher, stop)


def _publish_newest(
    folder: Path, pattern: str, options: Options, publisher: Publisher, stop: threading.Event
) -> None:
    following: _Following | None = None
    try:
        for _ in events_of(lambda: _way(folder, pattern), stop, lambda: None):
            paths = files_in(folder, pattern)
            if following is not None and (not paths or following.path == paths[0]):
                continue
            if not paths:
                publisher.note(f"no file {folder.name}/{pattern} yet: waiting for one")
                continue
            if following is not None:
                following.end()
            following = _Following(paths[0], options, publisher)
    finally:
        if following is not None:
            following.end()


def _publish_each(
    folder: Path, pattern: str, options: Options, publish: Publish, stop: threading.Event
) -> None:
    following: dict[Path, _Following] = {}
    is_ready = False
    try:
        for _ in events_of(lambda: _way(folder, pattern), stop, lambda: None):
            for path in files_in(folder, pattern)[:MOST]:
                if path not in following:
                    with contextlib.suppress(LivetableError):  # a name that is taken
                        publisher = publish(
                            name_from(path.name, "file"), key=options.key, is_further=True
                        )
                        following[path] = _Following(path, options, publisher)
            if not is_ready:
                is_ready = True
                publish.ready(f"publishing {counted(len(following), 'file')} of {folder}")
    finally:
        for file in following.values():
            file.end()
            file.publisher.close()


class _Following:
    """A file that is followed, in a thread of its own.

    Args:
        path: The file.
        options: How it is read.
        publisher: Where it goes.
    """

    def __init__(self, path: Path, options: FileOptions, publisher: Publisher) -> None:
        self.path = path
        self.publisher = publisher
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=files.follow, args=(path, options, publisher, self._stop, path.name), daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Stop following the file."""
        self._stop.set()
        self._thread.join(5)
