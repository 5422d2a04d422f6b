"""The tables of a broker as a source: its frames, unchanged, for viewers on this machine.

A table's frames are only taken from the broker while a viewer looks. A process that is not heard
any more is answered for no longer, so that viewers see its tables as gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from livetable.feed.base.addresses import shown
from livetable.feed.base.loop_errors import hush
from livetable.feed.brokers.broker import (
    BEAT_SECONDS,
    SILENT_SECONDS,
    Broker,
    BrokerError,
    broker_at,
    opened,
    unpack,
)
from livetable.feed.errors import BadEndpoint, LivetableError, WireError
from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.publish import Publish

UNWANTED_SECONDS: Final = 10.0
"""Stop following a table after this many seconds without a viewer."""

_TURN_SECONDS: Final = 0.25
_LAST_SECONDS: Final = 5.0
_FORGOTTEN_SECONDS: Final = 60.0
_AT_ONCE: Final = 32
_TRIES: Final = 20
_MAX_PARTS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Which broker's tables are published: those of the one at the address `source`."""

    source: str


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish the tables of the broker at `options.source` until `stop` is set.

    A broker that does not answer is waited for; `publish.away` is told why.

    Raises:
        BadEndpoint: the broker does not let us in, or can't be used.
    """
    bridge = _Bridge(broker_at(options.source), publish, shown(options.source))
    try:
        asyncio.run(bridge.run(stop))
    except BrokerError as error:
        raise BadEndpoint(str(error)) from None
    finally:
        bridge.close()


class _Bridge:
    """The tables that a broker has."""

    def __init__(self, broker: Broker, publish: Publish, where: str) -> None:
        self._broker = broker
        self._publish = publish
        self._where = where
        self._tables: dict[str, _Bridged] = {}
        self._away = False
        self._heard = asyncio.Event()
        self._publishers: dict[str, _Process] = {}  # by the epoch of a process's catalogue

    async def run(self, stop: threading.Event) -> None:
        """Take frames until `stop` is set."""
        loop = asyncio.get_running_loop()
        hush(loop, self._where)
        ended = asyncio.Event()
        self._broker.on_link = self._on_link

        def wait() -> None:
            stop.wait()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=wait, daemon=True).start()
        try:
            if await self._open(ended):
                await self._find()
                self._publish.ready("reading the tables of the broker")
                while not ended.is_set():
                    now = time.monotonic()
                    for table in list(self._tables.values()):
                        await table.turn(now, away=self._away)
                    await self._forget_ended()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ended.wait(), _TURN_SECONDS)
        finally:
            await self._broker.close()

    async def _open(self, ended: asyncio.Event) -> bool:
        """Connect, once the broker is there; tell whether it came before the end."""
        last = ""

        def say(why: str) -> None:
            nonlocal last
            if why != last:
                last = why
                self._publish.away(f"does not answer ({why:.200})")

        opening = asyncio.ensure_future(opened(self._broker, say))
        stopping = asyncio.ensure_future(ended.wait())
        await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not opening.done():
            opening.cancel()
            # It may end by an error all the same; one that nobody takes is a traceback on stderr.
            await asyncio.gather(opening, return_exceptions=True)
            return False
        await opening
        self._away = False
        return True

    async def _find(self) -> None:
        """Find the tables that the broker keeps, and which of their processes live."""
        await self._broker.hear(self._on_beat)
        for name in await self._names():
            self._table(name)
        # Who lists them wants to know which of their processes live: each says so once a second.
        until = time.monotonic() + 1.2 * BEAT_SECONDS
        while unheard := [table for table in self._tables.values() if table.info is None]:
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), max(0.0, until - time.monotonic()))
            except TimeoutError:
                break
        for start in range(0, len(unheard), _AT_ONCE):
            await asyncio.gather(*(table.recall() for table in unheard[start : start + _AT_ONCE]))

    async def _names(self) -> list[str]:
        """Return the tables that are kept. Of those that live, beats would tell as well."""
        for _ in range(_TRIES):
            with contextlib.suppress(BrokerError):
                return await self._broker.names()
            await asyncio.sleep(_TURN_SECONDS)
        return []

    def close(self) -> None:
        """End all tables."""
        for table in self._tables.values():
            table.close()

    def _on_link(self, connected: bool) -> None:
        self._away = not connected
        for table in self._tables.values():
            table.link(connected, f"{self._where} does not answer: waiting for it")

    def _on_beat(self, data: bytes) -> None:
        try:
            header = Header.decode(data)
        except WireError:
            return
        if header.kind != "catalogue" or header.position is None:
            return
        self._heard.set()
        epoch, now = header.position.epoch, time.monotonic()
        before = self._publishers.get(epoch, _Process(frozenset(), now)).tables
        names = frozenset(info.name for info in header.tables)
        self._publishers[epoch] = _Process(names, now)
        for info in header.tables:
            if info.state and self._has_another(info.name, epoch, now):
                continue  # another process still publishes it
            if (table := self._table(info.name)) is not None:
                table.heard(info)
        for name in before - names:
            if name in self._tables and not self._has_another(name, epoch, now):
                self._tables[name].leave(now)

    def _has_another(self, name: str, epoch: str, now: float) -> bool:
        """Tell whether another live process publishes a table, too."""
        return any(
            name in process.tables and now - process.heard < SILENT_SECONDS
            for other, process in self._publishers.items()
            if other != epoch
        )

    async def _forget_ended(self) -> None:
        """Close the tables that their processes closed; forget processes that are long dead."""
        now = time.monotonic()
        for name, table in list(self._tables.items()):
            if table.is_over(now):
                del self._tables[name]
                table.close()
                await table.unfollow()
        for epoch, process in list(self._publishers.items()):
            if now - process.heard > _FORGOTTEN_SECONDS:
                del self._publishers[epoch]

    def _table(self, name: str) -> _Bridged | None:
        if name not in self._tables:
            try:
                publisher = self._publish(name, is_further=True)
            except LivetableError:  # a name that we can't have
                return None
            self._tables[name] = _Bridged(publisher, self._broker)
        return self._tables[name]


@dataclass(frozen=True, slots=True)
class _Process:
    """A process that publishes to the broker: its tables, and when it was heard."""

    tables: frozenset[str]
    heard: float


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
        self._left_at: float | None = None
        self._parts: dict[int, memoryview] = {}
        self._of: Position | None = None
        self._newest: Header | None = None
        self._busy = False
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._mirror = publisher.mirror(self._wanted)

    @property
    def info(self) -> TableInfo | None:
        """What its process says, or said, of it; None while nothing is known."""
        return self._mirror.info

    def close(self) -> None:
        """End the table."""
        self._closed = True
        self._publisher.close()

    async def unfollow(self) -> None:
        """Take its frames from the broker no more."""
        if self._end is not None:
            end, self._end = self._end, None
            await end()

    def leave(self, now: float) -> None:
        """Its process has closed it: once its last frame is here, so does this one."""
        if self._left_at is None:
            self._left_at = now

    def is_over(self, now: float) -> bool:
        """Tell whether its process has closed it, and nothing is to come any more."""
        if self._left_at is None:
            return False
        looked_at = self._end is not None or self._busy
        return self._mirror.is_ended or not looked_at or now - self._left_at > _LAST_SECONDS

    async def recall(self) -> None:
        """Describe it by what the broker keeps of it: its process is not heard any more."""
        about, head = await self._broker.kept(self._publisher.name)
        try:
            introduced = Header.decode(about).tables if about is not None else ()
            frame = Header.decode(head) if head is not None else None
        except WireError:
            return
        info = introduced[0] if introduced else None
        if info is None or frame is None or frame.position is None or not self._mirror.is_silent:
            return  # an older release's; or it lives, after all
        known = replace(
            info,
            name=self._publisher.name,
            epoch=frame.position.epoch,
            seq=frame.position.seq,
            rows=frame.rows,
            columns=frame.columns,
            rate=0.0,
            age=max(0.0, time.time() - (frame.time or time.time())),
            key=frame.key,
        )
        self._mirror.remember(known)

    def _wanted(self) -> None:  # in the hub's thread
        first = time.monotonic() - self._wanted_at > 1.0
        self._wanted_at = time.monotonic()
        if first and self._end is None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        if self._end is None and not self._busy and not self._closed:
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
        if self._closed:
            await self.unfollow()

    async def turn(self, now: float, *, away: bool) -> None:
        """Look whether the process still lives, and whether anybody still looks."""
        if now - self._wanted_at > UNWANTED_SECONDS:
            await self.unfollow()
        silent = away or now - self._heard_at > SILENT_SECONDS
        if silent and not self._mirror.is_silent:
            self._mirror.tell_silence()
            if not away:
                self._work(self.recall())  # frames may have come after what it said last
        self._mirror.silence(silent)

    def link(self, connected: bool, sentence: str) -> None:
        """Note that the broker answers again, or no longer."""
        self._mirror.note(None if connected else sentence)
        if not connected:
            self._mirror.tell_silence()
        if connected and self._end is not None:
            end, self._end = self._end, None

            async def restart() -> None:
                await end()
                self._start()

            self._work(restart())

    def heard(self, info: TableInfo) -> None:
        """Take in a heartbeat of its process."""
        self._heard_at = time.monotonic()
        self._left_at = None
        self._mirror.heard(info)

    def _on_part(self, message: bytes, live: bool) -> None:
        head, body = unpack(message)
        try:
            header = Header.decode(head)
        except WireError as error:
            self._publisher.note(f"can't read a frame: {error}")
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
            whole = memoryview(b"".join(parts[number] for number in range(header.parts)))
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
        snapshot = Snapshot(
            header.position,
            Body(body, header.rows, header.columns, header.note),
            time.monotonic() - (header.age or 0.0),
            header.time or time.time(),
        )
        self._mirror.put(snapshot, header.key, ended=header.ended)
