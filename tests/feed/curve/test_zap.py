"""livetable.feed.curve.zap: who comes in to a feed with keys, and who loses the connection."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import zmq

from livetable.feed import Publisher, Subscriber
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Barred
from livetable.feed.client.requests import News
from livetable.feed.curve import introduction, keys
from livetable.feed.errors import BadKey
from livetable.feed.server.hub import get_hub
from livetable.feed.server.keyed_socket import KeyedSocket
from tests.feed.curve.viewers import FRAME, barred, feed_key
from tests.waiting import wait_for


def test_one_whose_key_is_known_comes_in_at_once(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    keys.keygen()
    mine = keys.own_pair()
    assert mine is not None
    shown = introduction.ask(feed.endpoint)
    assert shown == feed_key(as_user)
    keys.trust(feed.endpoint, shown)
    assert "does not know your key" in barred(feed.endpoint)
    with pytest.raises(BadKey, match="does not know your key"):
        Subscriber(f"{feed.endpoint}#orders").get(timeout=10)
    # The doorkeeper looks at the file at each handshake; here both are one process.
    folder = as_user("viewer")
    (folder / "authorized_viewers").write_text(keys.key_text(mine.public))
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert list(orders.get()["price"]) == [1.5, 2.5]


def test_a_key_that_is_taken_out_loses_its_connection(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    keys.keygen()
    mine = keys.own_pair()
    assert mine is not None
    keys.trust(feed.endpoint, feed_key(as_user))
    allowed = as_user("viewer") / "authorized_viewers"
    other = keys.key_text(keys.new_pair().public)
    allowed.write_text(f"{other}\n{keys.key_text(mine.public)}\n")
    client, told, came = Client(feed.endpoint), list[str](), 0.0
    client.ask("orders")
    try:
        for event in client.events(20):
            if isinstance(event, Barred):
                told.append(event.reason)
                break
            if isinstance(event, News) and event.body is not None:
                came = came or time.monotonic()
                allowed.write_text(f"{other}\n")
            if isinstance(event, News):
                client.ask("orders")
        assert came
        assert told
        assert time.monotonic() - came < 5
        assert "does not know your key" in told[0]
        # Who is let in again reads on, without another start of the feed.
        allowed.write_text(f"{keys.key_text(mine.public)}\n")
        feed.send(FRAME * 2)
        assert any(isinstance(one, News) and one.body for one in client.events(10))
    finally:
        client.close()
        list(client.events())


def be_its_own_viewer(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    """Be the user whose feed it is, who knows its key."""
    as_user("feed")
    mine = keys.own_pair()
    assert mine is not None
    keys.trust(feed.endpoint, mine.public)


def test_who_is_still_let_in_stays_when_another_is_not(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    be_its_own_viewer(feed, as_user)
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)
        hub = get_hub()
        keyed = hub.sockets._keyed
        assert keyed is not None
        bound = [one for one in hub.sockets if isinstance(one, KeyedSocket)]
        hub._mailbox.call(lambda: keyed._to_renew.update(bound))
        wait_for(lambda: not keyed._to_renew)
        feed.send(FRAME * 3)
        assert orders.get()["id"].tolist() == [3, 6]


def test_ones_own_key_always_comes_in(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    as_user("feed")
    shown = introduction.ask(feed.endpoint)
    assert shown is not None
    keys.trust(feed.endpoint, shown)
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)


def test_plain_subscribers_hear_nothing(feed: Publisher) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.SUB) as one:
        one.subscribe(b"")
        one.connect(feed.endpoint)
        feed.send(FRAME)
        assert not one.poll(300)
    context.destroy(0)


def test_connections_that_never_speak_are_closed_and_the_feed_goes_on(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    be_its_own_viewer(feed, as_user)
    port = int(feed.endpoint.rpartition(":")[2])
    process = psutil.Process()
    before = process.num_fds()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))  # both ends are here
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
    half = socket.create_connection(("127.0.0.1", port))
    half.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE")  # a greeting that never ends
    began = time.monotonic()
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)
    assert time.monotonic() - began < 5
    wait_for(lambda: process.num_fds() <= before + 1001 + 20, 20, "the feed to close them")
    for one in (*silent, half):
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
