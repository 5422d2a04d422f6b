"""Tapes in the viewer: they play, stand, go to and fro, and are looked through."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from livetable.feed.tape.reader import TapeReader
from livetable.tui.app import LivetableApp
from livetable.tui.model.feed_state import Link
from livetable.tui.model.table import Table
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane import tape_pane as tape_module
from livetable.tui.pane.tape_pane import SPEEDS, TapePane
from livetable.tui.query.nodes import BadExpression
from livetable.tui.target import ViewOptions, parse_target
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.status_line import StatusLine
from tests.tui.stage import priced
from tests.tui.tapes import BEGAN, PRICES, record
from tests.waiting import wait_until


class Stage:
    def __init__(self, pilot: Pilot[int], pane: TapePane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def price(self) -> float | None:
        table = self.pane.table_view.table
        if table is None:
            return None
        price: float = table.window(1, 0, 1)[0].as_py()
        return price

    @property
    def says(self) -> str:
        return "".join(text for text, _ in self.pane.query_one(StatusLine)._left)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def shows(self, price: float) -> None:
        await wait_until(lambda: self.price == price, lambda: (self.price, self.says))


@asynccontextmanager
async def stage(path: Path) -> AsyncIterator[Stage]:
    app = LivetableApp(parse_target(str(path)), options=ViewOptions(remember=False))
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        pane = app.screen.query_one(TapePane)
        yield Stage(pilot, pane)
        await pilot.press("q")


async def test_a_tape_plays_to_its_end_and_again(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 0.05)) as on:
        await on.shows(3.0)
        await wait_until(lambda: on.pane._feed.link is Link.STOPPED, lambda: on.says)
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
        assert on.price == 3.0 or on.pane._now == 5
        await on.press("at", *"-1500s", "enter")
        await wait_until(lambda: on.pane._now == 3, lambda: (on.pane._now, on.says))
        clock = time.strftime("%H:%M:%S", time.localtime(BEGAN + 1000))
        await on.press("at", *clock, "enter")
        await on.shows(2.0)
        await on.press("escape")
        assert on.pane.is_attached  # nowhere to go back to but out
        line = on.pane._time_line
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
        await wait_until(lambda: "1 changed" in on.pane.since_mark, lambda: on.pane.since_mark)
        await on.press("enter")
        assert on.pane.has_panel
        await on.press("escape")
        assert not on.pane.has_panel


async def test_every_command_of_tapes_is_in_the_palette(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        app = on.pane.app
        titles = {one.title.partition("  (")[0] for one in app.get_system_commands(app.screen)}
        assert {"Play/stop", "Slower", "Faster", "Loop", "Next moment", "Sort"} <= titles
        await on.press("question_mark")
        await on.press("escape")


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
            lambda: any("no row begins" in note.message for note in on.pane.app._notifications),
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
            lambda: any("can't be read" in note.message for note in on.pane.app._notifications),
            lambda: on.says,
        )
        assert on.price == 1.0
        await on.press(at)


async def test_a_search_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, go_on = threading.Event(), threading.Event()
    met = tape_module._met

    def slow(*arguments: Any) -> Any:
        looking.set()
        assert go_on.wait(10)
        return met(*arguments)

    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        monkeypatch.setattr(tape_module, "_met", slow)
        await on.press("exclamation_mark")
        await on.pilot.press(*"price>4", "enter")
        await wait_until(looking.is_set, lambda: on.says)
        assert "looking for that moment" in on.says
        await on.press("escape")
        assert "looking" not in on.says
        go_on.set()
        await on.press("full_stop")
        await on.shows(2.0)


def test_a_moment_is_not_looked_for_by_what_can_not_be_applied() -> None:
    from livetable.tui.pane.tape_pane import moment_when

    class Tape:
        def at(self, number: int) -> Table:
            return priced([number])

        def __len__(self) -> int:
            return 3

    tape: TapeHistory = Tape()  # type: ignore[assignment]
    assert moment_when(tape, "price > 1", 0) == 2
    with pytest.raises(BadExpression, match="leave out the quotes"):
        moment_when(tape, "price > '1'", 0)
