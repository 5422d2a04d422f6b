"""The worker that lists the tables that can be opened, as they come and go."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livetable.feed.base.terminal_text import harmless
from livetable.feed.errors import BadEndpoint, BadKey, RuntimeFolder
from livetable.feed.protocol.messages import Position
from livetable.feed.protocol.table_info import TableInfo
from livetable.tui.target import Target
from livetable.tui.text.ages import age_text
from livetable.tui.text.places import place, started

ANSWER_SECONDS = 0.7
"""A connected publisher that has not answered by then is not livetable's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A table that can be opened.

    Attributes:
        info: The feed's description of the table, None until it arrives.
        endpoint: The feed's endpoint.
        name: The table's name.
        pid: The producer's process.
        answers: Whether its feed answers.
    """

    endpoint: str
    name: str
    pid: int
    info: TableInfo | None = None
    answers: bool = True

    @property
    def lives(self) -> bool:
        """Whether its feed and its producer answer."""
        return self.answers and not (self.info is not None and self.info.state)


class Lister:
    """Lists tables. Call `run` in its own thread.

    Args:
        endpoint: List this endpoint's tables; None: this user's tables on this machine.
        on_change: Called from a worker's thread when the list has changed; once until `take`.
    """

    def __init__(self, endpoint: str | None, on_change: Callable[[], object]) -> None:
        self.endpoint = endpoint
        self.problem: str | None = None
        self.failure: str | None = None
        """Why no table will ever come, None if one may."""
        self.connected = endpoint is None
        self._on_change = on_change
        self._pending = False
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._readers: dict[str, Any] = {}  # endpoint → Client
        self._by_process: dict[str, dict[str, str]] = {}  # a process's socket → name → endpoint
        self._listing: dict[tuple[str, str], Listed] = {}
        self.frames = 0

    def take(self) -> list[Listed]:
        """Return the tables, sorted by name; `on_change` is called for the next change."""
        self._pending = False
        with self._lock:
            return sorted(self._listing.values(), key=lambda one: (one.name, one.endpoint))

    def stop(self) -> None:
        """End `run`. Returns at once."""
        self._stop.set()
        with self._lock:
            for client in self._readers.values():
                client.close()

    def run(self) -> None:
        """List until `stop`."""
        import zmq

        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        feed = started(self.endpoint)
        deaf = feed.listen(self._feed_failed) if feed is not None else None
        try:
            if self.endpoint is not None:
                self._start_reader(self.endpoint, context).join()
            else:
                self._watch(context)
        finally:
            if deaf is not None:
                deaf()
            self.stop()
            context.destroy(0)

    def _feed_failed(self) -> None:
        feed = started(self.endpoint)
        self.problem = self.failure = feed.failure if feed is not None else None
        self._changed()

    def _watch(self, context: Any) -> None:
        from livetable.feed.local.directory import entries
        from livetable.feed.local.watch import changes

        threads: list[threading.Thread] = []
        try:
            for _ in changes(self._stop):
                tables = {(entry.endpoint, entry.name): entry for entry in entries()}
                by_process: dict[str, dict[str, str]] = {}
                for entry in tables.values():
                    at_process = by_process.setdefault(entry.process or entry.endpoint, {})
                    at_process[entry.name] = entry.endpoint
                with self._lock:
                    for key in [key for key in self._listing if key not in tables]:
                        del self._listing[key]
                    for endpoint in [one for one in self._readers if one not in by_process]:
                        self._readers.pop(endpoint).close()
                    self._by_process = by_process
                    for key, entry in tables.items():
                        self._listing.setdefault(key, Listed(key[0], key[1], entry.pid))
                    new = set(by_process) - set(self._readers)
                self._changed()
                threads = [thread for thread in threads if thread.is_alive()]
                threads += [self._start_reader(endpoint, context) for endpoint in sorted(new)]
        except RuntimeFolder as error:
            self.problem = self.failure = str(error)
            self._changed()
            self._stop.wait()
        for thread in threads:
            thread.join()

    def _start_reader(self, endpoint: str, context: Any) -> threading.Thread:
        from livetable.feed.client.connection import Client

        try:
            client = Client(endpoint, context)
        except (BadEndpoint, BadKey) as error:
            self.problem = str(error)
            self._changed()
            thread = threading.Thread(target=self._stop.wait)
            thread.start()
            return thread
        with self._lock:
            self._readers[endpoint] = client
        if self._stop.is_set():
            client.close()
        thread = threading.Thread(
            target=self._read, args=(client,), name="livetable-lister", daemon=True
        )
        thread.start()
        return thread

    def _read(self, client: Any) -> None:
        from livetable.feed.client.events import Barred, Gone, Link
        from livetable.feed.client.requests import News

        client.ask(None)
        for event in client.events():
            if isinstance(event, News) and event.header.kind == "catalogue":
                self.connected = True
                self._take_in(client.endpoint, event.header.tables)
                client.ask(None)
            elif isinstance(event, Gone):
                self._silent(client.endpoint)
            elif isinstance(event, Barred):
                self.problem = event.reason
                self._changed()
            elif isinstance(event, Link) and self.endpoint is not None:
                self.connected = event.connected
                if event.connected:
                    self.problem = self.failure
                self._changed()

    def _take_in(self, endpoint: str, tables: tuple[TableInfo, ...]) -> None:
        self.frames += 1
        with self._lock:
            before = {key for key in self._listing if key[0] == endpoint}
            names = self._by_process.get(endpoint, {})
            for info in tables:
                # A shared local endpoint also has tables that are listed under other endpoints.
                key = (names.get(info.name, endpoint), info.name)
                if self.endpoint is not None or key in self._listing:
                    self._listing[key] = Listed(key[0], info.name, info.pid, info)
            if self.endpoint is not None:
                for key in before - {(endpoint, info.name) for info in tables}:
                    del self._listing[key]
        self._changed()

    def _silent(self, endpoint: str) -> None:
        from dataclasses import replace

        from livetable.feed.local.directory import entries

        lives = {(entry.endpoint, entry.name) for entry in entries()}
        with self._lock:
            names = self._by_process.get(endpoint, {})
            for key, listed in list(self._listing.items()):
                if key[0] != names.get(key[1], endpoint):
                    continue
                if key in lives or self.endpoint is not None:
                    self._listing[key] = replace(listed, answers=False)
                else:  # its process has died
                    del self._listing[key]
        self._changed()

    def _changed(self) -> None:
        if not self._pending and not self._stop.is_set():
            self._pending = True
            with contextlib.suppress(RuntimeError):
                self._on_change()


def live_now() -> str:
    """Return a sentence that names this machine's live tables."""
    from livetable.feed.local.directory import entries

    names = sorted({entry.name for entry in entries()})
    return f"Live now: {', '.join(names[:20])}" if names else "No table is live on this machine"


