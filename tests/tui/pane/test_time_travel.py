"""The table's screen: it stands still and goes on, and starts as the command line asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pandas as pd
from textual.pilot import Pilot

from livetable.feed import Publisher
from livetable.tui.app import LivetableApp
from livetable.tui.model.history import History
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.pane.time_travel import TimedPane
from livetable.tui.query.column_choice import with_computed
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target, ViewOptions
from livetable.tui.widgets.status_line import StatusLine
from tests.tui.query.tables import computed, values
from tests.tui.tables import table_of
from tests.waiting import wait_until


def frame(*values: int) -> pd.DataFrame:
    return pd.DataFrame({"id": range(len(values)), "v": values})


class Stage:
    """A running viewer of a publisher in this process."""

    def __init__(self, pilot: Pilot[int], pane: TablePane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def values(self) -> list[int]:
        table = self.pane.live_table.table
        return [] if table is None else list(table.window(1, 0, table.rows).to_pylist())

    @property
    def trust(self) -> str:
        return self.pane.query_one(StatusLine).render_line(0).text

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: (self.values, self.trust))

    async def shows(self, *values: int) -> None:
        await self.until(lambda: self.values == list(values))


@asynccontextmanager
async def stage(publisher: Publisher, options: ViewOptions) -> AsyncIterator[Stage]:
    app = LivetableApp(Target(None, publisher.name), options=options)
    async with app.run_test(size=(100, 12)) as pilot:
        screen = app.screen
        assert isinstance(screen, TablesScreen)
        yield Stage(pilot, screen.pane)
        app.exit()


async def test_the_trust_line_tells_of_hidden_columns() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1))
        async with stage(orders, ViewOptions()) as on:
            await on.shows(3, 1)
            assert "2 × 2  " in on.trust
            await on.pilot.press("right", "minus")
            await on.until(lambda: "2 × 2 (1 hidden)  " in on.trust)
            await on.pilot.press("plus")
            await on.until(lambda: "2 × 2  " in on.trust)


async def test_space_lets_the_table_stand_still_and_go_on() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1, 2))
        async with stage(orders, ViewOptions()) as on:
            await on.shows(3, 1, 2)
            await on.pilot.press("space")
            await on.until(lambda: "paused, 0 wait" in on.trust)
            orders.send(frame(9, 9, 9))
            orders.send(frame(8, 8, 8))
            await on.until(lambda: "paused, 2 wait" in on.trust)
            assert "● feed live" in on.trust
            assert on.values == [3, 1, 2]
            await on.pilot.press("s")  # what stands still can still be sorted
            await on.shows(1, 2, 3)
            orders.send(frame(7, 6, 5))
            await on.until(lambda: "paused, 3 wait" in on.trust)
            await on.pilot.press("space")
            await on.shows(5, 6, 7)
            await on.until(lambda: "paused" not in on.trust)
            orders.send(frame(1, 2, 3))
            await on.shows(1, 2, 3)


async def test_a_paused_table_tells_its_age_when_its_feed_is_gone() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3))
        async with stage(orders, ViewOptions()) as on:
            await on.shows(3)
            await on.pilot.press("space")
            orders.close()
            await on.until(lambda: "■ feed ended" in on.trust)
            await on.until(lambda: " s ago shown" in on.trust)
            assert "paused" in on.trust


async def test_the_command_line_sets_the_first_view() -> None:
    options = ViewOptions(sort=(("v", True),), where=("v > 1",))
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1, 2))
        async with stage(orders, options) as on:
            await on.shows(3, 2)
            orders.send(frame(0, 5, 9))
            await on.shows(9, 5)
            await on.pilot.press("F")
            await on.shows(9, 5, 0)


def test_frames_of_one_moment_and_of_clocks_that_go_back() -> None:
    history = History()
    pane = TimedPane()
    pane.history = history
    for value, sent in ((10, 100.0), (20, 100.5), (30, 100.4), (40, 100.4)):
        frame = pd.DataFrame({"id": ["a"], "v": [value]})
        pane.keep(replace(table_of(frame, "id"), sent=sent))
    changes = [
        values(with_computed(history.at(number), computed(("x", "d(v)"))), "x")
        for number in range(4)
    ]
    assert changes == [[None], [10], [10], [10]]
