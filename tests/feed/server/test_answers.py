"""livetable.feed.server.answers: the list of tables, and the headers of answers."""

from __future__ import annotations

from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import Header, Want
from livetable.feed.server.answers import Catalogue, body_header, end_header, idle_header
from livetable.feed.server.peer import Peer
from livetable.feed.server.table_state import TableState
from tests.feed.server.test_endpoint import Feed


def table(name: str = "t", ttl: float | None = None) -> TableState:
    return TableState(name, ("id",), lambda frame: Body(memoryview(b"body"), 1, 2), ttl=ttl)


def test_the_list_changes_with_its_tables() -> None:
    catalogue = Catalogue(lambda one, now: one.info(now, 1, "test"))
    empty = catalogue.position
    assert catalogue.beginning.seq < empty.seq
    first, mortal = table(), table("m", ttl=5.0)
    catalogue.add(first)
    catalogue.add(mortal)
    assert list(catalogue.tables) == ["t", "m"]
    assert list(catalogue.mortal) == ["m"]
    header = catalogue.header(7, 0.0)
    assert Header.decode(header.encode()).tables == header.tables
    assert (header.want, [info.name for info in header.tables]) == (7, ["t", "m"])
    assert catalogue.position.seq == empty.seq + 2
    assert catalogue.remove("m") is mortal
    assert not catalogue.mortal
    other = table()
    catalogue.make_place(other)  # it is not there: nothing is taken out
    assert catalogue.tables == {"t": first}
    catalogue.make_place(first)
    assert catalogue.tables == {}


def test_headers_say_what_the_table_says() -> None:
    one = table()
    one.put("frame", (1, 2), 10.0, 1000.0)
    one.note = "slow"
    snapshot = one.since(None)
    assert isinstance(snapshot, Snapshot)
    header = body_header(one, snapshot, 12.5, 3, 0, 2)
    assert (header.kind, header.want, header.age, header.parts) == ("snapshot", 3, 2.5, 2)
    assert (header.size, header.rows, header.columns) == (4, 1, 2)
    assert (header.key, header.note, header.ended) == (("id",), "slow", False)
    one.ended = True
    want = Want(4, b"@" + b"0" * 32, "t", have=one.shown)
    idle = idle_header(one, want, 12.5)
    assert (idle.kind, idle.want, idle.ended, idle.position) == ("idle", 4, True, one.shown)
    end = end_header(one, 4)
    assert (end.kind, end.note, end.position) == ("end", "slow", one.shown)


def test_a_viewer_without_a_place_is_told_once() -> None:
    feed, guest = Feed(), Peer()
    want = Want(1, b"@" + b"0" * 32, "t")
    feed.serving._answers.turn_away(want, guest, 16, 3.0)
    feed.serving._answers.turn_away(want, guest, 16, 4.0)
    assert guest.told == 3.0
    header = Header.decode(feed.out[-1][1])
    assert header.failure is not None
    assert "already has 16 viewers" in header.failure
