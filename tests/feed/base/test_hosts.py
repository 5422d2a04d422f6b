"""livetable.feed.base.hosts: whether anybody knows the host of an address."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from livetable.feed import Subscriber
from livetable.feed.base import hosts
from livetable.feed.base.hosts import UnknownHost, check_host, hosts_of


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://there:5411", ["there"]), ("tcp://[::1]:5411", ["::1"]), ("tcp://*:5411", []),
        ("ipc:///run/there.sock", []), ("nats://me:p@w@a:4222,b:4222", ["a", "b"]),
        ("redis://there/0", ["there"]), ("http://[", []), ("tcp://eth0;there:1", []),
    ],
)  # fmt: skip
def test_hosts_of_addresses(address: str, expected: list[str]) -> None:
    assert hosts_of(address) == expected


def resolver(monkeypatch: pytest.MonkeyPatch, **known: int | None) -> None:
    """Have names looked up here: with an error's number, or known."""

    def look(host: str, *_: Any) -> None:
        if (number := known.get(host, socket.EAI_NONAME)) is not None:
            raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", look)


def test_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, there=None, later=socket.EAI_AGAIN)
    for known in ("tcp://there:1", "tcp://later:1", "nats://nowhere:1,there:1", "ipc:///x"):
        check_host(known)
    with pytest.raises(UnknownHost, match="unknown host 'nowhere': check the name in nats://nowh"):
        check_host("nats://me:secret@nowhere:4222,elsewhere")


def test_a_name_server_that_is_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(hosts, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ended.wait(20))
    check_host("tcp://there:1")
    ended.set()


def test_a_subscriber_says_so() -> None:
    with (
        Subscriber(f"tcp://{'h' * 64}:1#orders") as orders,
        pytest.raises(UnknownHost, match="unknown host"),
    ):
        orders.get()
