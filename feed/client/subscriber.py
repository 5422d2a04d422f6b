"""`Subscriber`: what a script imports to read a live table. The viewer's own client, without it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Final, Self

from livetable.feed.base.closing import Closing
from livetable.feed.errors import BadKey, BodyError, LivetableError, NoFrame
from livetable.feed.protocol.names import check_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from livetable.feed.client.connection import Client
    from livetable.feed.client.events import Event
    from livetable.feed.client.requests import News
    from livetable.feed.protocol.messages import Header
    from livetable.feed.rows.replica import Followed


EAGER_BYTES: Final = 1 << 20
"""Frames up to this size are read ahead; larger ones only when a step waits for them."""


class Subscriber(Closing):
    """Reads a live table frame by frame: the newest each time, older ones are skipped.

        with Subscriber("orders") as orders:
            for frame in orders:        # or: async for frame in orders
                print(frame["price"].mean())

    Each step waits for a newer frame; the loop ends when the table does. It waits for a feed that
    has not started yet, or has died, and goes on with the next feed of that name.

    Args:
        source: A local table's name, or ``tcp://host:port#NAME``, ``ipc://path#NAME``.
        timeout: Longest wait of a step in seconds; None: no limit.

    Attributes:
        header: The feed's header of the last returned frame: its position (epoch and seq), age,
            rate, key; None before the first.

    Raises:
        BadEndpoint: the source's endpoint is not valid.
        BadName: the table's name is not valid.
        UnknownHost: the endpoint's host does not exist; raised by the first step.
    """

    def __init__(self, source: str, *, timeout: float | None = None) -> None:
        endpoint, _, table = source.partition("#") if "://" in source else ("", "", source)
        self.header: Header | None = None
        self._endpoint = endpoint
        if endpoint:
            from livetable.feed.local.endpoints import check_endpoint

            check_endpoint(endpoint)
            if not table:
                raise LivetableError(f"{source}: add the table's name, e.g. {endpoint}#orders")
        self.name = check_name(table)
        self._timeout = timeout
        self._news = threading.Condition()
        self._newest: tuple[Header, Followed] | None = None
        self._last: Followed | None = None
        self._ended = False
        self._waits = False  # whether a reader does
        self._eager = True
        self._failure: LivetableError | None = None
        self._stop = threading.Event()
        self._client: Client | None = None
        self._worker: threading.Thread | None = None
        self._on_news: Callable[[], object] = lambda: None

    # -- for the reader ----------------------------------------------------------------------------

    def get(self, timeout: float | None = None) -> pd.DataFrame:
        """Wait for the next new frame; return it as a DataFrame.

        Args:
            timeout: Seconds to wait at most; None: what the subscriber was made with.

        Raises:
            TimeoutError: none came in time.
            NoFrame: the table ended, or this was closed.
            BadKey: the feed does not let this user in, or does not prove its key.
        """
        from livetable.feed.rows.dataframe import to_dataframe

        return to_dataframe(self._next(self._timeout if timeout is None else timeout))

    def get_arrow(self, timeout: float | None = None) -> pa.Table:
        """Return the next frame as an Arrow table; see `get`."""
        from livetable.feed.rows.dataframe import to_arrow

        return to_arrow(self._next(self._timeout if timeout is None else timeout))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield frames until the table ends."""
        while True:
            try:
                frame = self.get()
            except NoFrame:
                return
            yield frame

    @property
    def latest(self) -> pd.DataFrame | None:
        """The newest frame that has come, at once; None before the first.

        It takes nothing away: `get` still returns a frame that it has shown. The first access
        starts to read.

        Raises:
            BadKey: the feed does not let this user in, or does not prove its key.
            UnknownHost: nobody knows the endpoint's host.
        """
        from livetable.feed.rows.dataframe import to_dataframe

        self._start()
        if self._failure is not None:
            raise self._failure
        state = self._last
        if self._client is not None and not self._eager:
            self._client.ask(self.name)  # a large table comes only when it is asked for
        return None if state is None else to_dataframe(state)

    async def __aenter__(self) -> Self:
        """Return the subscriber."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        await asyncio.to_thread(self.close)

    async def aget(self, timeout: float | None = None) -> pd.DataFrame:
        """Return what `get` does, without holding the event loop up.

        Args:
            timeout: Seconds to wait at most; None: what the subscriber was made with.

        Raises:
            TimeoutError: none came in time.
            NoFrame: the table ended, or this was closed.
            BadKey: the feed does not let this user in, or does not prove its key.
        """
        from livetable.feed.rows.dataframe import to_dataframe

        loop, news = asyncio.get_running_loop(), asyncio.Event()
        seconds = self._timeout if timeout is None else timeout
        until = None if seconds is None else loop.time() + seconds
        before, self._on_news = self._on_news, lambda: loop.call_soon_threadsafe(news.set)
        try:
            while True:
                news.clear()
                if (state := self._take()) is not None:
                    return to_dataframe(state)
                left = None if until is None else until - loop.time()
                try:
                    await asyncio.wait_for(news.wait(), left)
                except TimeoutError:
                    raise self._too_late(seconds) from None
        finally:
            self._on_news = before

    async def __aiter__(self) -> AsyncIterator[pd.DataFrame]:
        """Yield frames until the table ends, without holding the event loop up."""
        while True:
            try:
                frame = await self.aget()
            except NoFrame:
                return
            yield frame

    def close(self) -> None:
        """Stop reading; a waiting `get` raises NoFrame. A second call does nothing."""
        self._stop.set()
        if self._client is not None:
            self._client.close()
        with self._news:
            self._news.notify_all()
        self._on_news()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(2)

    def _next(self, timeout: float | None) -> Followed:
        until = None if timeout is None else time.monotonic() + timeout
        with self._news:
            while (state := self._take()) is None:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise self._too_late(timeout)
                self._news.wait(left)
        return state

    def _too_late(self, seconds: float | None) -> TimeoutError:
        return TimeoutError(f"no new frame of {self.name!r} within {seconds:g} s")

    def _start(self) -> None:
        """Start to read, unless that has begun."""
        if self._worker is None and not self._stop.is_set():
            self._worker = threading.Thread(
                target=self._run, name="livetable-subscriber", daemon=True
            )
            self._worker.start()

    def _take(self) -> Followed | None:
        """Return the newest frame, None if there is none yet; then ask for one."""
        self._start()
        with self._news:
            newest, self._newest = self._newest, None
        if newest is not None:
            self.header = newest[0]
            return newest[1]
        if self._failure is not None:
            raise self._failure
        if self._ended or self._stop.is_set():
            raise NoFrame(f"table {self.name!r} has ended")
        self._waits = True
        if self._client is not None:
            self._client.ask(self.name)
        return None

    # -- the worker --------------------------------------------------------------------------------

    def _run(self) -> None:
        from livetable.feed.base.hosts import check_host
        from livetable.feed.local.find import endpoints_of

        try:
            if self._endpoint:
                check_host(self._endpoint)
                self._read(self._endpoint)
            else:
                for endpoint in endpoints_of(self.name, self._stop):
                    self._read(endpoint)
                    if self._stop.is_set() or self._ended:
                        return
        except LivetableError as error:
            self._failure = error
            self._tell()

    def _read(self, endpoint: str) -> None:
        from livetable.feed.client.connection import Client
        from livetable.feed.client.events import Barred, Gone, Refused
        from livetable.feed.client.requests import News
        from livetable.feed.rows.replica import Reading

        self._client = client = Client(endpoint)
        if self._stop.is_set():
            client.close()
        reading = Reading()
        client.ask(self.name)
        for event in client.events():
            if isinstance(event, News) and event.body is not None:
                try:
                    self._came(event, reading.take(event.header, event.body))
                    if self._eager:  # read ahead, so that `get` finds the newest frame
                        client.ask(self.name)
                except BodyError:  # the next whole table will do
                    reading.lose()
                    client.ask(self.name, afresh=event.header.kind == "delta")
            elif isinstance(event, (News, Refused)):
                self._answered(event)
                if self._waits or self._eager:
                    client.ask(self.name)
            elif isinstance(event, Barred):
                client.close()
                raise BadKey(event.reason)
            elif isinstance(event, Gone) and not self._endpoint:
                client.close()  # the next feed of this name may be at another endpoint
            if self._ended:
                client.close()

    def _came(self, news: News, state: Followed) -> None:
        with self._news:
            self._waits = False
            self._eager = news.header.size <= EAGER_BYTES
            self._newest = (news.header, state)
            self._last = state
            self._ended = news.header.ended
        self._tell()

    def _answered(self, event: Event) -> None:
        header = getattr(event, "header", None)
        if header is not None and (header.kind == "end" or header.ended):
            self._ended = True
            self._tell()

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
        self._on_news()
