"""Redis and Valkey: a stream per table that holds the newest frame, a channel for heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from livetable.feed.base.addresses import read_address, scrubbed, secret_from, shown
from livetable.feed.brokers.broker import BrokerAway, BrokerError, OnPart, unpack, why_of
from livetable.feed.errors import BadEndpoint

FRAMES: Final = "livetable:frame:"
TABLES: Final = "livetable:tables"
BEATS: Final = "livetable:beat"
ABOUT: Final = "livetable:about:"
HEADS: Final = "livetable:head:"

_RETRY_SECONDS: Final = 0.2
_CONNECTIONS: Final = 4
_BLOCK_MS: Final = 5_000
_OPEN_SECONDS: Final = 3.0
_LAST_SECONDS: Final = 10
_OURS: Final = frozenset({"password_file"})


def connect(endpoint: str) -> Redis:
    """Return a connection that is not open yet."""
    return Redis(endpoint)


class Redis:
    """One connection, and one more for each table that is followed: reading blocks it.

    Args:
        endpoint: ``redis://host:6379``; user, password and database in the address, as Redis has
            them; ``rediss://`` for TLS. A password may also be in the file of
            ``?password_file=FILE``, in REDISCLI_AUTH or REDIS_PASSWORD, or in the file of
            REDIS_PASSWORD_FILE.

    Raises:
        BadEndpoint: it is not an address.
    """

    def __init__(self, endpoint: str) -> None:
        self._shown = shown(endpoint)
        self._address = read_address(endpoint)
        if len(self._address.servers) > 1:
            raise BadEndpoint(f"{self._shown}: Redis takes one server: write redis://host:6379")
        self._secrets: tuple[str | None, ...] = ()
        self.part_bytes = 256 << 20  # a value has 512 MB at most
        self.on_link: Callable[[bool], None] = lambda there: None
        self._client: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._there = True
        self._closing = False
        self._named: set[str] = set()  # tables whose names are in Redis' set

    async def open(self) -> None:
        """Connect."""
        try:
            self._client = self._new()
            await asyncio.wait_for(self._client.ping(), _OPEN_SECONDS)
        except BaseException as error:
            with contextlib.suppress(Exception):
                if self._client is not None:
                    await self._client.aclose()
            if not isinstance(error, Exception) or isinstance(error, BadEndpoint):
                raise
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> BrokerError:
        """Return a `BrokerAway` if waiting may help, else a `BrokerError`."""
        from redis import exceptions

        refused = (exceptions.AuthenticationError, exceptions.AuthorizationError, ssl.SSLError)
        later = (exceptions.ConnectionError, exceptions.TimeoutError, TimeoutError, OSError)
        behind = error.__cause__ or error.__context__
        cause = behind if isinstance(behind, OSError) else error
        why = scrubbed(why_of(cause), *self._secrets)
        if isinstance(error, refused) or isinstance(cause, refused):
            return BrokerError(f"{self._shown} refuses the login: {why:.200}")
        if isinstance(error, later):
            return BrokerAway(why)
        return BrokerError(f"{self._shown}: {why:.200}")

    def _new(self) -> Any:
        from redis import asyncio as aioredis

        address = self._address
        password = address.password
        if password is None:
            names = ("REDISCLI_AUTH", "REDIS_PASSWORD")
            password = secret_from(address, names, ("REDIS_PASSWORD_FILE",))
        login = {"username": address.user, "password": password}
        self._secrets = (password, address.password and quote(address.password),
                         address.query.get("password"))  # fmt: skip
        # A bounded pool: a thousand tables that are sent at once would open a connection each.
        pool = aioredis.BlockingConnectionPool.from_url(
            address.url(address.servers[0], without=_OURS),
            socket_connect_timeout=2, max_connections=_CONNECTIONS, timeout=10,
            **{name: value for name, value in login.items() if value is not None},
        )  # fmt: skip
        return aioredis.Redis.from_pool(pool)

    async def close(self) -> None:
        """Disconnect."""
        for task in list(self._tasks):
            task.cancel()
        self._closing = True  # the client may swallow the cancellation as an error of its own
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)
        if self._client is not None:
            with contextlib.suppress(Exception):
                await self._client.aclose()

    async def put(self, table: str, parts: Sequence[bytes]) -> None:
        """Add a frame as one entry, and drop the earlier ones."""
        fields = {str(at): part for at, part in enumerate(parts)}
        try:
            if table not in self._named:
                await self._client.sadd(TABLES, table)
                self._named.add(table)
                # an earlier table of this name may be about to expire (`drop`)
                await self._client.persist(f"{FRAMES}{table}")
            together = self._client.pipeline(transaction=False)
            together.xadd(f"{FRAMES}{table}", fields, maxlen=1, approximate=False)
            together.set(f"{HEADS}{table}", unpack(parts[0])[0])
            await together.execute()
            self._link(connected=True)
        except Exception as error:  # raised by redis
            self._link(connected=False)
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> BrokerError:
        return BrokerError(f"{self._shown}: {scrubbed(why_of(error), *self._secrets):.200}")

    async def introduce(self, table: str, about: bytes) -> None:
        """Store a catalogue of this one table beside its frame."""
        try:
            await self._client.set(f"{ABOUT}{table}", about)
        except Exception as error:  # raised by redis
            raise self._broken(error) from None

    async def kept(self, table: str) -> tuple[bytes | None, bytes | None]:
        """Return the catalogue stored by `introduce`, and the header of the stored frame."""
        try:
            about, head = await self._client.mget(f"{ABOUT}{table}", f"{HEADS}{table}")
        except Exception:  # raised by redis: no connection
            return None, None
        return about, head

    def _link(self, *, connected: bool) -> None:
        if not connected:
            self._named.clear()  # Redis may restart empty
        if connected != self._there:
            self._there = connected
            self.on_link(connected)

    async def drop(self, table: str) -> None:
        """Forget a table."""
        with contextlib.suppress(Exception):
            self._named.discard(table)
            await self._client.srem(TABLES, table)
            await self._client.delete(f"{ABOUT}{table}", f"{HEADS}{table}")
            # Not at once: readers may still have to fetch the last frame.
            await self._client.expire(f"{FRAMES}{table}", _LAST_SECONDS)

    async def say(self, beat: bytes) -> None:
        """Send a catalogue."""
        try:
            await self._client.publish(BEATS, beat)
            self._link(connected=True)
        except Exception:  # raised by redis
            self._link(connected=False)

    async def hear(self, on_beat: Callable[[bytes], None]) -> None:
        """Listen to catalogues; reconnect whenever the connection ends."""

        async def listen() -> None:
            while not self._closing:
                try:
                    async with self._client.pubsub() as channel:
                        await channel.subscribe(BEATS)
                        self._link(connected=True)
                        async for message in channel.listen():
                            if message["type"] == "message":
                                on_beat(message["data"])
                except asyncio.CancelledError:
                    raise
                except Exception:  # raised by redis: no connection
                    self._link(connected=False)
                await asyncio.sleep(_RETRY_SECONDS)

        self._start(listen())

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def names(self) -> list[str]:
        """Return the names of the tables of which a frame is stored."""
        try:
            return [name.decode("utf-8", "replace") for name in await self._client.smembers(TABLES)]
        except Exception as error:  # raised by redis
            raise self._broken(error) from None

    async def follow(self, table: str, on_part: OnPart) -> Callable[[], Awaitable[None]]:
        """Read a table's stream, from the stored frame on."""
        ended = asyncio.Event()
        task = self._start(self._follow(f"{FRAMES}{table}", on_part, ended))

        async def end() -> None:
            ended.set()  # the client may swallow the cancellation as an error of its own
            task.cancel()
            await asyncio.wait([task], timeout=1)

        return end

    async def _follow(self, key: str, on_part: OnPart, ended: asyncio.Event) -> None:
        while not (self._closing or ended.is_set()):
            client = self._new()
            live = False
            last: Any = "0"
            try:
                while True:
                    found = await client.xread({key: last}, count=1, block=_BLOCK_MS)
                    if ended.is_set():
                        return
                    for _, entries in found or ():
                        for number, fields in entries:
                            last = number
                            for at in range(len(fields)):
                                on_part(fields[str(at).encode()], live)
                    live = True
            except asyncio.CancelledError:
                raise
            except Exception:  # raised by redis: no connection, or not a livetable entry
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                with contextlib.suppress(Exception):
                    await client.aclose()
