"""livetable.feed.server.bound_sockets: endpoints are bound once, served and let go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from livetable.feed.curve.keys import new_pair
from livetable.feed.errors import BadEndpoint
from livetable.feed.frames.body import Body
from livetable.feed.server.bound_sockets import BoundSockets, PlainSocket
from livetable.feed.server.mailbox import Mailbox, Poll
from livetable.feed.server.table_state import TableState
from livetable.feed.server.zmtp import say_taken
from tests.waiting import wait_for


@pytest.fixture
def sockets() -> Iterator[BoundSockets]:
    mailbox = Mailbox()
    made = BoundSockets(Poll(mailbox), lambda table, have, deltas: None)
    yield made
    made.close()
    mailbox.close()


def turn(sockets: BoundSockets) -> None:
    now = time.monotonic()
    sockets._poll.wait(sockets._descriptors(), 0.01)
    sockets.let_in()
    sockets.revoke(now)
    sockets.serve(now)
    sockets.flush(now)


def test_an_endpoint_is_bound_once(sockets: BoundSockets) -> None:
    bound = sockets.bind("tcp://127.0.0.1:0", None)
    assert sockets.bind("tcp://127.0.0.1:0", None) is bound
    assert sockets.get(bound.endpoint) is bound
    assert list(sockets) == [bound]
    with pytest.raises(BadEndpoint, match="without keys: use the same secure="):
        sockets.bind(bound.endpoint, new_pair())
    sockets.unbind(bound, time.monotonic())
    assert sockets.get(bound.endpoint) is None
    sockets.bind(bound.endpoint, None)  # its port is free again


def test_keys_or_none(sockets: BoundSockets) -> None:
    pair = new_pair()
    bound = sockets.bind("tcp://127.0.0.1:0", pair)
    assert not isinstance(bound, PlainSocket)
    assert sockets.bind("tcp://127.0.0.1:0", pair) is bound
    with pytest.raises(BadEndpoint, match="with keys: use the same secure="):
        sockets.bind(bound.endpoint, None)
    turn(sockets)
    sockets.unbind(bound, time.monotonic())
    assert list(sockets) == []


def test_a_name_that_another_process_took_is_told(sockets: BoundSockets, tmp_path: Path) -> None:
    bound = sockets.bind(f"ipc://{tmp_path}/s", None)
    table, told = TableState("orders", (), lambda frame: Body(memoryview(b""), 0, 0)), []
    table.on_taken = lambda: told.append(1)
    bound.serving.add(table, 0.0)
    from threading import Thread

    for name in ("nosuch", "orders"):
        saying = Thread(target=say_taken, args=(f"{tmp_path}/s", name))
        saying.start()

        def said(saying: Thread = saying) -> bool:
            turn(sockets)
            return not saying.is_alive()

        wait_for(said)
    assert told == [1]
