"""tui.pane.table_pane: a published table in the viewer, and the view of it that is remembered."""

from __future__ import annotations

import re

from livetable.feed import Publisher
from livetable.tui.target import ViewOptions
from tests.tui.values import frame
from tests.tui.values import stage as showing


async def test_space_lets_the_table_stand_still_and_go_on() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1, 2))
        async with showing(orders, ViewOptions()) as on:
            await on.shows(3, 1, 2)
            await on.pilot.press("space")
            await on.until(lambda: "‖ paused  " in on.trust)
            orders.send(frame(9, 9, 9))
            orders.send(frame(8, 8, 8))
            await on.until(lambda: "paused · 2 new frames" in on.trust)
            assert "● feed live" in on.trust
            assert on.values == [3, 1, 2]
            await on.pilot.press("s")  # what stands still can still be sorted
            await on.shows(1, 2, 3)
            orders.send(frame(7, 6, 5))
            await on.until(lambda: "paused · 3 new frames" in on.trust)
            await on.pilot.press("space")
            await on.shows(5, 6, 7)
            await on.until(lambda: "paused" not in on.trust)
            orders.send(frame(1, 2, 3))
            await on.shows(1, 2, 3)


async def test_a_paused_table_tells_its_age_when_its_feed_is_gone() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3))
        async with showing(orders, ViewOptions()) as on:
            await on.shows(3)
            await on.pilot.press("space")
            orders.close()
            await on.until(lambda: "■ feed ended" in on.trust)
            await on.until(lambda: re.search(r"showing \d+ s ago", on.trust))
            assert "paused" in on.trust


async def test_the_command_line_sets_the_first_view() -> None:
    options = ViewOptions(sort=(("v", True),), where=("v > 1",))
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1, 2))
        async with showing(orders, options) as on:
            await on.shows(3, 2)
            orders.send(frame(0, 5, 9))
            await on.shows(9, 5)
            await on.pilot.press("F")
            await on.shows(9, 5, 0)
