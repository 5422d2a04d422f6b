"""tui.query.conditions: a row is told of once, when it begins to meet a condition."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.model.table import Table
from livetable.tui.query.conditions import Watch
from tests.tui.tables import prices, table_of


def told(watch: Watch, table: Table) -> list[str]:
    return [table.name_of(row) for row in watch.check(table).tolist()]


def test_a_row_is_told_of_when_it_begins() -> None:
    watch = Watch("price > 10")
    assert told(watch, prices(a=5, b=11)) == ["b"]
    assert told(watch, prices(a=12, b=13)) == ["a"]
    assert told(watch, prices(b=9, a=12)) == []
    assert told(watch, prices(a=12, b=11)) == ["b"]
    assert told(watch, prices(c=11)) == ["c"]
    assert told(watch, prices(a=12, c=11)) == ["a"]  # it was gone


def test_not_again_until_it_came_far_enough_back() -> None:
    watch = Watch("price > 10 until price < 8")
    assert told(watch, prices(a=11)) == ["a"]
    for price in (9, 11, 8, 12):
        assert told(watch, prices(a=price)) == []
    assert told(watch, prices(a=7)) == []
    assert told(watch, prices(a=11)) == ["a"]


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), min_size=1)))
def test_against_a_plain_reckoning(states: list[dict[str, int]]) -> None:
    watch, on = Watch("price > 2 until price < 1"), set[str]()
    for state in states:
        begins = {key for key, price in state.items() if price > 2} - on
        assert set(told(watch, prices(**state))) == begins
        on = {key for key in on | begins if key in state and state[key] >= 1}


def test_rows_without_a_key_are_told_apart_by_place() -> None:
    watch = Watch("x > 1")
    assert watch.check(table_of(pd.DataFrame({"x": [0, 2]}))).tolist() == [1]
    assert watch.check(table_of(pd.DataFrame({"x": [2, 2]}))).tolist() == [0]


def test_a_key_that_is_nan_is_told_of_once() -> None:
    watch = Watch("v > 1")
    for expected in (1, 0, 0):
        table = table_of(pd.DataFrame({"id": [float("nan"), 1.0], "v": [2, 0]}), "id")
        assert len(watch.check(table)) == expected


def test_until_in_quotes_is_text() -> None:
    assert Watch("s == 'x until y' until `a until b` > 1").conditions == (
        "s == 'x until y'", "`a until b` > 1",
    )  # fmt: skip
    assert Watch("s == 'x until y'").conditions == ("s == 'x until y'", None)
