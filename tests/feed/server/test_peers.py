"""livetable.feed.server.peers, and what Serving does with them."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator

import pytest

from livetable.feed.client.requests import Wanting
from livetable.feed.protocol.messages import PART_BYTES, WINDOW, Header, Position, Want, new_topic
from livetable.feed.server.admission import FREE_BYTES
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.peer import (
    ANSWERS,
    BODIES_AHEAD,
    MESSAGES,
    MOST_PRIVATE,
    MOST_UNSENT,
    MOST_WAITING,
    STILL_PUBLIC_SECONDS,
    STILL_SECONDS,
    Peer,
    queued,
)
from livetable.feed.server.peers import GUEST_SECONDS, GUESTS, IDLE_SECONDS, Peers
from livetable.feed.server.viewers import MAX_WANTS, STALE_SECONDS
from tests.feed.server.test_endpoint import Feed, Sent


class Connection:
    """A connection as a feed has it, and its other end."""

    def __init__(self, peers: Peers, now: float = 0.0) -> None:
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.peer = peers.came(self.here.fileno(), now)

    def fill(self) -> None:
        """Send what the other end does not read."""
        try:
            while True:
                self.here.send(b"x" * 65_536)
        except BlockingIOError:
            pass

    def is_shut(self) -> bool:
        """Tell whether the other end sees the end of it."""
        self.there.settimeout(0.2)
        try:
            while self.there.recv(1 << 20):
                pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Close both ends."""
        self.here.close()
        self.there.close()


@pytest.fixture
def peers() -> Peers:
    return Peers(places=4)


@pytest.fixture
def connect(peers: Peers) -> Iterator[Callable[..., Connection]]:
    made = []

    def begin(now: float = 0.0) -> Connection:
        made.append(Connection(peers, now))
        return made[-1]

    yield begin
    for one in made:
        one.close()


class Endpoint(Feed):
    """An endpoint that knows its connections."""

    def __init__(self, peers: Peers) -> None:
        super().__init__()
        self.serving = Serving(
            self._send, lambda table, now: table.info(now, 1, "test"), peers=peers
        )

    def listen(self, peer: Peer, topic: bytes | None = None, now: float = 0.0) -> bytes:
        topic = topic or new_topic()
        self.serving.received(b"\x01" + topic, now, peer)
        return topic

    def want(self, peer: Peer, topic: bytes, number: int, now: float, name: str = "t") -> None:
        self.serving.received(Want(number, topic, name).encode(), now, peer)

    def heard(self) -> list[Header]:
        return [Header.decode(one[1]) for one in self.taken()]


# -- accounts --------------------------------------------------------------------------------------


def test_who_says_too_much_is_not_heard_and_then_sent_away(
    peers: Peers, connect: Callable[..., Connection]
) -> None:
    one = connect()
    assert all(one.peer.says(0.0) for _ in range(MESSAGES))
    assert not one.peer.says(0.0)
    assert one.peer.says(1.0)  # after a while it is again
    for _ in range(2 * MESSAGES):
        one.peer.says(1.0)
    assert one.peer.gone
    assert one.is_shut()
    peers.left(one.peer)
    again = connect(2.0)  # from where it came newcomers may say little at first
    assert sum(again.peer.says(2.0) for _ in range(MESSAGES)) < 100
    later = connect(60.0)
    assert sum(later.peer.says(60.0) for _ in range(MESSAGES)) == MESSAGES


def test_who_is_answered_may_ask_again(connect: Callable[..., Connection]) -> None:
    peer = connect().peer
    done = Sent()
    done.done = True
    for turn in range(5 * MESSAGES):
        now = turn / 800
        assert peer.says(now)
        assert peer.may_get(now)
        peer.got(done)


def test_answers_have_a_pace(connect: Callable[..., Connection]) -> None:
    peer = connect().peer
    done = Sent()
    done.done = True
    for _ in range(ANSWERS):
        assert peer.may_get(0.0)
        peer.got(done)
    assert not peer.may_get(0.0)
    assert peer.may_get(0.1)


def test_who_does_not_read_gets_no_more(connect: Callable[..., Connection]) -> None:
    one = connect()
    now = 0.0
    for number in range(MOST_UNSENT):
        now = number / 100
        assert one.peer.may_get(now)
        one.peer.got(Sent())
    one.fill()
    assert not one.peer.may_get(now + 1)
    for _ in range(BODIES_AHEAD):
        one.peer.got_body("t", Sent())
    assert not one.peer.has_credit("t", now + 1)
    one.is_shut()  # reads all
    assert one.peer.may_get(now + 1)  # what is not done is so on account of another
    assert one.peer.has_credit("t", now + 1)


