"""livetable.feed.server.peer: the account of one connection, and which connection it is."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from livetable.feed.server import peer as module
from livetable.feed.server.peer import (
    ANSWERS,
    BODIES_AHEAD,
    MESSAGES,
    STILL_PUBLIC_SECONDS,
    STILL_SECONDS,
    Peer,
    ends_of,
    queued,
    shut,
)
from tests.feed.server.test_endpoint import Sent


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname(), timeout=10)
        near, _ = server.accept()
        with near, far:
            yield near, far


def test_which_connection_a_descriptor_is_of(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    ends = ends_of(near.fileno())
    assert ends is not None
    assert (ends.here, ends.there, ends.host) == (
        near.getsockname(), far.getsockname(), "127.0.0.1"
    )  # fmt: skip
    reading, writing = os.pipe()
    assert ends_of(reading) is None
    for fd in (reading, writing):
        os.close(fd)
    assert ends_of(reading) is None
    other = ends_of(far.fileno())
    assert other is not None
    shut(near.fileno(), other)  # it is another one by now: nothing is shut
    near.send(b"x")
    assert far.recv(1) == b"x"
    shut(near.fileno(), ends)
    assert far.recv(1) == b""


def test_a_local_peer_is_its_process(tmp_path: object) -> None:
    near, far = socket.socketpair()
    with near, far:
        ends = ends_of(near.fileno())
        assert ends is not None
        assert ends.host in ("", f"process {os.getpid()}")


def test_how_much_is_not_taken(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    assert queued(near.fileno()) == 0
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(bytes(1 << 16))
    assert queued(near.fileno()) > 0
    assert queued(10_000) == 0


def test_who_is_not_known_is_not_counted() -> None:
    nobody = Peer()
    assert nobody.says(0.0)
    assert nobody.may_get(0.0)
    assert nobody.reads(0.0)
    assert not nobody.is_behind
    nobody.look(0.0)
    nobody.got(Sent())
    nobody.got_body("t", Sent())
    nobody.send_away()
    assert not nobody.gone
    assert nobody.host == ""


def test_messages_and_answers_are_counted() -> None:
    talker = Peer(10_000)
    heard = [talker.says(0.0) for _ in range(MESSAGES + 10)]
    assert heard == [True] * MESSAGES + [False] * 10
    assert talker.says(1.0)  # some more each second
    answered = Peer(10_000)
    for _ in range(ANSWERS):
        answered.got(Sent())
    assert not answered.may_get(0.0)
    assert answered.may_get(1.0)
    wary = Peer(10_000)
    wary.be_wary()
    assert sum(wary.says(0.0) for _ in range(MESSAGES)) == module._WARY


def test_bodies_wait_until_those_before_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "queued", lambda fd: 1)
    peer, sents = Peer(10_000), [Sent() for _ in range(BODIES_AHEAD)]
    for sent in sents:
        assert peer.has_credit("t", 0.0)
        peer.got_body("t", sent)
    assert not peer.has_credit("t", 0.0)
    assert peer.has_credit("other", 0.0)
    sents[0].done = True
    assert peer.has_credit("t", 0.0)
    peer.got_body("t", Sent())
    monkeypatch.setattr(module, "queued", lambda fd: 0)  # another one listens in, and is behind
    assert peer.has_credit("t", 0.0)


@pytest.mark.parametrize(("topic", "most"), [(b"@x", STILL_SECONDS), (b"t", STILL_PUBLIC_SECONDS)])
def test_who_does_not_read(topic: bytes, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [5]
    monkeypatch.setattr(module, "queued", lambda fd: held[0])
    peer = Peer(10_000)
    peer.topics.add(topic)
    peer.look(0.0)
    assert peer.reads(most - 0.01)
    assert not peer.reads(most)
    held[0] = 4  # it took something
    peer.look(most)
    assert peer.reads(most)
    held[0] = 0
    peer.look(10.0)
    assert peer.reads(100.0)
