"""The producer's side of a broker: a thread that sends the newest frame of each table to it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from livetable.feed.base.addresses import shown
from livetable.feed.base.loop_errors import finish, hush
from livetable.feed.brokers.broker import (
    BEAT_SECONDS,
    BrokerAway,
    BrokerError,
    broker_at,
    opened,
    pack,
)
from livetable.feed.errors import BadEndpoint, LivetableError
from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Header, Position, new_epoch, split
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.table_state import TableState, describe

_log = logging.getLogger("livetable.feed")

FRAME_SECONDS: Final = 1 / 60
"""The least time between two frames of a table. Frames in between are skipped."""

_AGAIN_SECONDS: Final = 0.05
_EXIT_SECONDS: Final = 2.0
_LAST_SECONDS: Final = 1.5
_OPEN_SECONDS: Final = 8.0
_TRIES: Final = 4
_REFUSED_SECONDS: Final = 2.0


class BrokerHub:
    """Publishes the tables of a process through one broker. Takes the place of `hub.Hub`.

    Any thread may call its methods. Nothing is queued: once the broker has taken a frame, the
    table's newest state is encoded. A broker that is down is waited for, at the start and later.

    Args:
        endpoint: The broker's endpoint.

    Raises:
        BadEndpoint: the broker refuses the credentials, or can't be used.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.shown = shown(endpoint)
        """The endpoint without its password."""
        self._tables: dict[str, TableState] = {}
        self._fresh: dict[str, asyncio.Event] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._put: dict[str, Position] = {}
        """The position of the frame that the broker has, by table."""
        self._introduced: set[str] = set()
        self._dirty: set[str] = set()
        self._woken = False
        self._epoch, self._version = new_epoch(), 1
        self._broker = broker_at(endpoint)
        self._broker.on_link = self._on_link
        self._open = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._said = ""
        self._loop = asyncio.new_event_loop()
        hush(self._loop, shown(endpoint))
        self._thread = threading.Thread(target=self._run, name="livetable-broker", daemon=True)
        self._thread.start()
        try:
            self._call(self._begin(), _OPEN_SECONDS)
        except (BrokerError, TimeoutError) as error:
            self.stop()
            raise BadEndpoint(str(error) or f"{self.shown} does not answer") from None
        except BaseException:
            self.stop()
            raise

    # -- what publishers call ----------------------------------------------------------------------

    def add(self, table: TableState, endpoint: str, pair: object = None) -> str:
        """Send a table's frames to the broker from now on. The broker does not use `pair`."""
        self._call(self._add(table))
        return self.shown

    def remove(self, table: TableState, endpoint: str) -> None:
        """Tell viewers that the table ended, and delete it from the broker."""
        with contextlib.suppress(TimeoutError):  # a broker that hangs must not block close()
            self._call(self._remove(table), _EXIT_SECONDS)
        if not self._tables and threading.current_thread() is not self._thread:
            _forget(self)

    def news(self, table: TableState, endpoint: str) -> None:
        """Announce a new frame of a table. Returns at once."""
        self._dirty.add(table.name)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def tidy(self, table: TableState) -> None:
        """Free the memory of a table's replaced rows."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(table.rows.compact)

    def stop(self) -> None:
        """End the thread. Tables that were not closed end too, and the broker keeps them."""
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
        if threading.current_thread() is self._thread:
            # A Publisher was collected in this thread: waiting would deadlock.
            self._start(work)
            return None
        if not self._thread.is_alive():
            work.close()
            return None
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)  # else it may be collected: the loop keeps no reference
        task.add_done_callback(self._tasks.discard)

    async def _begin(self) -> None:
        """Connect. If the broker is down, keep trying in the background."""
        for left in reversed(range(_TRIES)):
            try:
                await self._broker.open()
            except BrokerAway as error:
                # NATS rejects a wrong password and resets the connection. Sometimes only the reset
                # arrives: try again to get the real reason.
                if left and "reset" in str(error):
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                self._say_away(str(error))
                self._start(self._open_later())
            else:
                self._opened()
            return

    async def _open_later(self) -> None:
        while True:
            try:
                await opened(self._broker, self._say_away)
            except LivetableError as error:  # it is up and may accept us after a fix
                self._say_once(str(error))
                await asyncio.sleep(_REFUSED_SECONDS)
            else:
                self._opened()
                return

    def _say_away(self, why: str) -> None:
        self._say_once(f"{self.shown} does not answer ({why:.200}): waiting for it")

    def _say_once(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            _log.warning("%s", sentence)

    def _opened(self) -> None:
        self._open.set()
        self._start(self._beat())
        self._on_link(True)

    async def _close(self) -> None:
        if self._open.is_set() and self._tables:
            tables = list(self._tables.values())
            with contextlib.suppress(Exception):
                await asyncio.wait_for(
                    asyncio.gather(*map(self._finish, tables), return_exceptions=True),
                    _LAST_SECONDS,
                )
            await self._say(ended=tables)
        for task in (*self._tasks, *self._senders.values()):
            if task is not asyncio.current_task():
                task.cancel()
        await self._broker.close()

    def _on_link(self, there: bool) -> None:
        if there and self._open.is_set():  # the broker's frame may be old or lost
            self._introduced.clear()
            self._dirty.update(self._tables)
            self._wake()

    def _wake(self) -> None:
        self._woken = False  # first: reset later, news that came in between would be missed
        while self._dirty:
            if event := self._fresh.get(self._dirty.pop()):
                event.set()

    async def _add(self, table: TableState) -> None:
        if table.name in self._tables:
            raise BadEndpoint(f"{self.shown} already has a table {table.name!r}")
        self._tables[table.name] = table
        self._version += 1
        self._fresh[table.name] = asyncio.Event()
        self._senders[table.name] = asyncio.ensure_future(self._send(table))
        await self._say()

    async def _remove(self, table: TableState) -> None:
        if self._tables.get(table.name) is not table:
            return
        del self._tables[table.name]
        self._version += 1
        try:
            if self._open.is_set():
                with contextlib.suppress(BrokerError):
                    await self._finish(table)
                # Send the list twice: first with the ended table, for its viewers, then without it.
                await self._say(ended=[table])
                await self._broker.drop(table.name)
                await self._say()
        finally:
            self._senders.pop(table.name).cancel()
            self._fresh.pop(table.name)
            self._put.pop(table.name, None)
            self._introduced.discard(table.name)

    async def _finish(self, table: TableState) -> None:
        """Send a table's last frame, unless the broker has it."""
        sender = self._senders[table.name]
        sender.cancel()
        await asyncio.wait([sender])
        if table.seq and self._put.get(table.name) != table.shown:
            await self._put_newest(table)

    async def _beat(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(BEAT_SECONDS)

    async def _say(self, ended: Sequence[TableState] = ()) -> None:
        """Send the list of tables, and those that have just ended."""
        if not self._open.is_set():
            return
        now = time.monotonic()
        for table in self._tables.values():
            if table.expire(now):
                self._fresh[table.name].set()
        infos = {name: self._info(table, now) for name, table in self._tables.items()}
        for table in ended:
            info = self._info(table, now)
            infos[table.name] = replace(info, seq=table.shown.seq, state="ended")
        position = Position(self._epoch, self._version)
        header = Header("catalogue", position=position, tables=tuple(infos.values()))
        await self._broker.say(header.encode())

    def _info(self, table: TableState, now: float) -> TableInfo:
        return describe(table, now)

    async def _send(self, table: TableState) -> None:
        """Send the newest frame each time the broker has taken the one before."""
        fresh = self._fresh[table.name]
        fresh.set()
        await self._open.wait()
        while True:
            await fresh.wait()
            fresh.clear()
            began = time.monotonic()
            try:
                await self._put_newest(table)
            except BrokerError as error:
                _log.debug("table %r: %s", table.name, error)
                fresh.set()  # try again, with the frame that is the newest by then
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            except Exception:  # our bug must not stop the producer's feed
                _log.exception("table %r: can't put a frame to the broker", table.name)
            await asyncio.sleep(max(0.0, began + FRAME_SECONDS - time.monotonic()))

    async def _put_newest(self, table: TableState) -> None:
        snapshot = await self._encoded(table)
        if snapshot is None:
            return
        await self._broker.put(table.name, self._parts(table, snapshot))
        self._put[table.name] = snapshot.position
        if table.name not in self._introduced:  # after the frame, which must not wait for this
            about = self._info(table, time.monotonic())
            header = Header("catalogue", position=Position(self._epoch, 0), tables=(about,))
            with contextlib.suppress(BrokerError):  # tried again with the next frame
                await self._broker.introduce(table.name, header.encode())
                self._introduced.add(table.name)

    async def _encoded(self, table: TableState) -> Snapshot | None:
        # In a thread: encoding a million rows must not delay other tables or the heartbeat.
        try:
            return await asyncio.get_running_loop().run_in_executor(None, table.since, None)
        except RuntimeError:  # no more threads: the process is ending
            return table.since(None)

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
                    part=number,
                    parts=len(bodies),
                    key=table.key,
                    note=table.body_note,
                    ended=table.is_last(snapshot.position),
                ).encode(),
                body,
            )
            for number, body in enumerate(bodies)
        ]


_hubs: dict[tuple[int, str], BrokerHub] = {}
_lock = threading.Lock()


def broker_hub(endpoint: str) -> BrokerHub:
    """Return this process's hub for a broker, connected if necessary.

    Raises:
        BadEndpoint: the broker refuses the credentials, or can't be used.
        MissingExtra: the package for this broker is not installed.
    """
    place = os.getpid(), endpoint  # by process: a forked child has none of its parent's threads
    with _lock:
        if place not in _hubs:
            _hubs[place] = BrokerHub(endpoint)
        return _hubs[place]


def _forget(hub: BrokerHub) -> None:
    with _lock:
        _hubs.pop((os.getpid(), hub.endpoint), None)
    hub.stop()


@atexit.register
def _at_exit() -> None:
    for (pid, _), hub in list(_hubs.items()):
        if pid == os.getpid():
            hub.stop()
