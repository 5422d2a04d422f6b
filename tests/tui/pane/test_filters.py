"""tui.pane.filters: the keys by which rows are filtered."""

from __future__ import annotations

import pandas as pd

from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import frame, last_note, stage
from tests.tui.tables import table_of


async def test_a_filter_shows_at_once_what_it_leaves() -> None:
    async with stage() as on:
        await on.press("f")
        assert on.pane.query_one(Prompt).label == "filter: "
        await on.type("price > 1")
        await on.becomes("ac")
        assert "2 of 3 rows" in on.says
        await on.type(" and nope")
        await on.until(lambda: "No column 'nope'" in on.hint)
        assert on.hint.index("^") == len("filter: price > 1 and ")
        assert on.ids == "ac"
        await on.press("enter")  # a wrong one stays open
        assert on.pane.query(Prompt)
        await on.press(*["backspace"] * 9, "enter")
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.screen.focused is on.pane.table_view
        on.pane.show(frame({"a": 0, "b": 7, "c": 2, "d": 4}))
        await on.becomes("bcd")
        await on.press("f")
        await on.type("'x'")
        await on.becomes("c")
        await on.press("enter", "F")
        await on.becomes("bcd")
        await on.press("F", "F")
        await on.becomes("abcd")


async def test_the_beginning_of_a_column_hides_nothing_until_enter() -> None:
    async with stage() as on:
        await on.press("f")
        for text in ("c", "p"):
            await on.type(text)
            assert on.ids == "abc"
        await on.type("x")  # in no column's title, and in no row
        await on.becomes("")
        await on.press("escape")
        await on.becomes("abc")
        await on.press("f")
        await on.type("p")
        await on.press("enter")
        await on.becomes("")


async def test_a_filter_can_be_given_up() -> None:
    async with stage() as on:
        await on.press("f")
        await on.type("y")
        await on.becomes("b")
        await on.press("escape")
        await on.becomes("abc")
        assert not on.pane.query(Prompt)


async def test_filter_by_the_cursors_value() -> None:
    async with stage() as on:
        await on.press("right", "right", "ampersand")
        await on.becomes("ac")
        assert "sector == 'x'" in on.says


async def test_values_that_no_filter_tells() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"id": ["a", "b"], "v": [[1], [2]]}), "id"))
        await on.press("ampersand")
        await on.until(lambda: last_note(on) == "No filter can match this value.")
        assert on.ids == "ab"
