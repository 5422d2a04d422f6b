"""The viewer's worker: what is read before it runs, and what is painted first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from textual.geometry import Region
from textual.strip import Strip

from livetable.feed import Publisher
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Event, Gone
from livetable.feed.errors import BadKey
from livetable.tui.app import LivetableApp
from livetable.tui.model.feed_state import Link
from livetable.tui.target import Target
from livetable.tui.widgets.status_line import StatusLine
from livetable.tui.widgets.table_view import TableView
from livetable.tui.workers import feed
from livetable.tui.workers.feed import FeedReader, ask_early
from tests.waiting import wait_for

ORDERS = Target(None, "orders")


@pytest.fixture
def orders(runtime_folder: Path) -> Iterator[Publisher]:
    with Publisher("orders") as publisher:
        publisher.send(pd.DataFrame({"v": [1, 2, 3]}))
        yield publisher


def answered() -> Client:
    """Return a reader whose answer has come, as it has by the time an app is loaded."""
    client = ask_early(ORDERS)
    assert client is not None
    wait_for(lambda: client._socket.poll(0))
    return client


@contextmanager
def running(reader: FeedReader) -> Iterator[None]:
    thread = threading.Thread(target=reader.run)
    thread.start()
    try:
        yield
    finally:
        reader.stop()
        thread.join(10)
        assert not thread.is_alive()


def rows_of(reader: FeedReader) -> int:
    table = reader.take().table
    return -1 if table is None else table.rows


def test_an_answer_that_is_there_is_read_before_it_runs(orders: Publisher) -> None:
    news: list[int] = []
    reader = FeedReader(ORDERS, lambda: news.append(1), client=answered())
    reader.read_early()
    state = reader.take()
    assert (state.link, rows_of(reader)) == (Link.LIVE, 3)
    assert news == [1]
    with running(reader):
        orders.send(pd.DataFrame({"v": [4]}))
        assert rows_of(reader) == 3  # no credit was given yet: nobody painted it
        reader.credit()
        wait_for(lambda: rows_of(reader) == 1)
    assert reader.take().merged == 0


def test_nobody_waits_for_an_answer_that_does_not_come(
    orders: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "EARLY_SECONDS", 0.0)
    reader = FeedReader(ORDERS, lambda: None, client=answered())
    reader.read_early()
    assert (reader.take().link, rows_of(reader)) == (Link.CONNECTING, -1)
    with running(reader):
        wait_for(lambda: rows_of(reader) == 3)
    FeedReader(ORDERS, lambda: None).read_early()  # nobody was asked


def test_a_file_of_keys_that_cant_be_read_is_told(
    orders: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def events(timeout: float | None = None) -> Iterator[Event]:
        raise BadKey("key.secret is no key")

    client = answered()
    reader = FeedReader(ORDERS, lambda: None, client=client)
    with monkeypatch.context() as patch:
        patch.setattr(client, "events", events)
        reader.read_early()
    assert (reader.take().link, reader.take().note) == (Link.WAITING, "key.secret is no key")
    with running(reader):
        wait_for(lambda: rows_of(reader) == 3)


def test_a_feed_that_ended_before_it_runs_is_looked_for_again(runtime_folder: Path) -> None:
    with Publisher("orders") as publisher:
        publisher.send(pd.DataFrame({"v": [1, 2, 3]}))
        client = answered()
        reader = FeedReader(ORDERS, lambda: None, client=client)
        reader.read_early()
        reader.credit()
        client.say()
    for event in client.events(20.0):  # its farewell
        reader._take_in(event, client)
    assert client._socket.closed
    with Publisher("orders") as publisher, running(reader):
        publisher.send(pd.DataFrame({"v": [4]}))
        wait_for(lambda: rows_of(reader) == 1)


async def test_the_first_paint_has_rows_and_state(
    orders: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: dict[type, list[str]] = {}

    def record(widget: type[TableView] | type[StatusLine]) -> None:
        render = widget.render_lines

        def recorded(self: TableView, crop: Region) -> list[Strip]:
            strips = render(self, crop)
            painted.setdefault(widget, ["\n".join(strip.text for strip in strips)])
            return strips

        monkeypatch.setattr(widget, "render_lines", recorded)

    record(TableView)
    record(StatusLine)
    app = LivetableApp(ORDERS, client=answered())
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        app.exit()
    lines = painted[TableView][0].splitlines()
    assert [line.split() for line in lines[:2]] == [["v"], ["0", "1"]]
    assert "● live" in painted[StatusLine][0]
    assert "3 × 1" in painted[StatusLine][0]


def test_what_has_ended_is_not_gone_when_nothing_more_is_heard(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livetable.feed.client.requests.GONE_SECONDS", 0.2)
    endpoint = f"ipc://{runtime_folder}/x.sock"
    publisher = Publisher("orders", endpoint=endpoint)
    publisher.send(pd.DataFrame({"v": [1, 2, 3]}))
    events: list[Event] = []
    reader = FeedReader(Target(endpoint, "orders"), lambda: None)
    take_in = reader._take_in

    def note(event: Event, client: Client) -> None:
        take_in(event, client)
        events.append(event)

    monkeypatch.setattr(reader, "_take_in", note)
    with running(reader):
        wait_for(lambda: rows_of(reader) == 3)
        publisher.close()
        wait_for(lambda: any(isinstance(one, Gone) for one in events), 20, "silence")
        state = reader.take()
    assert (state.link, rows_of(reader)) == (Link.ENDED, 3)


def test_a_state_of_a_process_that_is_not_heard_is_never_live(orders: Publisher) -> None:
    orders.mirror(lambda: None)  # nobody is heard yet
    reader = FeedReader(ORDERS, lambda: None, client=answered())
    reader.read_early()
    assert (reader.take().link, rows_of(reader)) == (Link.GONE, 3)
    reader.stop()
    list(reader._client.events() if reader._client else ())