def as_table(listing: list[Listed], number: int) -> Any:
    """Return a list of tables as a table: the picker shows it like any live table.

    Args:
        listing: The tables.
        number: The number of the list, counted from 1.
    """
    from livetable.feed.arrow.arrays import numbers, texts
    from livetable.feed.frames.decoder import Decoded, Labels
    from livetable.feed.rows.replica import followed
    from livetable.tui.model.table import build

    infos = [one.info for one in listing]
    current = [one.info if one.lives else None for one in listing]
    columns = {
        "table": texts([one.name for one in listing]),
        "rows": numbers([info.rows if info else None for info in infos], "int64"),
        "columns": numbers([info.columns if info else None for info in infos], "int64"),
        "frames/s": numbers([round(info.rate, 1) if info else None for info in current], "float64"),
        "age": texts(
            [age_text(one.info.age) if one.info and one.answers else None for one in listing]
        ),
        "process": texts([info.process if info else None for info in infos]),
        "pid": numbers([one.pid for one in listing], "int64"),
        "state": texts([_state(one) for one in listing]),
        "endpoint": texts([place(one.endpoint) for one in listing]),
    }
    types = ("",) * len(columns)
    labels = Labels(tuple(columns), (None,), (None,), (0, 1), types, frozenset())
    values = tuple(columns.values())
    kinds = tuple(one.type for one in values)
    decoded = Decoded(labels, (), values, len(listing), kinds)
    return build(followed(decoded), ("table", "pid"), Position("listing", number))


def _state(listed: Listed) -> str:
    if not listed.answers:
        return "gone"
    if listed.info is None:
        return "connecting"
    if listed.info.state:
        return harmless(listed.info.state)
    return "live" if listed.info.seq else "no frame yet"


def target_of(listing: list[Listed], row: int) -> Target | None:
    """Return the table in a row of `as_table`, None if there is no such row."""
    return Target(listing[row].endpoint, listing[row].name) if 0 <= row < len(listing) else None
