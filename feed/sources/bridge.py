"""The tables of a broker as a source: its frames, unchanged, for viewers on this machine.

A table's frames are only taken from the broker while a viewer looks. A process that is not heard
any more is answered for no longer, so that viewers see its tables as gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from livetable.feed.brokers import (
    BEAT_SECONDS,
    SILENT_SECONDS,
    Broker,
    BrokerError,
    broker_at,
    unpack,
)
from livetable.feed.errors import BadEndpoint, LivetableError, WireError
from livetable.feed.publisher import Publisher
from livetable.feed.sources import MakePublisher
from livetable.feed.state import Body, Snapshot
from livetable.feed.wire import Header, Position, TableInfo

MANY: Final = True
"""This source makes publishers of its own."""

UNWANTED_SECONDS: Final = 10.0
"""A table that no viewer asked about for so long is followed no more."""

_TURN_SECONDS: Final = 0.5
_MAX_PARTS: Final = 100_000


def run(options: argparse.Namespace, make: MakePublisher, stop: threading.Event) -> None:
    """Publish the tables of the broker at `options.source` until `stop` is set.

    Raises:
        BadEndpoint: there is no broker that lets us in.
    """
    bridge = _Bridge(broker_at(options.source), make, options.source.rpartition("@")[2])
    try:
        asyncio.run(bridge.run(stop, lambda: options.ready("reading the tables of the broker")))
    except BrokerError as error:
        raise BadEndpoint(str(error)) from None
    finally:
        bridge.close()


class _Bridge:
    """The tables that a broker has."""

    def __init__(self, broker: Broker, make: MakePublisher, shown: str) -> None:
        self._broker = broker
        self._make = make
        self._shown = shown
        self._tables: dict[str, _Bridged] = {}
        self._away = False
        self._heard = asyncio.Event()
        self._publishers: dict[str, set[str]] = {}  # a process's tables, by its epoch

    async def run(self, stop: threading.Event, ready: Callable[[], object]) -> None:
        """Take frames until `stop` is set."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._broker.on_link = self._on_link

        def wait() -> None:
            stop.wait()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        await self._broker.open()
        try:
            threading.Thread(target=wait, daemon=True).start()
            await self._broker.hear(self._on_beat)
            names = await self._broker.names()
            for name in names:
                self._table(name)
            if names:  # who lists them wants to know which of their processes live
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), 1.2 * BEAT_SECONDS)
            ready()
            while not ended.is_set():
                now = time.monotonic()
                for table in list(self._tables.values()):
                    await table.turn(now, away=self._away)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _TURN_SECONDS)
        finally:
            await self._broker.close()

    def close(self) -> None:
        """End all tables."""
        for table in self._tables.values():
            table.close()

    def _on_link(self, there: bool) -> None:
        self._away = not there
        for table in self._tables.values():
            table.link(there, f"{self._shown} does not answer: waiting for it")

    def _on_beat(self, data: bytes) -> None:
        try:
            header = Header.decode(data)
        except WireError:
            return
        if header.kind != "catalogue" or header.position is None:
            return
        self._heard.set()
        heard = set()
        for info in header.tables:
            if (table := self._table(info.name)) is not None:
                table.heard(info)
                heard.add(info.name)
        before = self._publishers.get(header.position.epoch, set())
        for name in before - heard:
            self._tables[name].ended()
        self._publishers[header.position.epoch] = heard

    def _table(self, name: str) -> _Bridged | None:
        if name not in self._tables:
            try:
                publisher = self._make(name)
            except LivetableError:  # a name that we can't have
                return None
            self._tables[name] = _Bridged(publisher, self._broker)
        return self._tables[name]


