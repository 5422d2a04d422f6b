"""tui.widgets.time_line: which time is shown, and a click at another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from livetable.tui.app import LivetableApp
from livetable.tui.widgets.time_line import Moment, TimeLine
from tests.tui.stage import cells, frame, stage


async def test_a_time_is_clicked() -> None:
    async with stage() as on:
        for price in range(1, 40):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("comma")
        says = str(on.pane.query_one(TimeLine).render())
        bar = min(says.index("━"), says.index("●"))
        await on.pilot.click(TimeLine, offset=(bar, 0))
        await on.pilot.pause()
        assert on.ids == "abc"
        await on.pilot.click(TimeLine, offset=(bar + 7, 0))
        await on.pilot.pause()
        assert cells(on, 1) == [39, 0]


MOMENT = Moment(
    at=130.0, wall=1_700_000_000.0, first=100.0, last=160.0, frame=4, frames=1234,
    bytes=5 << 20, limit=64 << 20,
)  # fmt: skip


class TimeApp(App[None]):
    """A line of time and nothing else."""

    CSS_PATH = LivetableApp.CSS_PATH

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[float] = []

    def compose(self) -> ComposeResult:
        yield TimeLine("space: go on")

    def on_time_line_chosen(self, message: TimeLine.Chosen) -> None:
        self.chosen.append(message.share)


@pytest.mark.parametrize("width", [30, 80, 160])
async def test_what_is_clicked_is_what_is_shown_there(width: int) -> None:
    app = TimeApp()
    async with app.run_test(size=(width, 3)) as pilot:
        line = app.query_one(TimeLine)
        line.show(MOMENT)
        await pilot.pause()
        says = str(line.render())
        assert len(says) <= width
        if width < 60:
            assert says.endswith("…")  # what is cut says so
            return
        assert "30 s behind live" in says
        assert "frame 4 of 1,234" in says
        bar = [at for at, letter in enumerate(says) if letter in "━●─"]
        middle = says.index("●")
        assert says.count("●") == 1
        assert abs((middle - bar[0]) / (len(bar) - 1) - MOMENT.share) <= 0.5 / (len(bar) - 1)
        for x, share in ((bar[0], 0.0), (bar[-1], 1.0)):
            await pilot.click(TimeLine, offset=(x, 0))
            await pilot.pause()
            assert app.chosen.pop() == share
        await pilot.click(TimeLine, offset=(2, 0))  # the clock
        await pilot.pause()
        assert app.chosen == []
        line.show(None)
        assert not line.display


def test_a_moment_stands_between_the_oldest_and_the_newest() -> None:
    assert MOMENT.share == 0.5
    assert replace(MOMENT, at=90.0).share == 0.0
    assert replace(MOMENT, at=999.0).share == 1.0
    assert replace(MOMENT, last=100.0).share == 1.0
    assert replace(MOMENT, last=float("nan")).share == 1.0
