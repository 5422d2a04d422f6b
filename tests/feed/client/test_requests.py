"""livetable.feed.client.requests: what a reader asks for, and what it takes for an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from livetable.feed.buffers.pool import Room
from livetable.feed.client.requests import GONE_SECONDS, REPEAT_SECONDS, News, Wanting
from livetable.feed.errors import WireError
from livetable.feed.protocol.messages import (
    Header,
    Position,
    Want,
    new_topic,
)
from tests.feed.memory import PLACE


def test_repeat_and_gone() -> None:
    wanting = Wanting(new_topic(), "t")
    assert wanting.deadline() is None
    assert wanting.restart(0.0) is None
    first = wanting.ask(10.0)
    assert wanting.deadline() == 10.0 + REPEAT_SECONDS
    assert wanting.repeat(10.5) is None
    assert wanting.repeat(10.01 + REPEAT_SECONDS) == first
    assert not wanting.is_gone(10.0 + GONE_SECONDS - 0.01)
    assert wanting.is_gone(10.01 + GONE_SECONDS)
    assert wanting.tell_gone(10.01 + GONE_SECONDS)
    assert not wanting.tell_gone(99.0)
    due = wanting.deadline()
    assert due is not None
    wanting.repeat(99.0)
    assert wanting.deadline() == 99.0 + REPEAT_SECONDS  # no spinning while it is gone
    assert GONE_SECONDS < 3 < GONE_SECONDS + 1


def header(position: Position | None, want: int = 1, **more: object) -> Header:
    return Header("snapshot", "t", want, position, **more)  # type: ignore[arg-type]


def test_a_repeated_want_answered_twice_is_one_news() -> None:
    wanting = Wanting(new_topic(), "t")
    wanting.ask(0.0)
    idle = Header("idle", "t", 1, Position("e", 1))
    assert wanting.receive(idle, [], 0.1)[0] is not None
    assert wanting.receive(idle, [], 0.2) == (None, None)
    wanting.ask(0.3)
    answer = header(Position("e", 2), 2, size=1)
    assert wanting.receive(answer, [b"x"], 0.4)[0] is not None
    assert wanting.receive(answer, [b"x"], 0.5) == (None, None)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([(dict(size=2), b"x")], "2 bytes announced, 1 received"),
        ([(dict(size=2, part=0, parts=2), b"xyz")], "announced, more received"),
        (
            [(dict(size=9, part=0, parts=2), b"x"), (dict(size=9, part=1, parts=2), b"y")],
            "fewer received",
        ),
    ],
)
def test_lying_sizes(messages: list[tuple[dict[str, Any], bytes]], says: str) -> None:
    wanting = Wanting(new_topic(), "t")
    wanting.ask(0.0)
    *first, (more, body) = messages
    for fine, part in first:
        wanting.receive(header(Position("e", 1), **fine), [part], 0.0)
    with pytest.raises(WireError, match=says):
        wanting.receive(header(Position("e", 1), **more), [body], 0.0)
    assert wanting.progress is None


def test_a_size_for_which_there_is_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(room: Room, size: int) -> memoryview:
        raise MemoryError

    monkeypatch.setattr(Room, "take", take)
    wanting = Wanting(new_topic(), "t")
    wanting.ask(0.0)
    with pytest.raises(WireError, match="4,000,000,000 bytes announced"):
        wanting.receive(header(Position("e", 1), size=4_000_000_000, parts=20_000), [b"x"], 0.0)
    assert wanting.progress is None


def test_parts_out_of_order_are_passed_over() -> None:
    wanting = Wanting(new_topic(), "t")
    wanting.ask(0.0)
    position = Position("e", 1)

    def part(number: int) -> News | None:
        return wanting.receive(header(position, size=3, part=number, parts=3), [b"x"], 0.0)[0]

    assert part(1) is None
    assert wanting.progress is None
    assert [part(0), part(0), part(2), part(1)] == [None] * 4
    last = part(2)
    assert last is not None
    assert last.body == b"xxx"


def test_want_numbers_grow() -> None:
    wanting = Wanting(new_topic(), "t")
    numbers = []
    for _ in range(3):
        want = Want.decode(wanting.ask(0.0))
        numbers.append(want.number)
    assert numbers == [1, 2, 3]


def test_memory_that_was_not_asked_for() -> None:
    wanting = Wanting(new_topic(), "t")
    said = Header("snapshot", "t", 1, Position("e", 1), size=4, memory=PLACE)
    assert not wanting.awaits(said)  # nothing is waited for
    wanting.ask(0.0)
    with pytest.raises(WireError, match="did not ask for it"):
        wanting.awaits(said)
    assert not wanting.awaits(replace(said, want=0))  # an answer to another want
    asking = Wanting(new_topic(), "t", memory=True)
    asking.ask(0.0)
    with pytest.raises(WireError, match="did not ask for it"):
        asking.awaits(replace(said, kind="idle"))
