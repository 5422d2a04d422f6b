"""tui.workers.listing: which tables there are, as they come and go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from livetable.feed import Publisher
from livetable.feed.protocol.table_info import TableInfo
from livetable.tui.output.text_formats import as_text
from livetable.tui.target import Target
from livetable.tui.workers.listing import Listed, Lister, as_table, target_of
from tests.waiting import wait_for


def test_listing() -> None:
    info = TableInfo("orders", "e", 3, 1000, 20, 1.5, 61.0, 99, "job.py")
    listing = [Listed("ipc:///x", "orders", 99, info), Listed("ipc:///y", "new", 7, answers=False)]
    text = as_text(as_table(listing, 1), "table")
    assert "1 m" in text
    assert "gone" in text
    assert target_of(listing, 0) == Target("ipc:///x", "orders")
    assert target_of(listing, 9) is None
    assert as_table([], 1).rows == 0


@contextmanager
def listing_of(endpoint: str | None) -> Iterator[tuple[Lister, list[int]]]:
    """Run a lister; give it, and how often it told of news."""
    news: list[int] = []
    lister = Lister(endpoint, lambda: news.append(1))
    thread = threading.Thread(target=lister.run)
    thread.start()
    try:
        yield lister, news
    finally:
        lister.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_tables_of_this_machine_come_and_go() -> None:
    with listing_of(None) as (lister, news):
        wait_for(lambda: news)
        assert lister.take() == []
        with Publisher("prices") as prices, Publisher("orders") as orders:
            orders.send(pd.DataFrame({"v": [1, 2]}))
            prices.send(pd.DataFrame({"v": [1]}))
            wait_for(lambda: all(one.info and one.info.seq for one in lister.take())
                     and len(lister.take()) == 2)  # fmt: skip
            listed = lister.take()
            assert [(one.name, one.info and one.info.rows) for one in listed] == [
                ("orders", 2), ("prices", 1),
            ]  # fmt: skip
            assert all(one.lives for one in listed)
            prices.close()
            wait_for(lambda: [one.name for one in lister.take()] == ["orders"])
        wait_for(lambda: lister.take() == [])


def test_it_tells_of_news_once_until_they_are_taken() -> None:
    news: list[int] = []
    endpoint = "tcp://127.0.0.1:9"
    lister = Lister(endpoint, lambda: news.append(1))
    info = TableInfo("orders", "e", 3, 1000, 20, 1.5, 61.0, 99, "job.py")
    for _ in range(3):
        lister._take_in(endpoint, (info,))
    assert len(news) == 1  # nobody has looked meanwhile
    assert [(one.name, one.lives) for one in lister.take()] == [("orders", True)]
    lister._silent(endpoint)
    assert len(news) == 2
    assert [(one.name, one.lives) for one in lister.take()] == [("orders", False)]
    lister._take_in(endpoint, ())
    assert lister.take() == []
    lister.stop()
    lister._take_in(endpoint, (info,))
    assert len(news) == 3  # whoever has stopped it is told of nothing


def test_tables_of_an_endpoint_are_those_that_it_tells_of() -> None:
    with Publisher("orders", endpoint="tcp://127.0.0.1:0") as orders, Publisher("local"):
        orders.send(pd.DataFrame({"v": [1, 2]}))
        with listing_of(orders.endpoint) as (lister, _):
            wait_for(lambda: lister.take())
            assert [one.name for one in lister.take()] == ["orders"]
            assert lister.connected
            assert lister.problem is None


def test_an_endpoint_that_can_not_be_read_is_told() -> None:
    with listing_of("tcp://nonsense") as (lister, news):
        wait_for(lambda: news)
        assert lister.problem is not None
        assert "nonsense" in lister.problem
        assert lister.take() == []
