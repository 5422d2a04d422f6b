"""livetable.feed.server.endpoint: both sides of the protocol, without sockets."""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.client.requests import MISSES, News, Wanting
from livetable.feed.frames.body import Body
from livetable.feed.protocol.messages import (
    IDLE_SECONDS,
    PART_BYTES,
    WINDOW,
    Header,
    Position,
    new_topic,
)
from livetable.feed.protocol.place import Place
from livetable.feed.rows.deltas import begun
from livetable.feed.rows.input import captured_rows, fit, prepared
from livetable.feed.rows.keyed_table import KeyedTable
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.peer import Frames
from livetable.feed.server.plain_subscribers import PUBLIC_BYTES, PUBLIC_SECONDS
from livetable.feed.server.table_state import TableState
from tests.feed.memory import PLACE


class Sent:
    def __init__(self) -> None:
        self.done = False


class Feed:
    """An endpoint whose messages end up in a list."""

    def __init__(self) -> None:
        self.out: list[list[bytes]] = []
        self.sent: list[Sent] = []
        self.serving = Serving(self._send, lambda table, now: table.info(now, 1, "test"))
        self.encoded = 0

    def _send(self, frames: Frames) -> Sent:
        self.out.append([bytes(frame) for frame in frames])
        self.sent.append(Sent())
        return self.sent[-1]

    def table(self, name: str = "t", now: float = 0.0) -> TableState:
        table = TableState(name, (), self._encode)
        self.serving.add(table, now)
        return table

    def _encode(self, frame: object) -> Body:
        self.encoded += 1
        data = frame if isinstance(frame, bytes) else str(frame).encode()
        return Body(memoryview(data), 1, 1)

    def put(self, table: TableState, frame: object, now: float) -> None:
        table.put(frame, (1, 1), now, 0.0)
        if table.wanted:
            self.serving.news(table.name, now)

    def taken(self) -> list[list[bytes]]:
        out, self.out = self.out, []
        return out


class Viewer:
    """One viewer's side."""

    def __init__(self, feed: Feed, table: str | None = "t") -> None:
        self.feed = feed
        self.topic = new_topic()
        self.wanting = Wanting(self.topic, table)
        self.shown: list[tuple[str, bytes | None]] = []

    def subscribe(self, now: float = 0.0) -> None:
        self.feed.serving.received(b"\x01" + self.topic, now)

    def ask(self, now: float) -> None:
        self.feed.serving.received(self.wanting.ask(now), now)

    def hear(self, messages: list[list[bytes]], now: float) -> list[News]:
        heard = []
        for topic, header, *body in messages:
            if topic != self.topic:
                continue
            news, want = self.wanting.receive(Header.decode(header), body, now)
            if want is not None:
                self.feed.serving.received(want, now)
            if news is not None:
                heard.append(news)
                body_bytes = None if news.body is None else bytes(news.body)
                self.shown.append((news.header.kind, body_bytes))
        return heard


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def viewer(feed: Feed) -> Viewer:
    viewer = Viewer(feed)
    viewer.subscribe()
    return viewer


def test_late_joiner_sees_the_table_at_once(feed: Feed, viewer: Viewer) -> None:
    feed.put(feed.table(), "old", 0.0)
    viewer.ask(100.0)
    (news,) = viewer.hear(feed.taken(), 100.0)
    assert news.body == b"old"
    assert news.header.age == 100.0