class _Bridged:
    """One table. Lives in the event loop, but for `_wanted`.

    Args:
        publisher: Who gives it to viewers.
        broker: Where it comes from.
    """

    def __init__(self, publisher: Publisher, broker: Broker) -> None:
        self._publisher = publisher
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._end: Callable[[], Awaitable[None]] | None = None
        self._wanted_at = 0.0
        self._heard_at = 0.0
        self._parts: dict[int, memoryview] = {}
        self._of: Position | None = None
        self._newest: Header | None = None
        self._busy = False
        self._tasks: set[asyncio.Task[None]] = set()
        state = publisher._state
        state.silent = True
        state.on_wanted = self._wanted

    def close(self) -> None:
        """End the table."""
        self._publisher.close()

    def ended(self) -> None:
        """Its process has closed it."""
        self._heard_at = 0.0

    def _wanted(self) -> None:  # in the hub's thread
        first = time.monotonic() - self._wanted_at > 1.0
        self._wanted_at = time.monotonic()
        if first and self._end is None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        if self._end is None and not self._busy:
            self._busy = True
            self._work(self._follow())

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)  # the loop itself does not hold on to it
        task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        try:
            self._end = await self._broker.follow(self._publisher.name, self._on_part)
        except Exception:  # of the broker's: it is away; a viewer will ask again
            self._end = None
        finally:
            self._busy = False

    async def turn(self, now: float, *, away: bool) -> None:
        """Look whether the process still lives, and whether anybody still looks."""
        if self._end is not None and now - self._wanted_at > UNWANTED_SECONDS:
            end, self._end = self._end, None
            await end()
        state = self._publisher._state
        state.silent = away or now - self._heard_at > SILENT_SECONDS

    def link(self, there: bool, sentence: str) -> None:
        """The broker came or went."""
        state = self._publisher._state
        state.note = None if there else sentence
        state.note_is_new = state.wanted = True
        self._publisher._hub.news(state, self._publisher._bound)  # it is told once, then silence
        state.silent = not there
        if there and self._end is not None:
            end, self._end = self._end, None

            async def anew() -> None:
                await end()
                self._start()

            self._work(anew())

    def heard(self, info: TableInfo) -> None:
        """Its process lives, and says this of it."""
        self._heard_at = time.monotonic()
        state = self._publisher._state
        state.silent = False
        state.told, state.key = (info, self._heard_at), info.key
        self._age()

    def _age(self) -> None:
        """Have the newest frame be as old as its process says: a broker may have kept it."""
        state = self._publisher._state
        if state.told is not None:
            info, heard = state.told
            if info.age is not None:
                state.aged(Position(info.epoch, info.seq), heard - info.age)

    def _made_at(self, header: Header) -> float:
        """Return when a frame was sent, by this process's monotonic clock."""
        at = time.monotonic() - (header.age or 0.0)
        if (told := self._publisher._state.told) is not None:
            info, heard = told
            if info.age is not None and header.position == Position(info.epoch, info.seq):
                at = min(at, heard - info.age)
        return at

    def _on_part(self, message: bytes, live: bool) -> None:
        head, body = unpack(message)
        try:
            header = Header.decode(head)
        except WireError as error:
            self._publisher.note(f"a frame could not be read: {error}")
            return
        if header.kind != "snapshot" or header.position is None or header.parts > _MAX_PARTS:
            return
        if not self._is_newer(header, live):
            return
        if header.position != self._of:
            self._of, self._parts = header.position, {}
        self._parts[header.part] = body
        if len(self._parts) == header.parts:
            parts, self._parts, self._of = self._parts, {}, None
            whole = memoryview(b"".join(parts[at] for at in range(header.parts)))
            if len(whole) == header.size:
                self._newest = header
                self._put(header, whole)

    def _is_newer(self, header: Header, live: bool) -> bool:
        newest = self._newest
        if newest is None or newest.position is None or header.position is None:
            return True
        if newest.position.epoch == header.position.epoch:
            return header.position.seq > newest.position.seq or (header.ended and not newest.ended)
        # Another life of the producer: what comes now is from it; what was kept may be from before.
        return live or (header.time or 0.0) >= (newest.time or 0.0)

    def _put(self, header: Header, body: memoryview) -> None:
        assert header.position is not None
        state = self._publisher._state
        made = Snapshot(
            header.position,
            Body(body, header.rows, header.columns, header.note),
            self._made_at(header),
            header.time or time.time(),
        )
        state.key = header.key
        state.mirror(made, ended=header.ended)  # viewers are told at once: with its age
        self._publisher._hub.news(state, self._publisher._bound)
