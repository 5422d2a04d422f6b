"""livetable.feed.server.plain_subscribers: whole tables under their names, not too often."""

from __future__ import annotations

from livetable.feed.frames.body import Body
from livetable.feed.protocol.messages import Header
from livetable.feed.server.admission import Admission
from livetable.feed.server.peer import Frames
from livetable.feed.server.peers import Peers
from livetable.feed.server.plain_subscribers import PUBLIC_BYTES, PUBLIC_SECONDS, PlainSubscribers
from livetable.feed.server.table_state import TableState
from tests.feed.server.test_endpoint import Sent


class Plain:
    """Plain subscribers whose messages end up in a list."""

    def __init__(self, size: int = 1) -> None:
        self.out: list[list[bytes]] = []
        self.sent: list[Sent] = []
        peers = Peers()
        self.of = PlainSubscribers(self._send, peers, Admission(peers, None, shares=False))
        body = Body(memoryview(bytes(size)), 1, 1)
        self.table = TableState("orders", (), lambda frame: body)
        self.tables = {"orders": self.table}
        self.put()

    def put(self) -> None:
        self.table.put("frame", (1, 1), 0.0, 0.0)

    def _send(self, frames: Frames) -> Sent:
        self.out.append([bytes(frame)[:1000] for frame in frames])
        self.sent.append(Sent())
        return self.sent[-1]


def test_who_subscribes_to_the_beginning_of_a_name_gets_the_table() -> None:
    plain = Plain()
    plain.of.publish(plain.table, 0.0)
    assert plain.out == []  # nobody listens
    plain.of.subscribe(b"ord", plain.tables, 0.0)
    (message,) = plain.out
    assert message[0] == b"orders"
    assert Header.decode(message[1]).kind == "snapshot"
    plain.of.subscribe(b"prices", plain.tables, 0.0)
    assert len(plain.out) == 1


def test_tables_come_in_their_pace() -> None:
    plain = Plain()
    plain.of.subscribe(b"", plain.tables, 0.0)
    plain.put()
    plain.of.publish(plain.table, PUBLIC_SECONDS / 2)
    assert len(plain.out) == 1
    assert plain.of.deadlines(plain.tables, 0.1) == [PUBLIC_SECONDS]
    plain.of.publish(plain.table, PUBLIC_SECONDS)
    assert len(plain.out) == 2
    assert plain.of.deadlines(plain.tables, 1.0) == []
    plain.of.publish(plain.table, 1.0)
    assert len(plain.out) == 2  # nothing new


def test_no_more_than_so_much_is_on_its_way() -> None:
    plain = Plain(PUBLIC_BYTES)
    plain.of.subscribe(b"", plain.tables, 0.0)
    plain.put()
    plain.of.publish(plain.table, 1.0)
    assert len(plain.out) == 1
    assert not plain.of.have(plain.table)
    plain.sent[0].done = True
    plain.of.publish(plain.table, 1.0)
    assert len(plain.out) == 2
    plain.sent[1].done = True
    assert plain.of.have(plain.table)


def test_who_has_left_is_sent_nothing() -> None:
    plain = Plain()
    plain.of.subscribe(b"orders", plain.tables, 0.0)
    plain.of.unsubscribe(b"orders")
    plain.put()
    assert plain.of.have(plain.table)
    plain.of.publish(plain.table, 1.0)
    assert len(plain.out) == 1
    assert plain.of.tables == {}
    plain.of.forget("orders")
