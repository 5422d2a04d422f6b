"""The source `processes`: what runs on this machine, once a second, the busiest first."""

from __future__ import annotations

import threading
from typing import Any, Final

import pandas as pd
import psutil

from livetable.feed.sources.options import TableOptions
from livetable.feed.sources.publish import Publish

_SECONDS: Final = 1.0
_CALM: Final = 0.3
"""Weight of the newest second in the order: a single busy second does not reorder the table."""

_ASKED: Final = [
    "name", "username", "status", "cpu_percent", "memory_info",
    "num_threads", "io_counters", "create_time", "cmdline",
]  # fmt: skip

_TYPES: Final = {
    "pid": "int64", "cpu %": "Float64", "memory MB": "Float64", "threads": "Int64",
    "read MB": "Float64", "written MB": "Float64",
}  # fmt: skip
"""Nullable types: what may not be read is missing, not a number."""


Options = TableOptions


class Processes:
    """Reads the process table; remembers how busy each process has been."""

    def __init__(self) -> None:
        self._busy: dict[tuple[int, float], float] = {}

    def frame(self) -> pd.DataFrame:
        """Return one row per process, keyed by pid; what may not be read of one is missing."""
        rows = [_row(process) for process in psutil.process_iter(_ASKED)]
        busy = {}
        for row in rows:
            process = (row["pid"], row["created"])
            busy[process] = (
                self._busy.get(process, 0.0) * (1 - _CALM) + (row["cpu %"] or 0.0) * _CALM
            )
        self._busy = busy
        rows.sort(
            key=lambda row: (
                -round(busy[row["pid"], row["created"]]), -(row["memory MB"] or 0.0), row["pid"]
            )
        )  # fmt: skip
        frame = pd.DataFrame(rows)
        created = pd.to_datetime(frame.pop("created"), unit="s", utc=True)
        started = created.dt.tz_convert(_local_zone()).dt.tz_localize(None).dt.floor("s")
        frame.insert(len(frame.columns) - 1, "started", started.astype("datetime64[s]"))
        return frame.astype(_TYPES)


def run(options: TableOptions, publish: Publish, stop: threading.Event) -> None:
    """Send the process table every second until stopped."""
    processes = Processes()
    with publish(
        options.name or "processes", key=options.key or "pid", limit=options.limit
    ) as publisher:
        processes.frame()  # psutil tells cpu % as what went by since it was last asked
        stop.wait(0.1)
        while not stop.is_set():
            publisher.send(processes.frame())
            stop.wait(_SECONDS)


def _row(process: psutil.Process) -> dict[str, Any]:
    read: dict[str, Any] = process.info
    memory, io = read["memory_info"], read["io_counters"]
    return {
        "pid": process.pid,
        "user": read["username"],
        "name": read["name"],
        "state": read["status"],
        "cpu %": read["cpu_percent"],
        "memory MB": round(memory.rss / 1e6, 1) if memory else None,
        "threads": read["num_threads"],
        "read MB": round(io.read_bytes / 1e6, 1) if io and io.read_bytes >= 0 else None,
        "written MB": round(io.write_bytes / 1e6, 1) if io and io.write_bytes >= 0 else None,
        "created": read["create_time"] or 0.0,
        "command": " ".join(read["cmdline"] or ()) or f"[{read['name']}]",
    }


def _local_zone() -> Any:
    from datetime import datetime

    return datetime.now().astimezone().tzinfo