@pytest.mark.parametrize(
    ("topic", "seconds"), [(b"t", STILL_PUBLIC_SECONDS), (b"@" + b"0" * 32, STILL_SECONDS)]
)
def test_who_does_not_read_is_sent_away_where_it_is_missed(
    peers: Peers, connect: Callable[..., Connection], topic: bytes, seconds: float
) -> None:
    stuck, reads = connect(), connect().peer
    stuck.peer.topics.add(topic)
    stuck.fill()
    peers.send_away_who_does_not_read(10.0)
    peers.send_away_who_does_not_read(10.0 + seconds - 0.1)
    assert not stuck.peer.gone
    peers.send_away_who_does_not_read(10.3 + seconds)
    assert stuck.is_shut()
    assert not reads.gone


# -- places ----------------------------------------------------------------------------------------


def test_idle_ones_give_way(peers: Peers, connect: Callable[..., Connection]) -> None:
    idle, *busy = [connect() for _ in range(4)]
    for one in busy:
        one.peer.asked = True
    late = connect(IDLE_SECONDS)
    assert idle.is_shut()
    assert not late.peer.guest


def test_who_has_no_place_is_a_guest_and_told(
    peers: Peers, connect: Callable[..., Connection]
) -> None:
    feed = Endpoint(peers)
    feed.put(feed.table(), "x", 0.0)
    for _ in range(4):
        connect().peer.asked = True
    guest = connect(1.0)
    assert guest.peer.guest
    feed.want(guest.peer, feed.listen(guest.peer), 1, 1.0)
    (said,) = feed.heard()
    assert "already has 4 viewers" in (said.failure or "")
    due = feed.serving.deadline(1.0)
    assert due is not None
    feed.serving.tick(due)
    assert guest.is_shut()
    silent = connect(2.0)
    assert peers.deadline() == 2.0 + GUEST_SECONDS
    peers.send_guests_away(2.0 + GUEST_SECONDS)
    assert silent.is_shut()
    guests = [connect(3.0) for _ in range(GUESTS + 1)]
    assert guests[-1].is_shut()


