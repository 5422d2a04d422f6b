"""Tapes in the viewer: they play, stand, go to and fro, and are looked through."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from textual.pilot import Pilot

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import Recorder
from livetable.tui.app import LivetableApp
from livetable.tui.batch.row_changes import NoSuchRow, changes_of
from livetable.tui.model.feed_state import Link
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane import tape_pane as tape_module
from livetable.tui.pane.tape_pane import SPEEDS, TapePane, moment_when
from livetable.tui.target import ViewOptions, parse_target
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.status_line import StatusLine
from tests.waiting import wait_until

BEGAN = 1_700_000_000.0


def record(path: Path, prices: list[float], seconds: float = 1.0) -> Path:
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    for number, price in enumerate(prices):
        frame = pd.DataFrame({"id": ["a", "b"], "price": [price, 0.0]})
        data = Encoder()(capture(frame)).data
        head = Header(
            "snapshot", "orders", None, Position("e", number + 1), rows=2, columns=2,
            time=BEGAN + number * seconds, size=len(data), key=("id",),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    return path


PRICES = [1.0, 2.0, 5.0, 1.0, 6.0, 7.0, 3.0]


class Stage:
    def __init__(self, pilot: Pilot[int], pane: TapePane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def price(self) -> float | None:
        table = self.pane.live_table.table
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
        table = on.pane.live_table

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
        await wait_until(lambda: "1 rows differ" in on.pane.since_mark, lambda: on.pane.since_mark)
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


def test_moments(tmp_path: Path) -> None:
    history = TapeHistory(Playback(TapeReader(record(tmp_path / "x.tape", PRICES))))
    assert moment_when(history, "price > 4", 0) == 2
    assert moment_when(history, "price > 4", 2) == 4
    assert moment_when(history, "price > 4", 4) is None
    assert moment_when(history, "price > 4", 0, lambda: False) is None
    assert history.seconds == 6.0
    assert (history.first, history.last, len(history)) == (0, 6, 7)
    table = history.at(3)
    before, earlier = history.before(table, 0), history.before(table, 2)
    assert before is not None
    assert before.position.seq == 3
    assert earlier is not None
    assert earlier.position.seq == 2
    assert history.before(table, 99) is None
    assert history.before(history.at(0), 0) is None
    assert history.before(table, "mark") is None
    assert history.number_at(table.sent + 0.5) == 3
    assert history.at(99).position.seq == 7
    history.add(table)
    assert history.tables() == []
    history.playback.close()


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


def test_changes_of_a_row_whose_columns_change(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    frames: list[dict[str, Any]] = [
        {"id": ["a"], "x": [1]}, {"id": ["b", "a"], "x": [7, 1]}, {"id": ["a"], "x": [math.nan]},
        {"id": ["a"], "x": [math.nan]}, {"id": ["a"], "x": ["text"], "y": [True]}, {"id": ["b"]},
        {"id": ["a"], "y": [False]},
    ]  # fmt: skip
    for number, frame in enumerate(frames):
        data = Encoder()(capture(pd.DataFrame(frame))).data
        head = Header(
            "snapshot", "t", None, Position("e", number + 1), rows=1, columns=len(frame),
            time=BEGAN + number, size=len(data), key=("id",),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    playback = Playback(TapeReader(path))
    table = changes_of(playback, "a")
    titles = list(table.titles)
    found = [table.window(at, 0, table.rows).to_pylist() for at in range(len(titles))]
    shown = dict(zip(titles, found, strict=True))
    assert shown["x"] == ["1", "nan", "text", None]
    assert shown["y"] == [None, None, True, False]
    with pytest.raises(NoSuchRow, match="no row 'zz'"):
        changes_of(playback, "zz")
    playback.close()


def test_rows_without_a_key_are_called_by_what_their_index_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    for number in range(5):
        index = pd.RangeIndex(number, number + 3)
        data = Encoder()(capture(pd.DataFrame({"v": range(number, number + 3)}, index=index))).data
        head = Header(
            "snapshot", "t", None, Position("e", number + 1), rows=3, columns=1,
            time=BEGAN + number, size=len(data),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    playback = Playback(TapeReader(path))
    table = changes_of(playback, "6")
    assert table.window(1, 0, table.rows).to_pylist() == [6]
    playback.close()


def test_long_tapes_are_played_in_steady_time(tmp_path: Path) -> None:
    playback = Playback(TapeReader(record(tmp_path / "x.tape", [1.0] * 600)))
    for number in range(600):
        playback.at(number)
    assert len(playback._kept) == 256  # and not all there are
    playback.close()


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
