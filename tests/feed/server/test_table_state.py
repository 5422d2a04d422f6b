"""livetable.feed.server.table_state."""

from __future__ import annotations

import logging

import pytest

from livetable.feed.frames.body import Body
from livetable.feed.protocol.messages import Position
from livetable.feed.server.table_state import TableState


def encode(frame: object) -> Body:
    if isinstance(frame, Exception):
        raise frame
    return Body(memoryview(str(frame).encode()), 1, 1, None)


@pytest.fixture
def table() -> TableState:
    return TableState("t", (), encode)


def test_newest_wins_and_is_encoded_once(table: TableState) -> None:
    assert table.since(None) is None
    for number in range(5):
        table.put(number, (1, 1), float(number), 0.0)
    first = table.since(None)
    assert first is not None
    assert bytes(first.body.data) == b"4"
    assert first.position == Position(table.epoch, 5)
    assert table.since(None) is first
    assert table.since(Position("another life", 5)) is first
    assert table.since(first.position) is None


def test_a_frame_that_can_not_be_encoded(
    table: TableState, caplog: pytest.LogCaptureFixture
) -> None:
    table.put(1, (1, 1), 0.0, 0.0)
    before = table.since(None)
    assert before is not None
    table.put(ValueError("no way"), (1, 1), 1.0, 0.0)
    with caplog.at_level(logging.CRITICAL):
        assert table.since(before.position) is None
    assert table.body_note is not None
    assert "no way" in table.body_note
    assert not table.has_news(before.position)
    assert table.since(None) is before  # a late joiner sees the last good one
    assert table.age(5.0) == 5.0  # and how old that is
    table.put(2, (1, 1), 2.0, 0.0)
    assert table.has_news(before.position)
    assert table.since(before.position) is not None
    assert table.body_note is None


def test_only_bad_frames(table: TableState, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        table.put(ValueError("no way"), (1, 1), 0.0, 0.0)
        assert table.since(None) is None
        assert not table.has_news(None)
        assert table.age(1.0) is None


def test_age_and_rate(table: TableState) -> None:
    assert table.age(1.0) is None
    assert table.rate(1.0) == 0
    table.put(0, (2, 3), 10.0, 0.0)
    assert table.rate(10.0) == pytest.approx(0.2)
    for number in range(1, 31):
        table.put(0, (2, 3), 10.0 + number / 10, 0.0)
    assert table.rate(13.0) == pytest.approx(10.0)
    assert table.age(14.0) == pytest.approx(1.0)
    assert table.rate(14.0) < 10.0
    assert table.rate(60.0) == 0
    info = table.info(14.0, 7, "job")
    assert (info.rows, info.columns, info.seq, info.pid) == (2, 3, 31, 7)
