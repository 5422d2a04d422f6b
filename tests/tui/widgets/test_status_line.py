"""tui.widgets.status_line: how the feed and the table stand, in one line of any width."""

from __future__ import annotations

from livetable.feed import Publisher
from livetable.tui.target import ViewOptions
from tests.tui.values import frame, stage


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
