"""Where a file really is: each folder and each link on the way to it, watched for changes."""

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
    """The way to a file, as it is now.

    Attributes:
        folders: The folders in which something on the way is looked up, and which ones they are
            (device and number): a folder that was made anew is another one.
        names: The paths that are looked up in them: a change of one of these may change the file.
        inside: Folders of which any change counts.
    """

    folders: tuple[tuple[str, int, int], ...]
    names: frozenset[str]
    inside: frozenset[str] = frozenset()

    def concerns(self, told: frozenset[str]) -> bool:
        """Tell whether changes of some paths may be one of what is at the end of the way."""
        if not told.isdisjoint(self.names):
            return True
        return bool(self.inside) and any(os.path.dirname(path) in self.inside for path in told)

    def joined(self, others: Iterable[Way]) -> Way:
        """Return the ways to all of some files."""
        ways = [self, *others]
        return Way(
            tuple(dict.fromkeys(folder for way in ways for folder in way.folders)),
            frozenset[str]().union(*(way.names for way in ways)),
            frozenset[str]().union(*(way.inside for way in ways)),
        )


def way_into(folder: Path) -> Way:
    """Return the way to a folder, any change in which counts."""
    way = way_to(folder / "x")
    there = way.folders[-1][0] if way.folders and folder.is_dir() else None
    return Way(way.folders, way.names, frozenset() if there is None else frozenset((there,)))


def way_to(path: Path) -> Way:
    """Return the way to a file; as far as it leads where something on it is missing."""
    folders: dict[str, tuple[str, int, int]] = {}
    names: set[str] = set()
    parts = list(reversed(Path(os.path.abspath(path)).parts[1:]))
    at, links = "/", 0
    while parts:
        name = parts.pop()
        if name == "..":  # of a link's target only: the path itself has none
            at = os.path.dirname(at)
            continue
        try:
            found = os.stat(at)
        except OSError:
            break
        folders[at] = (at, found.st_dev, found.st_ino)
        here = os.path.join(at, name)
        names.add(here)
        try:
            target = os.readlink(here)
        except OSError:  # no link, or not there
            at = here
            continue
        links += 1
        if links > _MOST_LINKS:
            break
        parts += reversed([part for part in target.split("/") if part not in ("", ".")])
        at = "/" if target.startswith("/") else at
    return Way(tuple(folders.values()), frozenset(names))


def events(
    path: Path, stop: threading.Event, patience: Callable[[], float | None]
) -> Iterator[bool]:
    """Yield at once, and at each change that may be one of a file, until `stop` is set.

    A link that leads elsewhere, a folder that is made anew or renamed: the file is looked for
    there from then on.

    Args:
        path: The file; it need not be there.
        stop: Ends it, also while it waits.
        patience: Returns after how many seconds without a change to say so, None for never.

    Yields:
        Whether nothing happened, for as long as `patience` said.
    """
    yield from events_of(lambda: way_to(path), stop, patience)


def events_of(
    find: Callable[[], Way], stop: threading.Event, patience: Callable[[], float | None]
) -> Iterator[bool]:
    """Yield at once, and at each change that may be one at the end of a way.

    Args:
        find: Returns the way as it is now.
        stop: Ends it, also while it waits.
        patience: Returns after how many seconds without a change to say so, None for never.

    Yields:
        Whether nothing happened, for as long as `patience` said.
    """
    while not stop.is_set():
        way = find()
        folders = [folder for folder, _, _ in way.folders]
        try:
            with contextlib.closing(changes_in(folders, stop, patience)) as changes:
                for told in changes:
                    if told is None or way.concerns(told):
                        yield False
                        # Only now, and also right after the watch began: a change of the way in
                        # between two watches would be missed. A folder that was moved is watched
                        # no more, also if it is back already.
                        if find() != way or (told and not told.isdisjoint(folders)):
                            break
                    elif not told:
                        yield True
        except FileNotFoundError:  # a folder went before it was watched
            continue
