"""Where a file really is: each folder and each link on the way to it, watched for changes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livetable.feed.watching import changes_in

_MOST_LINKS: Final = 40


@dataclass(frozen=True)
class Way:
    """The way to a file, as it is now.

    Attributes:
        folders: The folders in which something on the way is looked up, and which ones they are
            (device and number): a folder that was made anew is another one.
        names: The paths that are looked up in them: a change of one of these may change the file.
    """

    folders: tuple[tuple[str, int, int], ...]
    names: frozenset[str]


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
    while not stop.is_set():
        way = way_to(path)
        folders = [folder for folder, _, _ in way.folders]
        try:
            with contextlib.closing(changes_in(folders, stop, patience)) as changes:
                for told in changes:
                    if told is None or not told.isdisjoint(way.names):
                        yield False
                        # Only now, and also right after the watch began: a change of the way in
                        # between two watches would be missed. A folder that was moved is watched
                        # no more, also if it is back already.
                        if way_to(path) != way or (told and not told.isdisjoint(folders)):
                            break
                    elif not told:
                        yield True
        except FileNotFoundError:  # a folder went before it was watched
            continue
