"""The producer's side of a broker: a thread that puts the newest frame of each table there."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any, Final

from livetable.feed.brokers import BEAT_SECONDS, BrokerError, broker_at, pack
from livetable.feed.errors import BadEndpoint
from livetable.feed.hub import process_name
from livetable.feed.quiet import finish, hush
from livetable.feed.state import Snapshot, TableState
from livetable.feed.wire import Header, Position, new_epoch, split

_log = logging.getLogger("livetable.feed")

FRAME_SECONDS: Final = 1 / 60
"""Frames of a table are put at least this far apart; the newest one counts."""

_AGAIN_SECONDS: Final = 0.05
_EXIT_SECONDS: Final = 2.0
_OPEN_SECONDS: Final = 8.0


class BrokerHub:
    """All publishers of a process on one broker. Takes the place of `hub.Hub` for these.

    Its methods may be called from any thread. Nothing is queued: of each table the newest state is
    encoded when the one before has been taken by the broker.

    Args:
        endpoint: The broker's.

    Raises:
        BadEndpoint: there is no broker that lets us in.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._tables: dict[str, TableState] = {}
        self._fresh: dict[str, asyncio.Event] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._dirty: set[str] = set()
        self._woken = False
        self._epoch, self._version = new_epoch(), 1
        self._loop = asyncio.new_event_loop()
        hush(self._loop, endpoint.rpartition("@")[2])
        self._broker = broker_at(endpoint)
        self._broker.on_link = self._on_link
        self._thread = threading.Thread(target=self._run, name="livetable-broker", daemon=True)
        self._thread.start()
        try:
            self._call(self._open(), _OPEN_SECONDS)
        except (BrokerError, TimeoutError) as error:
            self.stop()
            shown = endpoint.rpartition("@")[2]  # without what lets one in
            raise BadEndpoint(str(error) or f"{shown} does not answer") from None

    # -- what publishers call ----------------------------------------------------------------------

    def add(self, table: TableState, endpoint: str, pair: object = None) -> str:
        """Put a table's frames to the broker from now on; its keys are the broker's affair."""
        self._call(self._add(table))
        return self.endpoint

    def remove(self, table: TableState, endpoint: str) -> None:
        """Say the table's end, and have the broker forget it."""
        with contextlib.suppress(TimeoutError):  # a broker that hangs must not hold up who closes
            self._call(self._remove(table), _EXIT_SECONDS)
        if not self._tables:
            _forget(self)

    def news(self, table: TableState, endpoint: str) -> None:
        """Say that a table has a new frame. Returns at once."""
        self._dirty.add(table.name)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def tidy(self, table: TableState) -> None:
        """Free the room of what a table's rows held before."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(table.compact)

    def stop(self) -> None:
        """End the thread."""
        with contextlib.suppress(Exception):
            self._call(self._close(), _EXIT_SECONDS)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_EXIT_SECONDS)

    # -- in the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        finish(self._loop)

    def _call(self, work: Coroutine[Any, Any, Any], seconds: float | None = None) -> Any:
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            work.close()  # a publisher collected here: waiting for ourselves would last for ever
            return None
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    async def _open(self) -> None:
        await self._broker.open()
        self._beating = asyncio.ensure_future(self._beat())

    async def _close(self) -> None:
        self._beating.cancel()
        for sender in self._senders.values():
            sender.cancel()
        await self._broker.close()

    def _on_link(self, there: bool) -> None:
        if there:  # what the broker keeps may be old, or nothing
            self._dirty.update(self._tables)
            self._wake()

    def _wake(self) -> None:
        self._woken = False  # before what it announces is looked at, or news could be missed
        while self._dirty:
            if event := self._fresh.get(self._dirty.pop()):
                event.set()

    async def _add(self, table: TableState) -> None:
        if table.name in self._tables:
            raise BadEndpoint(f"{self.endpoint} already has a table {table.name!r}")
        self._tables[table.name] = table
        self._version += 1
        self._fresh[table.name] = asyncio.Event()
        self._senders[table.name] = asyncio.ensure_future(self._send(table))
        await self._say()

    async def _remove(self, table: TableState) -> None:
        if self._tables.get(table.name) is not table:
            return
        del self._tables[table.name], self._fresh[table.name]
        self._senders.pop(table.name).cancel()
        self._version += 1
        header = Header("end", table.name, position=table.shown, note=table.body_note)
        with contextlib.suppress(BrokerError):
            await self._broker.put(table.name, [pack(header.encode())])
        await self._broker.drop(table.name)
        await self._say()

    async def _beat(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(BEAT_SECONDS)

    async def _say(self) -> None:
        now = time.monotonic()
        for table in self._tables.values():
            if table.expire(now):
                self._fresh[table.name].set()
        tables = tuple(
            table.info(now, os.getpid(), process_name()) for table in self._tables.values()
        )
        position = Position(self._epoch, self._version)
        await self._broker.say(Header("catalogue", position=position, tables=tables).encode())

    async def _send(self, table: TableState) -> None:
        """Put one newest frame after the other, each when the one before has been taken."""
        fresh = self._fresh[table.name]
        fresh.set()
        while True:
            await fresh.wait()
            fresh.clear()
            began = time.monotonic()
            try:
                snapshot = await self._encoded(table)
                if snapshot is None:
                    continue
                await self._broker.put(table.name, self._parts(table, snapshot))
            except BrokerError as error:
                _log.debug("table %r: %s", table.name, error)
                fresh.set()  # it goes again when the broker takes it, or a newer one does
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            except Exception:  # a fault of ours must not end the producer's feed
                _log.exception("table %r: a frame could not be put to the broker", table.name)
            await asyncio.sleep(max(0.0, began + FRAME_SECONDS - time.monotonic()))

    async def _encoded(self, table: TableState) -> Snapshot | None:
        # In a thread: a million rows must not hold up the other tables, nor the beat.
        return await asyncio.get_running_loop().run_in_executor(None, table.since, None)

    def _parts(self, table: TableState, snapshot: Snapshot) -> list[bytes]:
        now = time.monotonic()
        bodies = split(snapshot.body.data, self._broker.part_bytes)
        return [
            pack(
                Header(
                    "snapshot",
                    table.name,
                    position=snapshot.position,
                    age=max(0.0, now - snapshot.monotonic),
                    time=snapshot.time,
                    rate=table.rate(now),
                    rows=snapshot.body.rows,
                    columns=snapshot.body.columns,
                    size=len(snapshot.body.data),
                    part=at,
                    parts=len(bodies),
                    key=table.key,
                    note=table.body_note,
                    ended=table.is_last(snapshot.position),
                ).encode(),
                body,
            )
            for at, body in enumerate(bodies)
        ]


_hubs: dict[tuple[int, str], BrokerHub] = {}
_lock = threading.Lock()


def broker_hub(endpoint: str) -> BrokerHub:
    """Return this process's side of a broker, connected if need be.

    Raises:
        BadEndpoint: there is no broker that lets us in.
        MissingExtra: the package that speaks to it is not installed.
    """
    at = os.getpid(), endpoint  # a forked child has none of its parent's threads
    with _lock:
        if at not in _hubs:
            _hubs[at] = BrokerHub(endpoint)
        return _hubs[at]


def _forget(hub: BrokerHub) -> None:
    with _lock:
        _hubs.pop((os.getpid(), hub.endpoint), None)
    hub.stop()


@atexit.register
def _at_exit() -> None:
    for (pid, _), hub in list(_hubs.items()):
        if pid == os.getpid():
            hub.stop()
