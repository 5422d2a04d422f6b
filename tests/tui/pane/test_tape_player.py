"""tui.pane.tape_player: tapes play, stop, go back and forth, and are searched."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.tape.reader import TapeReader
from livetable.tui.model.feed_state import Link
from livetable.tui.model.table import Table
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane import tape_player
from livetable.tui.pane.tape_player import SPEEDS, moment_when
from livetable.tui.query.nodes import BadExpression
from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import priced
from tests.tui.tape_stage import stage
from tests.tui.tapes import BEGAN, PRICES, record
from tests.waiting import wait_until


async def test_a_tape_plays_to_its_end_and_again(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 0.05)) as on:
        await on.shows(3.0)
        await wait_until(lambda: on.pane._feed_state.link is Link.STOPPED, lambda: on.says)
        assert "‖ tape  ×1" in on.says
        await on.press("quotation_mark", "space")
        assert "in a loop" in on.says
        await on.shows(6.0)
        await on.shows(2.0)  # once more
        await on.press("space")
        assert "‖" in on.says


async def test_steps_speeds_and_times(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        await on.shows(1.0)
        assert "▶ tape  ×1" in on.says
        await on.press("full_stop", "full_stop")
        await on.shows(5.0)
        assert "‖" in on.says  # a step stops it
        await on.press("comma")
        await on.shows(2.0)
        await on.press("comma", "comma", "comma")
        await on.shows(1.0)
        await on.press(*["apostrophe"] * 20)
        assert "×1000" in on.says
        await on.press(*["semicolon"] * 20)
        assert "×¼" in on.says
        await on.press("apostrophe")
        assert "×½" in on.says
        await on.press(*["apostrophe"] * (len(SPEEDS) - 2), "space")
        await on.shows(3.0)  # at a thousand times the speed
        await on.press("left_curly_bracket")
        assert on.price == 3.0 or on.pane.time.number == 5
        await on.press("at", *"-1500s", "enter")
        await wait_until(lambda: on.pane.time.number == 3, lambda: (on.pane.time.number, on.says))
        clock = time.strftime("%H:%M:%S", time.localtime(BEGAN + 1000))
        await on.press("at", *clock, "enter")
        await on.shows(2.0)
        await on.press("escape")
        assert on.pane.is_attached  # nowhere to go back to but out
        line = on.pane.time._time_line
        assert line is not None
        assert "space: play/stop" in str(line.render())


async def test_changes_are_told_as_they_were(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        await on.press("full_stop", "full_stop")
        await on.shows(5.0)
        await on.press("equals_sign")
        await on.pilot.press(*"x=d", "left_parenthesis", *"price", "right_parenthesis", "enter")
        table = on.pane.table_view

        def change() -> object:
            shown = table.table
            if shown is None or shown.column_at(("x", 0)) is None:
                return None
            return shown.window(shown.headings.places["x", 0], 0, 1)[0].as_py()

        await wait_until(lambda: change() == 3.0, lambda: change())
        await on.press("comma")
        await wait_until(lambda: change() == 1.0, lambda: change())
        await on.press("comma")
        await wait_until(lambda: change() is None and on.price == 1.0, lambda: change())
        await on.press("full_stop", "m", "full_stop")
        await on.shows(5.0)
        await wait_until(
            lambda: "1 changed" in on.pane.state.since_mark, lambda: on.pane.state.since_mark
        )
        await on.press("enter")
        assert on.pane.panels.is_open
        await on.press("escape")
        assert not on.pane.panels.is_open


async def test_on_to_the_next_moment(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:

        async def seek(text: str) -> None:
            await on.press("exclamation_mark")
            await on.pilot.press(*text, "enter")
            await on.pilot.pause()

        await seek("price>4")
        await on.shows(5.0)
        await seek("price>4")  # the next time that it begins
        await on.shows(6.0)
        await seek("price>4")
        await wait_until(
            lambda: any("No row begins" in note.message for note in on.pane.app._notifications),
            lambda: list(on.pane.app._notifications),
        )
        assert on.price == 6.0
        await seek("nope>4")
        assert on.pane.query_one(Prompt)
        await on.press("escape")


@pytest.mark.parametrize("at", ["comma", "full_stop"])
async def test_a_frame_that_is_damaged_is_told(tmp_path: Path, at: str) -> None:
    path = record(tmp_path / "x.tape", PRICES, 1000)
    reader = TapeReader(path)
    offset = int(reader._entry(1)["offset"])
    reader.close()
    async with stage(path) as on:
        await on.shows(1.0)
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"\x00" * 400)
        await on.press("full_stop")
        await wait_until(
            lambda: any("can't read" in note.message for note in on.pane.app._notifications),
            lambda: on.says,
        )
        assert on.price == 1.0
        await on.press(at)


async def test_a_search_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, go_on = threading.Event(), threading.Event()
    met = tape_player._matching

    def slow(*arguments: Any) -> Any:
        looking.set()
        assert go_on.wait(10)
        return met(*arguments)

    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        monkeypatch.setattr(tape_player, "_matching", slow)
        await on.press("exclamation_mark")
        await on.pilot.press(*"price>4", "enter")
        await wait_until(looking.is_set, lambda: on.says)
        assert "searching for that moment" in on.says
        await on.press("escape")
        assert "searching" not in on.says
        go_on.set()
        await on.press("full_stop")
        await on.shows(2.0)


def test_a_moment_is_not_looked_for_by_what_can_not_be_applied() -> None:
    class Tape:
        def at(self, number: int) -> Table:
            return priced([number])

        def __len__(self) -> int:
            return 3

    tape: TapeHistory = Tape()  # type: ignore[assignment]
    assert moment_when(tape, "price > 1", 0) == 2
    with pytest.raises(BadExpression, match="leave out the quotes"):
        moment_when(tape, "price > '1'", 0)
