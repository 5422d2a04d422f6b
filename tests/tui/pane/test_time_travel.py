"""tui.pane.time_travel: the table goes back and forth, and is compared with what it was."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from livetable.tui.model.history import History
from livetable.tui.pane.feature_pane import FeaturePane
from livetable.tui.query.column_choice import with_computed
from livetable.tui.widgets.time_line import TimeLine
from tests.tui.query.tables import computed, values
from tests.tui.stage import cells, frame, last_note, stage
from tests.tui.tables import table_of


def test_frames_of_one_moment_and_of_clocks_that_go_back() -> None:
    history = History()
    pane = FeaturePane(history)
    for value, sent in ((10, 100.0), (20, 100.5), (30, 100.4), (40, 100.4)):
        frame = pd.DataFrame({"id": ["a"], "v": [value]})
        pane.keep(replace(table_of(frame, "id"), sent=sent))
    changes = [
        values(with_computed(history.at(number), computed(("x", "d(v)"))), "x")
        for number in range(4)
    ]
    assert changes == [[None], [10], [10], [10]]


async def test_back_and_forth() -> None:
    async with stage() as on:
        for price in range(1, 40):
            on.pane.show(frame({"a": price, "b": 0}))
        assert cells(on, 1) == [39, 0]
        await on.press("comma", "comma")
        assert cells(on, 1) == [37, 0]
        says = str(on.pane.query_one(TimeLine).render())
        assert "2.0 s behind live" in says
        assert "frame 38 of 40" in says
        await on.press("left_square_bracket")
        assert cells(on, 1) == [27, 0]
        await on.press("right_square_bracket", "full_stop")
        assert cells(on, 1) == [38, 0]
        on.pane.show(frame({"a": 99, "b": 0}))
        assert cells(on, 1) == [38, 0]
        assert on.pane.time.waiting == 2
        await on.press("left_curly_bracket")
        assert on.ids == "abc"  # the first one there is
        await on.press("comma")
        assert on.ids == "abc"
        await on.press("at")
        await on.type("soon")
        await on.press("enter")
        assert "Can't read 'soon' as a time" in on.hint
        await on.press("escape", "at", "enter")
        await on.press("s")
        await on.press("right_curly_bracket")
        assert cells(on, 1) == [0, 99]
        assert on.pane.time.waiting == 0
        await on.press("space")
        await on.until(lambda: on.pane.time.waiting is None)
        await on.press("space")
        await on.until(lambda: (on.pane.state.paused_at, on.pane.state.rewound) == (40, False))
        await on.press("space")
        assert not on.pane.query_one(TimeLine).display


async def test_nothing_older_than_what_is_kept() -> None:
    async with stage() as on:
        on.pane.show(frame({"a": 1}))
        await on.press("comma", "comma", "comma")
        await on.until(lambda: last_note(on) == "Nothing older is kept.")
        assert on.ids == "abc"
