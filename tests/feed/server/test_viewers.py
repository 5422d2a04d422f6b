"""livetable.feed.server.viewers: topics, sessions, and who waits for how long."""

from __future__ import annotations

import pytest

from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import IDLE_SECONDS, Position, Want
from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.server import viewers
from livetable.feed.server.peer import MOST_WAITING, Peer
from livetable.feed.server.peers import Peers
from livetable.feed.server.viewers import (
    STALE_SECONDS,
    Session,
    Subscriptions,
    Transfer,
    Viewer,
    Waiting,
    is_private,
)
from tests.feed.server.test_endpoint import Sent

TOPIC = b"@" + b"0" * 32


def want(number: int = 1) -> Want:
    return Want(number, TOPIC, "t")


def session() -> Session:
    return Viewer(TOPIC, Peer()).session("t")


def transfer() -> Transfer:
    return Transfer(Snapshot(Position("e", 1), Body(memoryview(b""), 0, 0), 0.0, 0.0), [])


def test_a_viewer_has_one_session_a_table() -> None:
    viewer = Viewer(TOPIC, Peer())
    assert viewer.session("t") is viewer.session("t")
    assert viewer.session(None) is not viewer.session("t")
    assert [viewer.session("t").is_looked_at] == [False]
    viewer.session("t").answered = 1
    assert viewer.session("t").is_looked_at


def test_a_transfer_is_given_up_when_nothing_is_on_its_way() -> None:
    one = transfer()
    assert not one.is_given_up(STALE_SECONDS - 1)
    assert one.is_given_up(STALE_SECONDS)
    one.last = sent = Sent()
    assert not one.is_given_up(STALE_SECONDS)
    sent.done = True
    assert one.is_given_up(STALE_SECONDS)


def test_which_want_fetches_on() -> None:
    one = session()
    assert not one.is_fetching(want())
    one.transfer = transfer()
    assert one.is_fetching(Want(2, TOPIC, "t", fetching=Position("e", 1)))
    assert not one.is_fetching(Want(2, TOPIC, "t", fetching=Position("e", 2)))


def test_who_waits_is_due_in_its_turn() -> None:
    waiting, first, second = Waiting(Peers()), session(), session()
    waiting.add(first, want(), 0.0)
    waiting.add(second, want(), 0.5)
    assert "t" in waiting
    assert [waiting.deadline] == [IDLE_SECONDS]
    assert waiting.due(IDLE_SECONDS) == [(first, want())]
    waiting.add(first, want(), 0.9)  # repeated: as long as before
    assert waiting.due(IDLE_SECONDS) == [(first, want())]
    waiting.add(first, want(2), 0.9)  # another: behind the second one
    assert [one for one, _ in waiting.due(5.0)] == [second, first]
    assert [number.number for _, number in waiting.of("t")] == [1, 2]
    waiting.stop(first)
    waiting.stop(first)
    waiting.stop(second)
    assert "t" not in waiting
    assert [waiting.deadline] == [None]
    assert waiting.of("t") == []


def test_how_many_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, peer = Waiting(Peers()), Peer(99)
    peer.waiting = MOST_WAITING
    assert not waiting.has_place(peer)
    peer.waiting = 0
    assert waiting.has_place(peer)
    monkeypatch.setattr(viewers, "MAX_WANTS", 1)
    waiting.add(session(), want(), 0.0)
    assert not waiting.has_place(peer)
    assert not waiting.has_place(Peer())


def test_topics_have_an_owner_and_only_holders_end_them() -> None:
    subscriptions, first, second = Subscriptions(Peers()), Peer(98), Peer(99)
    assert is_private(TOPIC)
    assert not is_private(b"orders")
    assert subscriptions.add(TOPIC, first)
    assert subscriptions.add(TOPIC, first)  # once more is the same
    assert not subscriptions.remove(TOPIC, second)
    assert subscriptions.add(TOPIC, second)
    assert subscriptions.owner(TOPIC) is first
    assert subscriptions.remove(TOPIC, first)
    assert subscriptions.owner(TOPIC) is second
    assert first.topics == set()
    assert subscriptions.remove(TOPIC, second)
    assert subscriptions.owner(TOPIC) is None


def test_how_many_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    subscriptions, peer = Subscriptions(Peers()), Peer(99)
    assert not subscriptions.add(b"x" * (MAX_NAME + 1), peer)
    monkeypatch.setattr(viewers, "MOST_PRIVATE", 1)
    assert subscriptions.add(b"@1", peer)
    assert not subscriptions.add(b"@2", peer)
    assert subscriptions.add(b"orders", peer)
    monkeypatch.setattr(viewers, "MAX_TOPICS", 2)
    assert not subscriptions.add(b"prices", Peer(98))
    assert subscriptions.add(b"orders", Peer(98))  # there already, for another
