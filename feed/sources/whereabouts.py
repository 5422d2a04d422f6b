"""Resolves a path through its folders and links, and watches each of them for changes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livetable.feed.local.watch import changes_in

_MOST_LINKS: Final = 40


@dataclass(frozen=True)
class Way:
    """The folders and links that currently lead to a file.

    Attributes:
        folders: The folders on the way, each with its device and inode. A deleted folder that is
            created again has a new inode.
        names: The paths looked up in them. If one of these changes, the file may have changed.
        inside: Folders in which every change matters.
    """

    folders: tuple[tuple[str, int, int], ...]
    names: frozenset[str]
    inside: frozenset[str] = frozenset()

    def concerns(self, paths: frozenset[str]) -> bool:
        """Tell whether changes of these paths may have changed the file or folder."""
        if not paths.isdisjoint(self.names):
            return True
        return bool(self.inside) and any(os.path.dirname(path) in self.inside for path in paths)

    def joined(self, others: Iterable[Way]) -> Way:
        """Return these ways as one."""
        ways = [self, *others]
        return Way(
            tuple(dict.fromkeys(folder for way in ways for folder in way.folders)),
            frozenset[str]().union(*(way.names for way in ways)),
            frozenset[str]().union(*(way.inside for way in ways)),
        )


def way_into(folder: Path) -> Way:
    """Return the way to a folder in which every change matters."""
    way = way_to(folder / "x")
    inside = [way.folders[-1][0]] if way.folders and folder.is_dir() else []
    return Way(way.folders, way.names, frozenset(inside))


def way_to(path: Path) -> Way:
    """Return the way to a file. If part of it is missing, return the way up to there."""
    folders: dict[str, tuple[str, int, int]] = {}
    names: set[str] = set()
    parts = list(reversed(Path(os.path.abspath(path)).parts[1:]))
    folder, links = "/", 0
    while parts:
        name = parts.pop()
        if name == "..":  # only in a link's target: the path is absolute
            folder = os.path.dirname(folder)
            continue
        try:
            status = os.stat(folder)
        except OSError:
            break
        folders[folder] = (folder, status.st_dev, status.st_ino)
        path_here = os.path.join(folder, name)
        names.add(path_here)
        try:
            target = os.readlink(path_here)
        except OSError:  # not a link, or missing
            folder = path_here
            continue
        links += 1
        if links > _MOST_LINKS:
            break
        parts += reversed([part for part in target.split("/") if part not in ("", ".")])
        folder = "/" if target.startswith("/") else folder
    return Way(tuple(folders.values()), frozenset(names))


def events(
    path: Path, stop: threading.Event, patience: Callable[[], float | None]
) -> Iterator[bool]:
    """Yield at once, and whenever a file may have changed, until `stop` is set.

    Follows links that change, and folders that are renamed or created again.

    Args:
        path: The file; it need not exist.
        stop: Ends the wait.
        patience: Returns the seconds to wait for a change before yielding True, None for ever.

    Yields:
        False for a change, True if none arrived in time.
    """
    yield from events_of(lambda: way_to(path), stop, patience)


def events_of(
    find: Callable[[], Way], stop: threading.Event, patience: Callable[[], float | None]
) -> Iterator[bool]:
    """Yield at once, and whenever what a way leads to may have changed, until `stop` is set.

    Args:
        find: Returns the current way.
        stop: Ends the wait.
        patience: Returns the seconds to wait for a change before yielding True, None for ever.

    Yields:
        False for a change, True if none arrived in time.
    """
    while not stop.is_set():
        way = find()
        folders = [folder for folder, _, _ in way.folders]
        try:
            with contextlib.closing(changes_in(folders, stop, patience)) as changes:
                for paths in changes:
                    if paths is None or way.concerns(paths):
                        yield False
                        # Check after the watch has started, and also right then: else a change of
                        # the way between two watches is missed. A folder that was moved is no
                        # longer watched, even if it is back already.
                        if find() != way or (paths and not paths.isdisjoint(folders)):
                            break
                    elif not paths:
                        yield True
        except FileNotFoundError:  # a folder was deleted before the watch started
            continue