def test_a_failure_is_told_at_once_and_once(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    table.failed = table.note = "no table"
    viewer.ask(0.0)  # it came after the failure, and need not wait for it
    (news,) = viewer.hear(feed.taken(), 0.0)
    assert (news.header.kind, news.header.failure) == ("idle", "no table")
    viewer.ask(0.0)  # but who knows of it waits as ever, or it would ask without end
    assert viewer.hear(feed.taken(), 0.0) == []
    feed.serving.tick(IDLE_SECONDS)
    (news,) = viewer.hear(feed.taken(), IDLE_SECONDS)
    assert news.header.failure == "no table"
    viewer.ask(2.0)
    table.failed = table.note = "another reason"
    table.note_is_new = True
    feed.serving.news("t", 2.0)
    (news,) = viewer.hear(feed.taken(), 2.0)
    assert news.header.failure == "another reason"
    feed.put(table, "rows", 3.0)
    viewer.ask(3.0)
    (news,) = viewer.hear(feed.taken(), 3.0)
    assert (news.body, news.header.failure, news.header.note) == (b"rows", None, None)


def test_nothing_is_encoded_that_nobody_wants(feed: Feed) -> None:
    table = feed.table()
    for number in range(100):
        feed.put(table, number, 0.0)
    assert feed.encoded == 0
    assert not table.wanted


def test_newest_wins_and_many_share_one_encoding(feed: Feed) -> None:
    table = feed.table()
    viewers = [Viewer(feed) for _ in range(3)]
    for viewer in viewers:
        viewer.subscribe()
        viewer.ask(0.0)
    feed.put(table, "one", 0.1)
    out = feed.taken()
    for viewer in viewers:
        assert [news.body for news in viewer.hear(out, 0.1)] == [b"one"]
    for number in range(10):
        feed.put(table, number, 0.2)
    assert feed.taken() == []
    viewers[0].ask(0.3)
    (news,) = viewers[0].hear(feed.taken(), 0.3)
    assert news.body == b"9"
    assert news.header.position == Position(table.epoch, 11)
    assert feed.encoded == 2


def test_idle_after_a_second_without_news(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    feed.put(table, "x", 0.0)
    viewer.ask(0.0)
    viewer.hear(feed.taken(), 0.0)
    viewer.ask(1.0)
    assert feed.serving.deadline(1.0) == 1.0 + IDLE_SECONDS
    feed.serving.tick(1.0 + IDLE_SECONDS - 0.01)
    assert feed.taken() == []
    feed.serving.tick(1.0 + IDLE_SECONDS)
    (news,) = viewer.hear(feed.taken(), 2.0)
    assert (news.header.kind, news.header.age) == ("idle", 2.0)
    assert feed.serving.deadline(2.0) is None


def test_absent_table_then_there(feed: Feed, viewer: Viewer) -> None:
    viewer.ask(0.0)
    feed.serving.tick(2.0)
    assert [news.header.kind for news in viewer.hear(feed.taken(), 2.0)] == ["absent"]
    viewer.ask(2.0)
    table = feed.table(now=2.5)
    assert table.wanted
    feed.put(table, "x", 2.6)
    assert [news.body for news in viewer.hear(feed.taken(), 2.6)] == [b"x"]


def test_end_is_told(feed: Feed, viewer: Viewer) -> None:
    feed.put(feed.table(), "x", 0.0)
    viewer.ask(0.0)
    viewer.hear(feed.taken(), 0.0)
    viewer.ask(0.0)
    feed.serving.remove("t", 0.1)
    assert [news.header.kind for news in viewer.hear(feed.taken(), 0.1)] == ["end"]


def test_restarted_feed_is_a_gap(feed: Feed, viewer: Viewer) -> None:
    feed.put(feed.table(), "x", 0.0)
    viewer.ask(0.0)
    viewer.hear(feed.taken(), 0.0)
    feed.serving.remove("t", 0.1)
    feed.put(feed.table(), "y", 0.2)  # seq 1 again, of another epoch
    assert [news.header.kind for news in viewer.hear(feed.taken(), 0.3)] == ["end"]
    viewer.ask(0.3)
    assert [news.body for news in viewer.hear(feed.taken(), 0.3)] == [b"y"]


def test_catalogue_changes_are_told_at_once(feed: Feed) -> None:
    viewer = Viewer(feed, None)
    viewer.subscribe()
    viewer.ask(0.0)
    (first,) = viewer.hear(feed.taken(), 0.0)
    assert first.header.tables == ()
    viewer.ask(0.1)
    assert feed.taken() == []
    feed.table("a", 0.2)
    (second,) = viewer.hear(feed.taken(), 0.2)
    assert [info.name for info in second.header.tables] == ["a"]
    viewer.ask(0.3)
    feed.serving.tick(1.4)
    assert len(viewer.hear(feed.taken(), 1.4)) == 1


def test_a_leaver_is_forgotten(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    viewer.ask(0.0)
    assert table.wanted
    feed.serving.received(b"\x00" + viewer.topic, 0.1)
    feed.put(table, "x", 0.2)
    assert feed.taken() == []
    assert feed.serving.deadline(0.3) is None
    viewer.ask(0.4)  # a want on a topic nobody listens to is not kept either
    assert feed.taken() == []


def test_wants_that_are_none(feed: Feed, viewer: Viewer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        feed.serving.received(b"{}", 0.0)
        feed.serving.received(b"rubbish", 0.0)
    assert len(caplog.records) == 1  # said once


def big(parts: int) -> bytes:
    return random.Random(1).randbytes(PART_BYTES * (parts - 1) + 5)


@pytest.mark.parametrize("parts", [2, WINDOW, WINDOW + 1, 3 * WINDOW + 3])
def test_large_bodies_go_in_parts_by_credit(feed: Feed, viewer: Viewer, parts: int) -> None:
    body = big(parts)
    feed.put(feed.table(), body, 0.0)
    viewer.ask(0.0)
    heard: list[News] = []
    rounds = 0
    while out := feed.taken():
        assert len(out) <= WINDOW
        heard += viewer.hear(out, 0.0)
        rounds += 1
    assert [news.body for news in heard] == [body]
    assert rounds >= parts // WINDOW
    assert viewer.wanting.progress is None


def test_a_newer_frame_waits_for_a_transfer(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    feed.put(table, big(WINDOW * 2), 0.0)
    viewer.ask(0.0)
    first = feed.taken()
    feed.put(table, "new", 0.1)
    viewer.hear(first, 0.1)
    assert viewer.wanting.progress == 0.5
    (whole,) = viewer.hear(feed.taken(), 0.1)
    assert whole.body == big(WINDOW * 2)
    viewer.ask(0.2)
    assert [news.body for news in viewer.hear(feed.taken(), 0.2)] == [b"new"]


def test_a_transfer_cut_off_starts_anew(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    feed.put(table, big(WINDOW * 2), 0.0)
    viewer.ask(0.0)
    viewer.hear(feed.taken(), 0.0)
    feed.taken()
    feed.serving.received(b"\x00" + viewer.topic, 1.0)  # the connection broke
    feed.put(table, "new", 1.5)
    viewer.subscribe(2.0)
    want = viewer.wanting.restart(2.0)
    assert want is not None
    feed.serving.received(want, 2.0)
    assert [news.body for news in viewer.hear(feed.taken(), 2.0)] == [b"new"]


# -- plain subscribers --------------------------------------------------------------------------


def test_plain_subscribers_get_a_few_snapshots_a_second(feed: Feed) -> None:
    table = feed.table("orders")
    feed.put(table, 0, 0.0)
    feed.serving.received(b"\x01orders", 1.0)
    (first,) = feed.taken()
    assert first[0] == b"orders"
    assert Header.decode(first[1]).want is None
    assert first[2] == b"0"
    for tick in range(100):
        feed.put(table, tick, 1.0 + tick / 100)
    assert len(feed.taken()) <= 1 / PUBLIC_SECONDS
    due = feed.serving.deadline(2.0)
    assert due is not None
    feed.serving.tick(due + 0.3)
    assert feed.taken()[-1][2] == b"99"  # the newest is never left out
    feed.serving.received(b"\x00orders", 3.0)
    feed.put(table, "x", 4.0)
    assert feed.taken() == []
    assert not table.wanted


def test_an_empty_subscription_counts_for_every_table(feed: Feed) -> None:
    feed.put(feed.table("a"), 1, 0.0)
    feed.serving.received(b"\x01", 1.0)
    feed.put(feed.table("b", 1.0), 2, 1.1)
    assert {message[0] for message in feed.taken()} == {b"a", b"b"}


def test_a_stalled_plain_subscriber_does_not_fill_the_memory(feed: Feed) -> None:
    table = feed.table("orders")
    feed.serving.received(b"\x01orders", 0.0)
    for second in range(100):
        feed.put(table, bytes(PUBLIC_BYTES // 4), float(second))
    assert len(feed.taken()) == 4
    for sent in feed.sent:
        sent.done = True
    feed.put(table, "x", 200.0)
    assert feed.taken()[0][2] == b"x"


# -- tables that change row by row -----------------------------------------------------------------


def upsert(feed: Feed, table: TableState, now: float, **rows: list[int]) -> None:
    captured = captured_rows(rows)
    came = list(map(prepared, captured))

    def act(changing: KeyedTable) -> None:
        parts, state = fit(came, changing.now, changing.key, {})
        changing.upsert(parts, state, now)

    table.rows.change(act, now, now, first=begun(captured[0], None, table.key))
    if table.wanted:
        feed.serving.news(table.name, now)


@pytest.fixture
def changing(feed: Feed) -> TableState:
    table = TableState("t", ("id",), feed._encode, ttl=10.0)
    feed.serving.add(table, 0.0)
    return table


def test_a_viewer_gets_what_changed(feed: Feed, viewer: Viewer, changing: TableState) -> None:
    old = Viewer(feed)
    old.wanting._want = replace(old.wanting._want, deltas=False)
    for one in (viewer, old):
        one.subscribe()
    upsert(feed, changing, 1.0, id=[1, 2], x=[1, 2])
    kinds: dict[Viewer, list[tuple[str, int, int | None]]] = {viewer: [], old: []}
    for now in (2.0, 3.0, 4.0):
        for one in (viewer, old):
            one.ask(now)
        messages = feed.taken()
        for one in (viewer, old):
            for news in one.hear(messages, now):
                header = news.header
                kinds[one].append((header.kind, header.rows, header.since))
        upsert(feed, changing, now, id=[2, 10 + int(now)], x=[3, 4])
    assert kinds[viewer] == [("snapshot", 2, None), ("delta", 3, 1), ("delta", 4, 2)]
    assert [kind for kind, _, _ in kinds[old]] == ["snapshot"] * 3


def test_what_can_not_be_used_is_asked_for_whole(
    feed: Feed, viewer: Viewer, changing: TableState
) -> None:
    upsert(feed, changing, 1.0, id=[1, 2], x=[1, 2])
    viewer.ask(1.0)
    viewer.hear(feed.taken(), 1.0)
    upsert(feed, changing, 2.0, id=[1], x=[5])
    viewer.ask(2.0)
    (delta,) = feed.taken()
    viewer.wanting.forget()
    assert viewer.hear([delta], 2.0) == []  # of no use to who has forgotten what it changes
    viewer.ask(3.0)
    (news,) = viewer.hear(feed.taken(), 3.0)
    assert news.header.kind == "snapshot"
    assert viewer.hear([delta], 3.0) == []  # it came late, and is for another want


def test_plain_subscribers_get_whole_tables(feed: Feed, changing: TableState) -> None:
    feed.serving.received(b"\x01t", 0.0)
    upsert(feed, changing, 1.0, id=[1, 2], x=[1, 2])
    upsert(feed, changing, 2.0, id=[1], x=[5])
    assert [Header.decode(message[1]).kind for message in feed.taken()] == ["snapshot"] * 2


def test_rows_go_when_their_time_is_over(feed: Feed, viewer: Viewer, changing: TableState) -> None:
    upsert(feed, changing, 1.0, id=[1, 2], x=[1, 2])
    upsert(feed, changing, 4.0, id=[2], x=[3])
    viewer.ask(4.0)
    viewer.hear(feed.taken(), 4.0)
    viewer.ask(10.5)
    assert feed.serving.deadline(10.5) == 11.0  # sooner than the idle answer
    feed.serving.tick(11.0)
    (news,) = viewer.hear(feed.taken(), 11.0)
    assert (news.header.kind, news.header.rows, news.header.gone) == ("delta", 1, ((0, 1),))


def test_a_table_that_has_ended_can_still_be_looked_at(
    feed: Feed, viewer: Viewer, changing: TableState
) -> None:
    upsert(feed, changing, 1.0, id=[1], x=[1])
    changing.ended = True
    viewer.ask(1.0)
    (news,) = viewer.hear(feed.taken(), 1.0)
    assert (news.header.kind, news.header.ended) == ("snapshot", True)
    viewer.ask(1.0)
    feed.serving.tick(1.0 + IDLE_SECONDS)
    (news,) = viewer.hear(feed.taken(), 2.0)
    assert (news.header.kind, news.header.ended) == ("idle", True)


def test_a_large_table_is_encoded_beside_the_feeds_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.feed.server.encoding.LARGE_CELLS", 0)
    feed = Feed()
    asked: list[Any] = []
    feed.serving = Serving(
        feed._send,
        lambda table, now: table.info(now, 1, "test"),
        lambda table, have, deltas: asked.append((table, have, deltas)),
    )
    viewer = Viewer(feed)
    viewer.subscribe()
    table = feed.table()
    feed.put(table, "1", 1.0)
    viewer.ask(1.0)
    assert not feed.taken()
    feed.serving.tick(2.0)  # it answers meanwhile
    (news,) = viewer.hear(feed.taken(), 2.0)
    assert news.header.kind == "idle"
    viewer.ask(2.0)

    def encode() -> None:
        one, have, deltas = asked.pop()
        asked.clear()
        one.prepared = one.since(have, deltas=deltas)
        feed.serving.news("t", 3.0)

    encode()
    (news,) = viewer.hear(feed.taken(), 3.0)
    assert bytes(news.body or b"") == b"1"
    viewer.ask(3.0)
    assert not asked  # there is nothing newer
    feed.put(table, "2", 4.0)
    feed.put(table, "3", 4.0)
    encode()
    (news,) = viewer.hear(feed.taken(), 4.0)
    assert bytes(news.body or b"") == b"3"


def test_what_was_prepared_fits_some_viewers_only() -> None:
    state = TableState("t", (), lambda frame: Body(memoryview(b"x"), 1, 1))
    encoding = state.encoding
    here, there = Position(state.epoch, 3), Position("another", 9)
    assert encoding.prepared_for(None, deltas=True) is None
    state.put("x", (1, 1), 0.0, 0.0)
    whole = state.since(None)
    assert whole is not None
    encoding.prepared = replace(whole, position=here)
    assert encoding.prepared_for(None, deltas=False) is encoding.prepared
    assert encoding.prepared_for(there, deltas=False) is encoding.prepared
    assert encoding.prepared_for(replace(here, seq=2), deltas=False) is encoding.prepared
    assert encoding.prepared_for(here, deltas=False) is None
    encoding.prepared = replace(encoding.prepared, since=2)
    assert encoding.prepared_for(replace(here, seq=2), deltas=True) is encoding.prepared
    assert encoding.prepared_for(replace(here, seq=2), deltas=False) is None
    assert encoding.prepared_for(replace(here, seq=1), deltas=True) is None
    assert encoding.prepared_for(None, deltas=True) is None
    encoding.prepared = replace(encoding.prepared, position=there)
    assert encoding.prepared_for(None, deltas=True) is None


def test_who_waits_is_told_the_end_at_once(feed: Feed, viewer: Viewer) -> None:
    table = feed.table()
    feed.put(table, "1", 1.0)
    viewer.ask(1.0)
    viewer.hear(feed.taken(), 1.0)
    viewer.ask(1.0)
    table.ended = True
    feed.serving.news("t", 1.1)
    (news,) = viewer.hear(feed.taken(), 1.1)
    assert (news.header.kind, news.header.ended) == ("idle", True)


def test_the_end_is_not_told_with_a_frame_that_is_not_the_last(feed: Feed, viewer: Viewer) -> None:
    def encode(frame: object) -> Body:
        if frame == "1":  # while it is encoded the producer sends its last one
            table.put("2", (1, 1), 1.0, 0.0)
            table.ended = True
        return feed._encode(frame)

    table = TableState("t", (), encode)
    feed.serving.add(table, 0.0)
    table.put("1", (1, 1), 1.0, 0.0)
    viewer.ask(1.0)
    (news,) = viewer.hear(feed.taken(), 1.0)
    assert (bytes(news.body or b""), news.header.ended) == (b"1", False)
    viewer.ask(1.0)
    (news,) = viewer.hear(feed.taken(), 1.0)
    assert (bytes(news.body or b""), news.header.ended) == (b"2", True)


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put big", "ask", "hear", "tick", "cut", "restart feed", "repeat"]),
        st.integers(0, 2),
    ),
    max_size=60,
)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_every_viewer_ends_with_the_newest(history: list[tuple[str, int]]) -> None:
    feed = Feed()
    table = feed.table()
    viewers = [Viewer(feed) for _ in range(3)]
    for viewer in viewers:
        viewer.subscribe()
    mailboxes: list[list[list[bytes]]] = [[], [], []]
    existed = {b"start"}
    feed.put(table, "start", 0.0)
    newest = b"start"
    now = 0.0

    def deliver() -> None:
        for message in feed.taken():
            for viewer, box in zip(viewers, mailboxes, strict=True):
                if message[0] == viewer.topic:
                    box.append(message)
        for box in mailboxes:
            assert len(box) <= WINDOW * 4  # nothing queues without bound

    for number, (step, who) in enumerate(history):
        now += 0.3
        viewer = viewers[who]
        if step.startswith("put") or step == "restart feed":
            if step == "restart feed":
                feed.serving.remove("t", now)
                table = feed.table(now=now)
            size = PART_BYTES * (WINDOW + 2) if step == "put big" else 10
            newest = str(number).encode().ljust(size, b".")
            existed.add(newest)
            feed.put(table, newest, now)
        elif step == "ask" and not viewer.wanting.outstanding:
            viewer.ask(now)
        elif step == "hear":
            deliver()
            messages, mailboxes[who] = mailboxes[who], []
            viewer.hear(messages, now)
        elif step == "tick":
            feed.serving.tick(now)
        elif step == "cut":
            feed.serving.received(b"\x00" + viewer.topic, now)
            mailboxes[who] = []
            feed.out = [message for message in feed.out if message[0] != viewer.topic]
            viewer.subscribe(now)
            if want := viewer.wanting.restart(now):
                feed.serving.received(want, now)
        elif step == "repeat" and (want := viewer.wanting.repeat(now)):
            feed.serving.received(want, now)
        deliver()
    for _ in range(12):
        now += 1.1
        for who, viewer in enumerate(viewers):
            if not viewer.wanting.outstanding:
                viewer.ask(now)
            if want := viewer.wanting.repeat(now):
                feed.serving.received(want, now)
            deliver()
            messages, mailboxes[who] = mailboxes[who], []
            viewer.hear(messages, now)
            deliver()
    for viewer in viewers:
        bodies = [body for _, body in viewer.shown if body is not None]
        assert bodies
        assert bodies[-1] == newest
        assert set(bodies) <= existed


def sharing(place: Place | None, *, shares: bool = True) -> Feed:
    """Return a feed whose table `t` is in memory."""
    feed = Feed()
    feed.serving = Serving(feed._send, lambda table, now: table.info(now, 1, "test"), shares=shares)
    table = TableState("t", (), lambda frame: Body(memoryview(frame), 1, 1, place=place))
    feed.serving.add(table, 0.0)
    feed.put(table, b"body", 0.0)
    return feed


def reader(feed: Feed) -> Viewer:
    viewer = Viewer(feed)
    viewer.wanting = Wanting(viewer.topic, "t", memory=True)
    viewer.subscribe()
    return viewer


def test_a_body_in_memory_is_not_sent() -> None:
    feed = sharing(PLACE)
    viewer = reader(feed)
    viewer.ask(1.0)
    ((topic, said),) = feed.taken()
    header = Header.decode(said)
    assert (topic, header.memory, header.size, header.parts) == (viewer.topic, PLACE, 4, 1)
    assert viewer.wanting.awaits(header)
    news, _ = viewer.wanting.receive(header, [memoryview(b"body")], 1.0)
    assert news is not None
    assert news.body == b"body"
    assert not viewer.wanting.awaits(header)  # it has come
    viewer.ask(1.1)
    feed.put(feed.serving.tables["t"], b"next", 1.2)
    assert Header.decode(feed.taken()[0][1]).memory == PLACE


@pytest.mark.parametrize(
    ("place", "shares", "memory"),
    [(None, True, True), (PLACE, False, True), (PLACE, True, False)],
    ids=["it is not there", "by TCP", "the viewer can't"],
)
def test_a_body_that_is_sent_all_the_same(place: Place | None, shares: bool, memory: bool) -> None:
    feed = sharing(place, shares=shares)
    viewer = reader(feed) if memory else Viewer(feed)
    viewer.subscribe()
    viewer.ask(1.0)
    (news,) = viewer.hear(feed.taken(), 1.0)
    assert news.body == b"body"
    assert news.header.memory is None


def test_memory_that_was_not_read() -> None:
    """It comes by the socket, the one after it from memory again; but not for ever."""
    feed = sharing(PLACE)
    table = feed.serving.tables["t"]
    viewer = reader(feed)

    def next_one(turn: int) -> Header:
        viewer.ask(turn)
        feed.put(table, b"body %d" % turn, turn)
        return Header.decode(feed.taken()[0][1])

    def by_socket(turn: int) -> None:
        (news,) = viewer.hear(feed.taken(), turn)
        assert news.body == b"body %d" % turn
        assert news.header.memory is None

    for turn in range(1, MISSES + 1):
        assert next_one(turn).memory == PLACE
        feed.serving.received(viewer.wanting.unread(turn), turn)
        by_socket(turn)
    viewer.ask(10)
    feed.put(table, b"body 10", 10)
    by_socket(10)
    assert viewer.wanting.restart(11) is None  # a new connection: it may be another process
    for turn in range(12, 20):
        assert next_one(turn).memory == PLACE
        feed.serving.received(viewer.wanting.unread(turn, written_over=True), turn)
        by_socket(turn)


def test_one_that_is_read_makes_up_for_those_that_were_not() -> None:
    feed = sharing(PLACE)
    table = feed.serving.tables["t"]
    viewer = reader(feed)
    for turn in range(1, 4 * MISSES):
        viewer.ask(turn)
        feed.put(table, b"body", turn)
        header = Header.decode(feed.taken()[0][1])
        assert header.memory == PLACE
        if turn % 2:
            feed.serving.received(viewer.wanting.unread(turn), turn)
            viewer.hear(feed.taken(), turn)
        else:
            viewer.wanting.receive(header, [memoryview(b"body")], turn)


def test_the_last_one_is_sent_to_who_may_not_have_read_it() -> None:
    """Its memory goes with the process: who comes too late finds it behind it, then the end."""
    feed = sharing(PLACE)
    viewer, waits = reader(feed), reader(feed)
    viewer.ask(1.0)
    (told,) = feed.taken()
    assert Header.decode(told[1]).memory == PLACE
    feed.put(feed.serving.tables["t"], b"last", 1.1)
    waits.ask(1.2)
    told_too = Header.decode(feed.taken()[0][1])
    waits.wanting.receive(told_too, [memoryview(b"last")], 1.2)
    waits.ask(1.3)
    feed.put(feed.serving.tables["t"], b"very last", 1.4)
    feed.taken()
    feed.serving.remove("t", 1.5)
    out = feed.taken()
    lost = viewer.wanting.unread(1.6)
    feed.serving.received(lost, 1.6)  # to nobody: the table is gone
    assert [news.header.kind for news in viewer.hear(out, 1.7)] == ["snapshot", "end"]
    assert viewer.shown == [("snapshot", b"very last"), ("end", None)]


def test_who_has_read_the_last_one_takes_it_once() -> None:
    feed = sharing(PLACE)
    viewer = reader(feed)
    viewer.ask(1.0)
    header = Header.decode(feed.taken()[0][1])
    viewer.wanting.receive(header, [memoryview(b"body")], 1.0)
    feed.serving.remove("t", 1.5)
    assert [news.header.kind for news in viewer.hear(feed.taken(), 1.7)] == ["end"]


def test_memory_is_for_one_life_of_the_table() -> None:
    """What waits when the table goes is sent: the memory may be gone before it is read."""
    feed = sharing(PLACE)
    table = feed.serving.tables["t"]
    viewer = reader(feed)
    viewer.ask(1.0)
    viewer.wanting.receive(Header.decode(feed.taken()[0][1]), [memoryview(b"body")], 1.0)
    viewer.ask(1.1)
    table.put(b"last", (1, 1), 1.2, 0.0)  # and ends before its news are told
    feed.serving.remove("t", 1.3)
    assert [news.body for news in viewer.hear(feed.taken(), 1.4)] == [b"last", None]
