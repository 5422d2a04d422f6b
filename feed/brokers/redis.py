"""Redis, and Valkey: a stream a table, of which the newest entry is kept; a channel for lives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from livetable.feed.brokers import BrokerError, OnPart
from livetable.feed.labels import safe_str

FRAMES: Final = "livetable:frame:"
TABLES: Final = "livetable:tables"
BEATS: Final = "livetable:beat"

_RETRY_SECONDS: Final = 0.2
_CONNECTIONS: Final = 4
_BLOCK_MS: Final = 5_000


def connect(endpoint: str) -> Redis:
    """Return a connection, not made yet."""
    return Redis(endpoint)


class Redis:
    """One connection, and one more for each table that is followed: reading blocks it.

    Args:
        endpoint: ``redis://host:6379``; user, password and database in the address, as Redis has
            them; ``rediss://`` for TLS.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.part_bytes = 256 << 20  # a value has 512 MB at most
        self.on_link: Callable[[bool], None] = lambda there: None
        self._client: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._there = True
        self._closing = False
        self._named: set[str] = set()  # tables that it knows the name of

    async def open(self) -> None:
        """Connect."""
        try:
            self._client = self._new()
            await asyncio.wait_for(self._client.ping(), 5)
        except Exception as error:  # of redis, which has many
            with contextlib.suppress(Exception):
                if self._client is not None:
                    await self._client.aclose()
            shown = self._endpoint.rpartition("@")[2].removeprefix("redis://")
            raise BrokerError(f"{shown}: {safe_str(error) or 'no answer'}") from None

    def _new(self) -> Any:
        from redis import asyncio as aioredis

        # Few connections: a thousand tables that are sent at once would open one each.
        pool = aioredis.BlockingConnectionPool.from_url(
            self._endpoint, socket_connect_timeout=2, max_connections=_CONNECTIONS, timeout=10
        )
        return aioredis.Redis.from_pool(pool)

    async def close(self) -> None:
        """Disconnect."""
        for task in list(self._tasks):
            task.cancel()
        self._closing = True  # a client may take the cancellation for an error of its own
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)
        if self._client is not None:
            with contextlib.suppress(Exception):
                await self._client.aclose()

    async def put(self, table: str, parts: Sequence[bytes]) -> None:
        """Add a frame as one entry, and let go of those before."""
        fields = {str(at): part for at, part in enumerate(parts)}
        try:
            if table not in self._named:
                await self._client.sadd(TABLES, table)
                self._named.add(table)
            await self._client.xadd(f"{FRAMES}{table}", fields, maxlen=1, approximate=False)
            self._link(there=True)
        except Exception as error:  # of redis
            self._link(there=False)
            raise BrokerError(f"redis: {safe_str(error):.200}") from None

    def _link(self, *, there: bool) -> None:
        if not there:
            self._named.clear()  # it may come back with nothing
        if there != self._there:
            self._there = there
            self.on_link(there)

    async def drop(self, table: str) -> None:
        """Forget a table."""
        with contextlib.suppress(Exception):
            self._named.discard(table)
            await self._client.delete(f"{FRAMES}{table}")
            await self._client.srem(TABLES, table)

    async def say(self, beat: bytes) -> None:
        """Say a catalogue."""
        try:
            await self._client.publish(BEATS, beat)
            self._link(there=True)
        except Exception:  # of redis
            self._link(there=False)

    async def hear(self, on_beat: Callable[[bytes], None]) -> None:
        """Listen to catalogues, through every end of the connection."""

        async def listen() -> None:
            while not self._closing:
                try:
                    async with self._client.pubsub() as channel:
                        await channel.subscribe(BEATS)
                        self._link(there=True)
                        async for message in channel.listen():
                            if message["type"] == "message":
                                on_beat(message["data"])
                except asyncio.CancelledError:
                    raise
                except Exception:  # of redis: it is away
                    self._link(there=False)
                await asyncio.sleep(_RETRY_SECONDS)

        self._start(listen())

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def names(self) -> list[str]:
        """Return the tables of which a frame is kept."""
        try:
            return [name.decode("utf-8", "replace") for name in await self._client.smembers(TABLES)]
        except Exception:  # of redis: beats will name them
            return []

    async def follow(self, table: str, on_part: OnPart) -> Callable[[], Awaitable[None]]:
        """Read a table's stream from what is kept on."""
        task = self._start(self._follow(f"{FRAMES}{table}", on_part))

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task], timeout=1)

        return end

    async def _follow(self, key: str, on_part: OnPart) -> None:
        while not self._closing:
            client = self._new()
            live = False
            last: Any = "0"
            try:
                while True:
                    found = await client.xread({key: last}, count=1, block=_BLOCK_MS)
                    for _, entries in found or ():
                        for number, fields in entries:
                            last = number
                            for at in range(len(fields)):
                                on_part(fields[str(at).encode()], live)
                    live = True
            except asyncio.CancelledError:
                raise
            except Exception:  # of redis: it is away; or an entry that is not ours
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                with contextlib.suppress(Exception):
                    await client.aclose()
