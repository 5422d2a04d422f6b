"""The worker that reads a feed: socket → decoded table → one message to the event loop.

It never touches a widget. It keeps only the newest state: the event loop takes it when it has time,
and gives credit for the next one once it is painted. So nothing queues up in between.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from livetable.feed.protocol.source_status import NO_SOURCE
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.slabs import Slabs
from livetable.tui.target import Target
from livetable.tui.text.ages import age_text, rate_text
from livetable.tui.text.places import started

if TYPE_CHECKING:
    from livetable.feed.client.connection import Client
    from livetable.feed.client.events import Event
    from livetable.feed.client.requests import News
    from livetable.feed.protocol.messages import Header
    from livetable.feed.rows.replica import Followed, Reading
    from livetable.feed.tape.recorder import Recorder
    from livetable.tui.model.table import Table

EARLY_SECONDS: Final = 0.01
"""How long `read_early` may wait for an answer: as long as a paint takes."""

LARGE: Final = 10 << 20
"""After a body of more bytes than this, the next one is requested before the paint."""


def ask_early(target: Target) -> Client | None:
    """Return a client that requests a table now, so that it arrives while the app starts.

    None if the table is not live yet, or if the target is not a single table.
    """
    from livetable.feed.client.connection import Client

    if target.table is None or target.tape is not None:
        return None
    endpoint = target.endpoint
    if endpoint is None:
        from livetable.feed.local.directory import find

        feeds = find(target.table)
        if not feeds:
            return None
        endpoint = feeds[0].endpoint
    client = Client(endpoint)
    client.ask(target.table)
    client.say()
    return client


def looks_alike(before: FeedState, after: FeedState, stale_after: float | None = None) -> bool:
    """Tell whether two states of the same table look the same on the screen."""
    limit = math.inf if stale_after is None else stale_after

    def said(state: FeedState) -> tuple[object, ...]:
        return (state.link, state.name, state.note, state.failure, state.problem, state.progress,
                state.source, rate_text(state.rate), age_text(state.age),
                (state.age or 0.0) > limit)  # fmt: skip

    return said(before) == said(after)


class FeedReader:
    """Reads one table. Call `run` in its own thread; the other methods are thread-safe.

    Args:
        target: The table; without an endpoint it is looked up by name.
        on_news: Called from the worker's thread when there is a new state; once until `take`.
        columns: Titles of the columns to show, None for all.
        client: A client that has requested the table already (`ask_early`).
        stale_after: Seconds of silence after which a table looks stale, None for never.
        recorder: Records the table, None for no recording.
    """

    def __init__(
        self,
        target: Target,
        on_news: Callable[[], object],
        columns: Sequence[str] | None = None,
        client: Client | None = None,
        stale_after: float | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._recorder = recorder
        assert target.table is not None
        self._columns = columns
        self.target = target
        self.name = target.table
        self._on_news = on_news
        self._state = FeedState(name=self.name)
        self._news_pending = False
        self._unrecorded = False  # whether a frame before the next one was left out of the tape
        self._stop = threading.Event()
        self._client = client
        self._stale_after = stale_after
        self._reading: Reading | None = None
        """Decodes the client's bodies; None before the first."""
        self._slabs = Slabs()
        self._feed = started(target.endpoint)

    def take(self) -> FeedState:
        """Return the newest state; `on_news` is called for the next one."""
        self._news_pending = False  # first: news in between must rather be posted twice than never
        state, feed = self._state, self._feed
        if feed is None or feed.failure is None:
            return state
        if state.table is None or (feed.over and state.link is not Link.ENDED):
            # Not stored in the state: messages sent before the feed died may still arrive.
            return replace(state, note=feed.failure, failure=feed.failure)
        return state

    def credit(self) -> None:
        """Request the next state: the last one is painted."""
        if self._client is not None:
            self._client.ask(self.name)

    def stop(self) -> None:
        """End `run`. Returns at once."""
        self._stop.set()
        if self._client is not None:
            self._client.close()

    def read_early(self) -> None:
        """Read what has already arrived, before `run`, so that the first paint shows it.

        In the thread that paints: another thread would wait for the interpreter at each step.
        """
        from livetable.feed.errors import LivetableError

        client = self._client
        if client is None:
            return
        self._begin(client)
        try:
            for event in client.events(EARLY_SECONDS):
                self._take_in(event, client)
                if self._state.table is not None:
                    return
        except LivetableError as error:  # e.g. an unreadable key file; `run` tries again
            self._update(link=Link.WAITING, note=str(error))

    def run(self) -> None:
        """Read until `stop`, through every end and restart of the feed."""
        from livetable.feed.client.connection import Client
        from livetable.feed.errors import LivetableError

        deaf = self._feed.listen(self._tell) if self._feed is not None else None
        try:
            if self._client is not None:
                self._read(self._client)
            for endpoint in self._endpoints():
                if self._stop.is_set():
                    return
                self._reading = None
                self._read(Client(endpoint))
        except LivetableError as error:  # reading ends here
            self._update(link=Link.WAITING, note=str(error), failure=str(error))
        finally:
            if deaf is not None:
                deaf()
            if self._recorder is not None:
                self._recorder.close()

    def _endpoints(self) -> Iterator[str]:
        """Yield the table's endpoint, again whenever it may have moved."""
        if self.target.endpoint is not None:
            while True:
                yield self.target.endpoint
        from livetable.feed.errors import RuntimeFolder
        from livetable.feed.local.find import endpoints_of

        try:
            yield from endpoints_of(self.name, self._stop, self._missing)
        except RuntimeFolder as error:
            self._update(link=Link.WAITING, note=str(error), failure=str(error))
            self._stop.wait()

    def _missing(self) -> None:
        if self._state.table is None:
            self._update(link=Link.WAITING)

    def _begin(self, client: Client) -> None:
        from livetable.feed.rows.replica import Reading

        self._client = client
        self._reading = Reading()
        client.ask(self.name)
        if self._state.table is None:
            self._update(link=Link.CONNECTING)

    def _read(self, client: Client) -> None:
        if self._reading is None:
            self._begin(client)
        if self._stop.is_set():
            client.close()
        for event in client.events():
            self._take_in(event, client)

    def _may_have_moved(self, event: Event) -> bool:
        from livetable.feed.client.events import Gone
        from livetable.feed.client.requests import News

        if self.target.endpoint is not None:
            return False
        return isinstance(event, Gone) or (isinstance(event, News) and event.header.kind == "end")

    def _take_in(self, event: Event, client: Client) -> None:
        from livetable.feed.client.events import Barred, Gone, Progress, Refused
        from livetable.feed.client.requests import News

        if isinstance(event, News):
            self._take_in_news(event, client)
        elif isinstance(event, Gone):
            if self._state.link is not Link.ENDED:  # a table that has ended stays ended
                never = self._state.table is None
                self._update(link=Link.WAITING if never else Link.GONE, progress=None)
        elif isinstance(event, Progress):
            done = int(event.done * 20) / 20
            if done != self._state.progress:
                self._update(progress=done)
        elif isinstance(event, Refused):
            self._refuse(event.reason)
            client.ask(self.name)
        elif isinstance(event, Barred):
            never = self._state.table is None
            self._update(link=Link.WAITING if never else Link.GONE, note=event.reason)
        elif not event.connected and self._state.table is None:
            self._update(link=Link.CONNECTING)
        if self._may_have_moved(event):
            client.close()

    def _take_in_news(self, news: News, client: Client) -> None:
        header = news.header
        changes: dict[str, object] = {
            "name": header.table or self.name,
            "note": header.note,
            "failure": header.failure,
            "heard": news.heard,
            "progress": None,
        }
        if header.source is not None or news.body is not None:
            changes["source"] = header.source or NO_SOURCE
        if news.body is not None:
            self._take_in_table(news, client, changes)
        elif header.kind == "idle":
            before = self._state
            self._change(
                link=_link_of(header, self._state.table),
                rate=header.rate,
                age=header.age,
                **changes,
            )
            client.ask(self.name)  # at once: there is nothing to paint
            if not looks_alike(before, self._state, self._stale_after):
                self._tell()
        elif header.kind == "end":
            self._update(link=Link.ENDED, **changes)
            client.ask(self.name)
        elif header.kind == "absent":
            never = self._state.table is None
            self._update(link=Link.WAITING if never else Link.ENDED, **changes)
            client.ask(self.name)

    def _take_in_table(self, news: News, client: Client, changes: dict[str, object]) -> None:
        # Long, as all that can fail with a body is in one try.
        from livetable.feed.errors import BodyError
        from livetable.tui.model.table import build

        header = news.header
        assert header.position is not None
        assert news.body is not None
        assert self._reading is not None
        try:
            state = self._reading.take(header, self._slabs.keep(news.body))
            table = build(
                state,
                header.key,
                header.position,
                header.columns,
                sent=news.heard - (header.age or 0.0),
            )
            if header.source is not None and header.source.unfinished is not None:
                table = replace(table, unfinished=header.source.unfinished)
            if self._columns is not None:
                if missing := table.missing(self._columns):
                    changes["note"] = f"No column {', '.join(map(repr, missing))}"
                table = table.select(self._columns)
        except Exception as error:  # whatever fails must not end the viewer
            self._refuse(str(error) if isinstance(error, BodyError) else f"{error!r:.200}")
            self._reading.lose()
            # Not after a snapshot: the same one would come back, again and again.
            client.ask(self.name, afresh=header.kind == "delta")
            return
        merged = self._state.merged
        before = self._state.table
        if before is not None and before.position.epoch == header.position.epoch:
            merged += max(0, header.position.seq - before.position.seq - 1)
        self._update(
            link=_link_of(header, table),
            table=table,
            rate=header.rate,
            age=(header.age or 0.0) + max(0.0, time.monotonic() - news.heard),
            merged=merged,
            problem=None,
            **changes,
        )
        self._record(header, news, state)
        if header.size > LARGE:
            client.ask(self.name)

    def _record(self, header: Header, news: News, state: Followed) -> None:
        """Record a frame; after `_update`, so that the paint does not wait for the disk."""
        recorder = self._recorder
        if recorder is not None and news.body is not None:
            if header.source is not None and header.source.unfinished is not None:
                self._unrecorded = True  # an incomplete last line would be a wrong number
                return
            if self._unrecorded and header.kind == "delta":
                from livetable.feed.rows.replica import body_of

                header = replace(header, kind="snapshot", since=None, gone=())
                news = replace(news, body=body_of(state))
            self._unrecorded = False
            recorder.add(header, news.body or b"", state)
            said = recorder.problem or f"rec {recorder.size / 2**20:.1f} MB"
            if said != self._state.recording:
                self._change(recording=said)  # painted with the next frame
                if recorder.problem is not None:
                    self._tell()

    def _refuse(self, reason: str) -> None:
        self._update(skipped=self._state.skipped + 1, problem=reason)

    def _update(self, **changes: object) -> None:
        self._change(**changes)
        self._tell()

    def _change(self, **changes: object) -> None:
        # No lock: only this thread assigns it, and each state is immutable.
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]

    def _tell(self) -> None:
        if not self._news_pending and not self._stop.is_set():
            self._news_pending = True
            with contextlib.suppress(RuntimeError):  # the event loop has just ended
                self._on_news()


def _link_of(header: Header, table: Table | None) -> Link:
    if table is None:
        return Link.WAITING
    if header.ended:
        return Link.ENDED
    return Link.GONE if header.silent else Link.LIVE
