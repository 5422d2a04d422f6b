"""The content of a name's file: which process publishes the table, and where."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livetable.feed.base.descriptors import crowded
from livetable.feed.base.native import original
from livetable.feed.local.endpoints import socket_path
from livetable.feed.local.homes import lives_by
from livetable.feed.protocol.names import MAX_NAME


@dataclass(frozen=True, slots=True)
class Entry:
    """A table that a process of this user publishes on this machine.

    Attributes:
        name: The table's name.
        endpoint: Where it is published.
        pid: The process that publishes it.
        process: The socket that it shares with all the process's tables, if that has one.
    """

    name: str
    endpoint: str
    pid: int
    process: str = ""


def write_record(descriptor: int, record: dict[str, Any]) -> None:
    """Replace the content of a name's file."""
    data = json.dumps(record).encode() + b"\n"
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))


def record_of(file: str | Path) -> dict[str, Any] | None:
    """Return the record in a file, None if it can't be read now."""
    try:
        with open(file, "rb") as opened:
            record = json.loads(opened.read(4096))
    except (OSError, ValueError):
        return None  # just being written, or just removed
    return record if isinstance(record, dict) else None


def entry_of(record: dict[str, Any] | None) -> Entry | None:
    """Return the table that a record describes, None if it is incomplete."""
    if record is None:
        return None
    name, endpoint, pid = record.get("name"), record.get("endpoint"), record.get("pid")
    if isinstance(name, str) and isinstance(endpoint, str) and type(pid) is int:
        return Entry(name[:MAX_NAME], endpoint, pid)
    return None


def holder_of(file: str, known: dict[str, bool]) -> Entry | None:
    """Return the table of a name's file, None if there is none or its process is dead.

    Args:
        file: The name's file.
        known: Which processes are alive, as far as known; answers are added.
    """
    record = record_of(file)
    entry = entry_of(record)
    if record is None:
        return None
    process = record.get("process")
    if not isinstance(process, str):  # written by an older livetable
        return entry if entry is not None and _answers(entry) else None
    if os.path.basename(process) != process or not process:
        return None
    if not lives_by(os.path.join(os.path.dirname(file), process), known):
        return None
    if entry is None and type(record.get("pid")) is int and record.get("endpoint") is None:
        # claimed, but not published yet
        return Entry(str(record.get("name"))[:MAX_NAME], "", record["pid"])
    if entry is not None and socket_path(entry.endpoint) is not None:
        shared = process.removesuffix(".process") + ".sock"
        return dataclasses.replace(
            entry, process=f"ipc://{os.path.join(os.path.dirname(file), shared)}"
        )
    return entry


def _answers(entry: Entry) -> bool:
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # the number now belongs to another user's process
    path = socket_path(entry.endpoint)
    if path is None or crowded(entry.pid) is not None:
        return True  # a connection would end a process without free descriptors
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(path)
        except OSError as error:
            return error.errno == errno.EAGAIN  # it is alive, but its backlog is full
    return True
