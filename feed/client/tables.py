"""`tables()`: which tables there are now, for scripts."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import NamedTuple

from livetable.feed.client.connection import Client
from livetable.feed.client.events import Barred, Gone
from livetable.feed.client.requests import News
from livetable.feed.errors import BadKey, LivetableError
from livetable.feed.local.directory import entries
from livetable.feed.local.endpoints import check_endpoint


class TableInfo(NamedTuple):
    """A table that can be read.

    Attributes:
        table: Its name.
        rows: Rows of its newest frame; None where its process did not answer.
        columns: Columns of its newest frame, without the index; None where it did not answer.
        rate: Frames a second; None where it did not answer.
        age: Seconds since its newest frame; None if there is none, or it did not answer.
        process: What its process is called; None where it did not answer.
        pid: Its process.
        state: ``live``, ``ended``, ``gone`` (its process is not heard any more), or ``silent`` (its
            process is there, and did not answer in time).
        endpoint: Where it is.
    """

    table: str
    rows: int | None
    columns: int | None
    rate: float | None
    age: float | None
    process: str | None
    pid: int
    state: str
    endpoint: str


def tables(endpoint: str | None = None, *, timeout: float = 1.0) -> list[TableInfo]:
    """Return the tables that there are now, by name.

    Args:
        endpoint: Where to look; None: the tables of this user on this machine.
        timeout: Seconds to wait at most for the processes that publish them.

    Raises:
        BadEndpoint: the endpoint can't be one.
        BadKey: the feed does not let this user in, or does not prove its key.
        TimeoutError: nothing answers at the endpoint.
    """
    if endpoint is not None:
        check_endpoint(endpoint)
        answer = _Answer(endpoint, timeout)
        answer.wait()
        if answer.infos is None:
            raise TimeoutError(f"nothing answered at {endpoint} within {timeout:g} s")
        return sorted(answer.infos.values())
    by_process: dict[str, dict[str, tuple[str, int]]] = {}
    for entry in entries():
        names = by_process.setdefault(entry.process or entry.endpoint, {})
        names[entry.name] = (entry.endpoint, entry.pid)
    answers = {process: _Answer(process, timeout) for process in by_process}
    found = []
    for process, names in by_process.items():
        with contextlib.suppress(LivetableError):  # its tables are silent
            answers[process].wait()
        infos = answers[process].infos or {}
        for name, (place, pid) in names.items():
            silent = TableInfo(name, None, None, None, None, None, pid, "silent", place)
            found.append(infos.get(name, silent)._replace(endpoint=place))
    return sorted(found, key=lambda one: (one.table, one.pid))


class _Answer:
    """The catalogue of one process, asked for in a thread of its own.

    Args:
        endpoint: Where the process listens.
        timeout: Seconds to wait at most.
    """

    def __init__(self, endpoint: str, timeout: float) -> None:
        self.infos: dict[str, TableInfo] | None = None
        self._failure: LivetableError | None = None
        self._endpoint = endpoint
        self._until = time.monotonic() + timeout
        self._thread = threading.Thread(target=self._read, daemon=True, name="livetable-tables")
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is there, or in vain.

        Raises:
            LivetableError: the process does not let this user in.
        """
        self._thread.join(max(0.0, self._until - time.monotonic()) + 1.0)
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        try:
            client = Client(self._endpoint)
        except LivetableError as error:
            self._failure = error
            return
        try:
            client.ask(None)
            for event in client.events(max(0.0, self._until - time.monotonic())):
                if isinstance(event, News) and event.header.kind == "catalogue":
                    self.infos = {
                        one.name: TableInfo(
                            one.name, one.rows, one.columns, one.rate, one.age, one.process,
                            one.pid, one.state or "live", self._endpoint,
                        )
                        for one in event.header.tables
                    }  # fmt: skip
                    return
                if isinstance(event, Barred):
                    self._failure = BadKey(event.reason)
                    return
                if isinstance(event, Gone):
                    return
        finally:
            client.close()
            for _ in client.events(0):  # closes the sockets
                pass
