"""tui.query.type_errors: conditions that can't be applied say what to write instead."""

from __future__ import annotations

import datetime
import decimal

import pandas as pd
import pytest

from livetable.tui.query.arrange import (
    Arrangement,
    arrange,
    check_condition,
    check_filter,
    filter_mask,
)
from livetable.tui.query.conditions import check_alert
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.rules import read_rule
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("took > 1", "took is a duration: put it in quotes, took > '1h30m'"),
        ("took > 'x'", "Can't read 'x' as a duration. Example: took > '1h30m'"),
        ("tm > 'x'", "Can't read 'x' as a time of day. Example: tm > '14:00'"),
        ("took < t", "Can't compare took (a duration) with t (a time)"),
        ("took // 2.5 > '1h'", "Can't calculate took // 2.5: took is a duration"),
    ],
)
def test_what_is_said_of_times(text: str, says: str) -> None:
    frame = pd.DataFrame({
        "took": pd.to_timedelta(["1h"]), "tm": [datetime.time(9)],
        "t": pd.to_datetime(["2026-01-01"]),
    })  # fmt: skip
    with pytest.raises(BadExpression) as caught:
        filter_mask(table_of(frame), text)
    assert str(caught.value) == says
