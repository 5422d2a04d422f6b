"""tui.text.places: a feed of this process's own is called what it publishes, never its socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from livetable.tui.text import places

SOCKET = "ipc:///run/user/7/livetable/.viewer-77-0123abcd.sock"


class Own:
    title = "orders.csv"
    awaits = "rows of orders.csv"
    failure: str | None = None
    over = False

    def listen(self, told: Callable[[], object]) -> Callable[[], object]:
        return lambda: None


@pytest.fixture
def own() -> Iterator[Own]:
    feed = Own()
    places.add(SOCKET, feed)
    yield feed
    places.remove(SOCKET)


def test_what_this_process_started_is_known_until_it_is_ended(own: Own) -> None:
    assert places.started(SOCKET) is own
    assert places.place(SOCKET) == "orders.csv"
    places.remove(SOCKET)
    assert places.started(SOCKET) is None
    places.remove(SOCKET)  # as at the end of a feed that was closed twice


def test_another_feed_is_called_by_its_endpoint_and_no_socket_is_ever_told(own: Own) -> None:
    assert places.place("tcp://h:1") == "tcp://h:1"
    assert places.started("tcp://h:1") is None
    assert places.started(None) is None
    others = SOCKET.replace("77", "78")  # of the process that serves this one's browser
    assert ".viewer-" not in places.place(others)
