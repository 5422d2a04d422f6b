"""List this user's tables on this machine by their files.

Each process that publishes has two files in a folder that only its user can enter: a socket, and a
file that it keeps locked. The operating system lets go of the lock when the process dies, however
it dies. Each table is one small file there: its name, its endpoint, its process. So a process takes
two descriptors, whatever the number of its tables; and viewers need not ask around.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from livetable.feed.errors import RuntimeFolder
from livetable.feed.local import folders
from livetable.feed.local.endpoints import socket_path
from livetable.feed.local.folders import check_folder
from livetable.feed.local.homes import lives_by
from livetable.feed.local.records import Entry, entry_of, holder_of, record_of
from livetable.feed.protocol.names import MAX_NAME


def entries(name: str | None = None) -> list[Entry]:
    """Return the live tables of this user on this machine, by name.

    Args:
        name: Only tables of this name.
    """
    tables, known = {}, dict[str, bool]()
    for folder in folders.folders():
        try:
            check_folder(folder)
            files = os.listdir(folder)
        except (RuntimeFolder, OSError):
            continue
        stems = [file.removesuffix(".lock") for file in files if file.endswith(".lock")]
        if name is not None:
            stems = [file for file in stems if file == name or file.startswith(name + "@")]
        for stem in stems:
            entry = _linked(folder, stem, known) or holder_of(f"{folder}/{stem}.lock", known)
            if entry is not None and entry.endpoint:
                tables[entry.name, entry.endpoint] = entry
    return [tables[place] for place in sorted(tables)]


def _linked(folder: Path, name: str, known: dict[str, bool]) -> Entry | None:
    """Return a local table by its link alone, without reading its file; None if it has no link."""
    link = f"{folder}/{name}.sock"
    try:
        target = os.readlink(link)
    except OSError:
        return None
    pid = target[1:].partition("-")[0]
    if not (target.startswith(".") and target.endswith(".sock") and pid.isdigit()):
        return None
    if "/" in target or not lives_by(f"{folder}/{target.removesuffix('.sock')}.process", known):
        return None
    return Entry(name[:MAX_NAME], f"ipc://{link}", int(pid), f"ipc://{folder}/{target}")


def find(name: str) -> list[Entry]:
    """Return the live tables called `name`, the local socket's first."""
    return sorted(
        (entry for entry in entries(name) if entry.name == name),
        key=lambda entry: socket_path(entry.endpoint) is None,
    )


def pid_at(endpoint: str) -> int | None:
    """Return the process of an older livetable behind a local endpoint, None if there is none.

    In older ones ZeroMQ listens, and ends the process at its limit of descriptors; newer ones
    refuse a viewer themselves.
    """
    path = Path(endpoint.removeprefix("ipc://"))
    if path.name.startswith("."):
        return None  # a viewer's own feed, or a process of this version
    if (pid := _older_at(path.with_suffix(".lock"), endpoint)) is not None:
        return pid  # usually the file is beside the socket
    for folder in folders.folders():
        with contextlib.suppress(RuntimeFolder, OSError):
            check_folder(folder)
            for file in folder.glob("*@*.lock"):  # tables with an endpoint of their own
                if (pid := _older_at(file, endpoint)) is not None:
                    return pid
    return None


def _older_at(file: Path, endpoint: str) -> int | None:
    record = record_of(file)
    entry = entry_of(record)
    if entry is None or entry.endpoint != endpoint or (record or {}).get("process") is not None:
        return None
    return entry.pid
