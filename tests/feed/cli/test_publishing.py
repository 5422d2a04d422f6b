"""livetable.feed.cli.publishing: a source's tables are made as the command line says, and named."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from livetable.feed.cli.main import build_parser
from livetable.feed.cli.publishing import Publishing


@pytest.fixture
def publishing() -> Callable[..., Publishing]:
    def make(*given: str, stop: threading.Event | None = None, is_over: bool = False) -> Publishing:
        options = build_parser().parse_args(list(given))
        options.secure = None
        return Publishing("livetable-feed", options, stop or threading.Event(), is_over=is_over)

    return make


def test_each_free_port_that_tables_are_made_at_is_named(
    publishing: Callable[..., Publishing], capsys: pytest.CaptureFixture[str]
) -> None:
    make = publishing("http://127.0.0.1:0", "--bind", "tcp://127.0.0.1:0")
    named = ""
    for _ in range(2):  # once the last table has ended, the next one takes another port
        with make("orders", is_further=True) as orders, make("others", is_further=True) as others:
            assert orders.endpoint == others.endpoint
            assert not orders.endpoint.endswith(":0")
            said = capsys.readouterr().err.splitlines()
            assert said in ([f"to watch the tables: livetable {orders.endpoint}"], [])
            named = said[0] if said else named  # the same one again
            assert named.endswith(orders.endpoint)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_failure_is_said_once_and_may_be_the_end(
    is_over: bool, publishing: Callable[..., Publishing], capsys: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()
    publish = publishing("-", stop=stop, is_over=is_over)
    with publish("stdin", key="id", limit=2) as publisher:
        assert capsys.readouterr().err == "publishing 'stdin'; to watch it: livetable 'stdin'\n"
        publisher.fail("it broke")
        publisher.fail("it broke")
        assert capsys.readouterr().err == "livetable-feed: it broke\n"
        assert publisher.key == ("id",)
    assert (publish.failed, stop.is_set()) == (is_over, is_over)


def test_a_feed_of_a_viewers_own_says_only_what_that_reads(
    publishing: Callable[..., Publishing], capsys: pytest.CaptureFixture[str]
) -> None:
    publish = publishing("redis://ann:word@host", "--tied")
    with publish("orders") as publisher:
        assert publisher.on_failure is None
        publish.away("does not answer")
        publish.ready("reading the tables of the broker")
    assert capsys.readouterr().err == "waiting: does not answer\nready\n"


def test_what_is_waited_for_is_named_without_its_password(
    publishing: Callable[..., Publishing], capsys: pytest.CaptureFixture[str]
) -> None:
    publish = publishing("redis://ann:word@host")
    publish.away("does not answer")
    publish.ready("reading")
    assert capsys.readouterr().err == (
        "livetable-feed: redis://ann:***@host does not answer: waiting for it\nreading\n"
    )
