"""Conditions that can't be applied: refused while they are typed, and never looking applied."""

from __future__ import annotations

import datetime
import decimal

import pandas as pd
import pytest
from rich.style import Style
from textual.widgets import Input

from livetable.tui.query.arrange import Arrangement, arrange, check_condition, check_filter
from livetable.tui.query.conditions import check_alert
from livetable.tui.query.expression import BadExpression
from livetable.tui.query.rules import read_rule
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.stage import Stage, stage
from tests.tui.stage import priced as prices
from tests.tui.tables import table_of

FRAME = pd.DataFrame(
    {
        "id": ["a"],
        "price": [1.5],
        "cpu %": [3],
        "name": ["a"],
        "created": pd.to_datetime(["2026-01-01"]),
        "tz": pd.to_datetime(["2026-01-01"]).tz_localize("UTC"),
        "day": [datetime.date(2026, 1, 1)],
        "at": [datetime.time(1, 2)],
        "done": [True],
        "tags": [["a"]],
        "dec": [decimal.Decimal("1.20")],
    }
)
TABLE = table_of(FRAME, "id")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "created > 2026-11-27",
            "created is a time: put the date in quotes, created > '2026-11-27'",
        ),
        (
            "2026-11-27 < tz and price > 1",
            "tz is a time: put the date in quotes, '2026-11-27' < tz",
        ),
        ("created > 2026-01-27", "Put dates and times in quotes: created > '2026-01-27'"),
        ("day > 2026-1-07 and done", "Put dates and times in quotes: day > '2026-1-07' and done"),
        (
            "created > 2026-01-27 14:00",
            "Put dates and times in quotes: created > '2026-01-27 14:00'",
        ),
        ("at > 14:00", "Put dates and times in quotes: at > '14:00'"),
        ("day == 5", "day is a date: put the date in quotes, day == '2026-01-31'"),
        ("created > 'soon'", "Can't read 'soon' as a time. Example: created > '2026-01-31 14:00'"),
        (
            "created in [2026, 5]",
            "created is a time: put the date in quotes, created in ['2026-01-31']",
        ),
        ("price > '100'", "price is a number: leave out the quotes, price > 100"),
        ("`cpu %` == '5'", "`cpu %` is a number: leave out the quotes, `cpu %` == 5"),
        ("dec > 'x'", "dec is a number: compare it with a number, dec > 100"),
        ("name > 5", "name is text: put the value in quotes, name > '5'"),
        ("name in [1, 2]", "name is text: put the value in quotes, name in ['1']"),
        ("name == price", "Can't compare name (text) with price (a number)"),
        ("done == 'yes'", "done is true or false: write done, or not done"),
        ("tags > 1", "Can't compare tags (nested) with 1 (a number)"),
        ("price and done", "price is not a condition. Example: price > 100"),
        ("done or name", "name is not a condition. Example: name == 'x'"),
        ("not created", "created is not a condition. Example: created > '2026-01-31 14:00'"),
        ("abs(name) > 1", "abs only works on numbers (name is text)"),
        ("price.str.startswith('1')", "startswith only works on text (price is a number)"),
        ("name * 2 > 1", "Can't calculate name * 2: name is text"),
        ("d(name) > 1", "d only works on numbers (name is text)"),
    ],
)
def test_what_to_write_instead(text: str, says: str) -> None:
    for check in (check_filter, check_condition, check_alert):
        with pytest.raises(BadExpression) as caught:
            check(text, TABLE.titles, TABLE.types)
        assert str(caught.value) == says
        assert 0 <= caught.value.start < caught.value.end <= len(text)
    with pytest.raises(BadExpression):
        read_rule(f"{text}: red", TABLE.titles, TABLE.types)
    with pytest.raises(BadExpression):
        check_alert(f"price > 1 until {text}", TABLE.titles, TABLE.types)
    done = arrange(TABLE, Arrangement(filters=(text, "price > 5")))
    assert done.unapplied == ((text, says),)
    assert done.problems == (f"{text}: {says}",)
    assert done.table.rows == 0  # the other one is applied


@pytest.mark.parametrize("text", ["any text", "2026-11-27", "'a > b'", "price > 1", "done", "name"])
def test_what_can_be_applied(text: str) -> None:
    check_filter(text, TABLE.titles, TABLE.types)
    check_filter(text, TABLE.titles)


def test_columns_without_a_value_have_any_type() -> None:
    empty = table_of(pd.DataFrame({"id": ["a"], "v": pd.Series([None], dtype=object)}), "id")
    for text in ("v > 1", "v == 'x'", "v > '2026-01-01'", "v.isna()"):
        check_filter(text, empty.titles, empty.types)


def red(on: Stage) -> str:
    """Return what is red of the view line."""
    line = on.pane.query_one(ViewLine)
    style = line.get_component_rich_style("viewline--wrong", partial=True)
    text = line._text
    return "".join(
        text.plain[span.start : span.end]
        for span in text.spans
        if isinstance(span.style, Style) and span.style == style
    )


async def test_a_filter_is_red_while_it_can_not_be_applied() -> None:
    async with stage() as on:
        times = pd.to_datetime(["2026-01-01", "2026-12-01", "2027-01-01"])
        on.pane.show(
            table_of(pd.DataFrame({"id": list("abc"), "created": times, "price": 1.0}), "id")
        )
        await on.press("f")
        await on.type("created > 2026-11-27")
        box = on.pane.query_one(Input)
        await on.until(lambda: box.has_class("-wrong"))
        assert "created is a time: put the date in quotes, created > '2026-11-27'" in on.hint
        assert on.pane.chosen().filters == ()
        await on.press("enter")
        assert on.pane.prompt is not None  # it is never applied
        assert on.ids == "abc"
        await on.press("home", *["right"] * 10, "'", "end", "'")
        await on.until(lambda: not box.has_class("-wrong"))
        await on.press("enter")
        await on.becomes("bc")


async def test_a_filter_that_can_no_longer_be_applied_is_told() -> None:
    async with stage() as on:
        await on.press("f", *"price>1", "enter")
        await on.becomes("ac")
        assert red(on) == ""
        on.pane.show(prices(["x", "y"]))
        await on.becomes("ab")
        says = "price is text: put the value in quotes, price>1"
        assert red(on).startswith(" filter not applied price>1: price is text")
        assert says[:20] in on.says
        on.pane.show(prices([0, 2]))
        await on.becomes("b")
        assert red(on) == ""


async def test_a_rule_that_can_no_longer_be_applied_is_told() -> None:
    async with stage() as on:
        await on.press("r", *"price>1:red", "enter")
        await on.until(lambda: "rule" in on.says)
        assert red(on) == ""
        on.pane.show(prices(["x", "y"]))
        await on.until(lambda: red(on).startswith(" rule not applied price>1: red: price is text"))
        await on.press("r")
        await on.type("price>1:blue")
        await on.until(lambda: on.pane.query_one(Input).has_class("-wrong"))


async def test_an_alert_and_a_column_are_refused() -> None:
    async with stage() as on:
        for key in ("W", "equals_sign"):
            await on.press(key)
            await on.type("sector / 2" if key != "W" else "sector > 2")
            await on.press("enter")
            assert on.pane.prompt is not None
            assert "sector is text" in on.hint
            await on.press("escape")
            await on.until(lambda: on.pane.prompt is None)
        assert not on.pane.alerts
        assert not on.pane.columns.computed
