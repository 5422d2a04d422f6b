"""tui.widgets.status_line: how the feed and the table stand, in one line of any width."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from textual.app import App, ComposeResult

from livetable.feed import Publisher
from livetable.feed.protocol.source_status import SourceStatus
from livetable.tui.app import LivetableApp
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.target import ViewOptions
from livetable.tui.text.column_format import width_of
from livetable.tui.widgets.status_line import StatusLine, source_words
from tests.tui.tables import table_of
from tests.tui.values import frame, stage


async def test_the_trust_line_tells_of_hidden_columns() -> None:
    with Publisher("orders", key="id") as orders:
        orders.send(frame(3, 1))
        async with stage(orders, ViewOptions()) as on:
            await on.shows(3, 1)
            assert "2 × 2 " in on.trust
            await on.pilot.press("right", "minus")
            await on.until(lambda: "2 × 2 (1 hidden) " in on.trust)
            await on.pilot.press("plus")
            await on.until(lambda: "2 × 2 " in on.trust)


class LineApp(App[None]):
    """A status line and nothing else."""

    CSS_PATH = LivetableApp.CSS_PATH

    def compose(self) -> ComposeResult:
        yield StatusLine()


TABLE = table_of(pd.DataFrame({"id": [1, 2], "v": [3, 4]}), "id")
LIVE = FeedState(Link.LIVE, TABLE, "orders", rate=12.0, age=0.0)
FULL = replace(
    LIVE, name="表" * 40, merged=12_345, skipped=3, problem="it is no frame", progress=0.5,
    recording="rec x.tape\x1b[2J", source=SourceStatus(reading=0.25, checking=True, unreadable=2),
)  # fmt: skip


@pytest.mark.parametrize("feed", [FeedState(), LIVE, FULL, replace(FULL, link=Link.GONE)])
async def test_it_is_as_wide_as_its_place_whatever_there_is_to_say(feed: FeedState) -> None:
    app = LineApp()
    async with app.run_test(size=(100, 2)):
        line = app.query_one(StatusLine)
        for waiting, stale in ((None, False), (7, True)):
            line.show(feed, 61.0, stale, waiting, hidden=1, line="line 2 kB/s · 9.0 s behind")
            for width in range(1, 140):
                cells = line._cells(width)
                text = "".join(cell.text for cell in cells)
                assert width_of(text) == max(width, 0) or width < 8, (width, text)
                assert text.isprintable()
                assert all(cell.width == width_of(cell.text) for cell in cells)


@pytest.mark.parametrize(
    ("link", "stale", "word"),
    [
        (Link.LIVE, False, "● live"),
        (Link.LIVE, True, "◌ stale"),
        (Link.GONE, True, "✕ gone"),
        (Link.ENDED, False, "■ ended"),
        (Link.WAITING, False, "○ waiting"),
        (Link.STOPPED, False, "‖ tape"),
    ],
)
@pytest.mark.parametrize("name", ["t", "a long name of a table that takes all the room there is"])
async def test_whether_it_is_live_is_told_at_any_width(
    link: Link, stale: bool, word: str, name: str
) -> None:
    app = LineApp()
    async with app.run_test(size=(100, 2)):
        line = app.query_one(StatusLine)
        line.show(replace(LIVE, link=link, name=name, note="n" * 200), 3.0, stale)
        for width in (20, 40, 80, 120):
            assert word in "".join(cell.text for cell in line._cells(width)), width


async def test_a_table_that_stands_still_says_whose_state_it_is() -> None:
    app = LineApp()
    async with app.run_test(size=(120, 2)):
        line = app.query_one(StatusLine)
        line.show(LIVE, 5.0, False, 1234)
        assert "‖ paused · 1,234 new frames   ● feed live" in line.render_line(0).text
        assert "showing 5 s ago" in line.render_line(0).text
        line.show(LIVE, 5.0, False, 1)
        assert "‖ paused · 1 new frame " in line.render_line(0).text
        line.show(LIVE, 5.0, False, 7, behind=14.2)
        assert "◀ rewound · 14 s behind live" in line.render_line(0).text
        line.show(LIVE, 0.0, False, 0)
        assert "showing now" in line.render_line(0).text


async def test_frames_that_were_not_shown_are_counted_only_if_there_are_any() -> None:
    app = LineApp()
    async with app.run_test(size=(120, 2)):
        line = app.query_one(StatusLine)
        line.show(LIVE, 5.0, False)
        assert "skipped" not in line.render_line(0).text
        line.show(replace(LIVE, merged=1, skipped=2), 5.0, False)
        assert "1 frame skipped  2 bad frames" in line.render_line(0).text


def test_how_a_source_stands() -> None:
    assert source_words(SourceStatus()) == []
    assert source_words(SourceStatus(reading=1.0)) == []
    assert source_words(SourceStatus(reading=0.5, unfinished=3, unreadable=1)) == [
        "reading 50%", "last line unfinished", "1 line could not be read (I)",
    ]  # fmt: skip
    assert source_words(SourceStatus(checking=True, unreadable=1200)) == [
        "checking", "1,200 lines could not be read (I)",
    ]  # fmt: skip
