"""livetable.feed.sources.tape: a tape is published again, in its own time or faster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from livetable.feed.sources import tape
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.writer import TapeWriter
from tests.feed.sources.running import running
from tests.feed.tape.tapes import body, header, write
from tests.waiting import wait_for


def test_the_last_state_stays_and_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    write(path, 5)  # a frame each second
    with running(tape, file=path, speed=1e6, loop=False) as table:
        wait_for(lambda: table.ended)
        assert table.rows == [{"id": 4, "x": "row 4"}]
        assert not table.problems


def test_each_frame_is_shown_in_its_time(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    write(path, 3)
    began = time.monotonic()
    with running(tape, file=path, speed=20.0, loop=False) as table:
        wait_for(lambda: table.ended)
        assert table.rows == [{"id": 2, "x": "row 2"}]
        assert time.monotonic() - began >= 0.1  # two seconds, twenty times as fast


def test_it_begins_again_until_it_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    write(path, 2)
    with running(tape, file=path, speed=1000.0, loop=True) as table:
        wait_for(lambda: table.publisher._state.seq > 20)
        assert not table.ended


def test_a_tape_that_waits_for_years_is_stopped_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    writer = TapeWriter(path, "orders")
    for number, when in enumerate((0.0, 1e9)):
        data = body(number)
        writer.add(when, header(number, len(data)), data)
    writer.close()
    began = time.monotonic()
    with running(tape, file=path, speed=0.001, loop=False) as table:
        wait_for(lambda: table.rows == [{"id": 0, "x": "row 0"}])
    assert time.monotonic() - began < 20
    assert not table.problems  # no wait is longer than a clock counts


def test_what_is_no_tape_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    path.write_text("a,b\n1,2\n")
    with running(tape, file=path, speed=1.0, loop=False) as table:
        (problem,) = wait_for(lambda: table.problems)
        assert isinstance(problem, BadTape)


@pytest.mark.parametrize("count", [1, 200])
def test_who_is_late_shows_the_newest(tmp_path: Path, count: int) -> None:
    path = tmp_path / "x.tape"
    write(path, count)
    with running(tape, file=path, speed=1e6, loop=False) as table:
        wait_for(lambda: table.ended)
        assert table.rows[0]["id"] == count - 1
        assert table.publisher._state.seq <= count