def test_three_quarters_of_the_descriptors_are_the_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for limit, places in ((1024, 256), (100, 25), (64, 16), (8, 16), (1 << 20, 4000), (-1, 4000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert Peers().places == places


def test_only_that_connection_is_shut(connect: Callable[..., Connection]) -> None:
    """The descriptor may be of something else by now, which is the program's own."""
    listening = socket.create_server(("127.0.0.1", 0))
    first = socket.create_connection(listening.getsockname())
    accepted, _ = listening.accept()
    peer = Peers().came(accepted.fileno(), 0.0)
    own = socket.create_connection(listening.getsockname())
    other, _ = listening.accept()
    try:
        os.dup2(own.fileno(), accepted.fileno())
        peer.send_away()
        own.sendall(b"still there")
        assert other.recv(100) == b"still there"
    finally:
        for one in (listening, first, accepted, own, other):
            one.close()
    assert queued(10**6) == 0


# -- what is another's -----------------------------------------------------------------------------


def test_nobody_speaks_for_another(peers: Peers, connect: Callable[..., Connection]) -> None:
    feed = Endpoint(peers)
    table = feed.table()
    viewer, other = connect().peer, connect().peer
    topic = feed.listen(viewer)
    feed.want(viewer, topic, 1, 0.0)
    feed.serving.received(b"\x00" + topic, 0.1, other)
    feed.want(other, topic, 99, 0.2)
    feed.listen(other, topic)
    feed.want(other, topic, 100, 0.3)
    feed.serving.received(b"\x00" + topic, 0.4)  # ZeroMQ's, of nobody knows whom
    feed.put(table, "x", 0.5)
    assert [said.want for said in feed.heard()] == [1]
    feed.serving.left(other)
    feed.want(viewer, topic, 2, 0.6)
    feed.put(table, "y", 0.7)
    assert [said.want for said in feed.heard()] == [2]


def test_a_topic_is_the_next_ones_when_its_first_one_goes(
    peers: Peers, connect: Callable[..., Connection]
) -> None:
    feed = Endpoint(peers)
    feed.put(feed.table(), "x", 0.0)
    old, new = connect().peer, connect().peer
    topic = feed.listen(old)
    feed.listen(new, topic)
    feed.serving.left(old)
    feed.want(new, topic, 1, 0.1)
    assert [said.want for said in feed.heard()] == [1]


def test_topics_and_wants_of_one_connection(
    peers: Peers, connect: Callable[..., Connection]
) -> None:
    feed = Endpoint(peers)
    greedy, viewer = connect().peer, connect().peer
    topics = [feed.listen(greedy) for _ in range(MOST_PRIVATE + 1)]
    feed.want(greedy, topics[-1], 1, 0.0)
    assert feed.serving.deadline(0.0) is None  # it has one too many
    for number in range(MOST_WAITING + 10):
        feed.want(greedy, topics[0], number, 0.0, f"no{number}")
    assert greedy.waiting == MOST_WAITING
    feed.want(viewer, feed.listen(viewer), 1, 0.5, "no")
    assert viewer.waiting == 1
    feed.serving.tick(1.2)
    assert greedy.waiting == 0
    assert viewer.waiting == 1
    feed.serving.left(greedy)
    feed.serving.left(viewer)
    assert feed.serving.deadline(9.0) is None


def test_the_greediest_goes_first(connect: Callable[..., Connection]) -> None:
    peers = Peers(places=100)
    feed = Endpoint(peers)
    many = [Connection(peers) for _ in range(MAX_WANTS // MOST_WAITING)]
    viewer = Connection(peers)
    try:
        for one in many:
            topic = feed.listen(one.peer)
            for number in range(MOST_WAITING):
                feed.want(one.peer, topic, number, 0.0, f"no{number}")
        feed.want(viewer.peer, feed.listen(viewer.peer), 1, 0.1)
        (gone,) = [one for one in many if one.peer.gone]
        assert gone.is_shut()
        feed.serving.left(gone.peer)
        feed.want(viewer.peer, feed.listen(viewer.peer), 2, 0.2)
        assert viewer.peer.waiting == 1
    finally:
        for one in (*many, viewer):
            one.close()


# -- bodies on their way ---------------------------------------------------------------------------


def test_begun_transfers_are_given_up(peers: Peers, connect: Callable[..., Connection]) -> None:
    """Of who has most of a table the oldest, when there is need; of anybody, after a while."""
    feed = Endpoint(peers)
    table = feed.table()
    greedy, viewer = connect().peer, connect().peer
    size = PART_BYTES * (WINDOW + 4)
    for number in range(40):
        feed.put(table, bytes([number]) * size, float(number))
        feed.want(greedy, feed.listen(greedy), 1, float(number))
        for sent in feed.sent:
            sent.done = True
    held = feed.serving._admission.fetching("t")
    assert sum(len(one.snapshot.body.data) for _, one in held) < FREE_BYTES + 4 * size
    feed.taken()
    own = feed.listen(viewer)
    wanting = Wanting(own, "t")
    feed.serving.received(wanting.ask(40.0), 40.0, viewer)
    for topic, header, body in feed.taken():
        assert topic == own
        _, want = wanting.receive(Header.decode(header), [body], 40.0)
        if want is not None:
            feed.serving.received(want, 40.0, viewer)
    (*_, last) = feed.heard()
    assert (last.part, last.position) == (WINDOW + 3, Position(table.epoch, 40))
    feed.serving.tick(41.0 + STALE_SECONDS)
    assert not feed.serving._admission.fetching("t")


def test_what_is_held_is_sent_later_and_not_called_idle(
    peers: Peers, connect: Callable[..., Connection]
) -> None:
    feed = Endpoint(peers)
    table = feed.table()
    one = connect()
    topic = feed.listen(one.peer)
    for number in range(1, BODIES_AHEAD + 1):
        feed.put(table, f"{number}", 0.1 * number)
        feed.want(one.peer, topic, number, 0.1 * number)
    one.fill()
    assert len(feed.heard()) == BODIES_AHEAD
    feed.put(table, "held", 1.0)
    feed.want(one.peer, topic, 9, 1.0)
    for turn in range(20):
        feed.serving.tick(1.0 + turn * 0.2)
    assert feed.heard() == []
    one.is_shut()  # it reads
    due = feed.serving.deadline(6.0)
    assert due is not None
    feed.serving.tick(6.0)
    (said,) = feed.heard()
    assert (said.kind, said.want) == ("snapshot", 9)
