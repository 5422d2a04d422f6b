"""tui.query.computed: columns that are worked out from others, their types and their troubles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.tui.query.column_choice import (
    AS_IT_CAME,
    ColumnChoice,
    Computed,
    dressed,
    problems_of,
    troubles_of,
    with_computed,
)
from livetable.tui.query.row_match import changed_rows
from tests.tui.query.tables import QUOTE_TABLE as TABLE
from tests.tui.query.tables import change, computed, past_of, values
from tests.tui.tables import table_of


def test_what_cant_be_worked_out_is_told_and_left_out() -> None:
    choice = computed(("x", "gone + 1"), ("y", "bid +"), ("five", "5"), ("bad", "id * 2"))
    table = with_computed(TABLE, choice)
    assert table.titles == ("id", "bid", "ask", "five", "bad")
    assert values(table, "five") == [5, 5, 5]
    assert values(table, "bad") == [None, None, None]
    problems = problems_of(table.select(["id"]).undressed, choice)
    assert problems[0] == "x: No column 'gone'"
    assert len(problems) == 2
    assert with_computed(TABLE, AS_IT_CAME) is TABLE


def test_a_column_keeps_its_type_without_what_it_is_made_of() -> None:
    choice = replace(computed(("twice", "bid * 2")), hidden=frozenset({("bid", 0)}))
    table = dressed(with_computed(TABLE, choice), choice)
    assert str(table.types[table.refs.index(("twice", 0))]) == "double"
    few = with_computed(TABLE.select(["ask"]), choice)
    assert str(few.types[-1]) == "double"


D = Decimal


@pytest.mark.parametrize(
    ("then", "now", "d", "pct"),
    [
        ([D("9.99")], [D("10.01")], D("0.02"), 0.02 / 9.99),
        ([D("10.01")], [D("9.99")], D("-0.02"), -0.02 / 10.01),
        ([D("9.9")], [D("10.01")], D("0.11"), 0.11 / 9.9),
        ([5], [5.5], 0.5, 0.1),
        ([5.5], [6], 0.5, 0.5 / 5.5),
        (np.array([1 << 30], "int32"), np.array([1 << 40]), (1 << 40) - (1 << 30), 1023.0),
        (np.array([1 << 40]), np.array([1], "int8"), 1 - (1 << 40), (1 - 2**40) / 2**40),
        ([1 << 62], [1 << 64], 3 << 62, 3.0),
        ([1 << 64], [1 << 62], -(3 << 62), -0.75),
        (np.array([5], "uint8"), np.array([3], "float32"), -2.0, -0.4),
    ],
)
def test_changes_between_types(then: Any, now: Any, d: Any, pct: float) -> None:
    frames = [pd.DataFrame({"id": ["a"], "v": one}) for one in (then, now)]
    if isinstance(then, list) and isinstance(d, int):
        frames = [frame.astype({"v": object}) for frame in frames]
    assert change("d(v)", *frames) == [d]
    assert change("was(v)", *frames) == [then[0]]
    assert change("pct(v)", *frames) == [pytest.approx(pct)]
    assert change("d(v) == 0", *frames) == [False]
    assert changed_rows(past_of(*frames[::-1]), past_of(*frames)).tolist() == [0]
    assert changed_rows(past_of(frames[0]), past_of(frames[0])).tolist() == []


def test_changes_between_units_of_time_and_kinds_of_text() -> None:
    moments = pd.Series(pd.to_datetime(["2026-01-01 00:00:01"]))
    seconds = pd.DataFrame({"v": moments.astype("datetime64[s]")})
    nanos = pd.DataFrame({"v": (moments + pd.Timedelta("1ns")).astype("datetime64[ns]")})
    for then, now, size in ((seconds, nanos, 1), (nanos, seconds, -1)):
        found = change("d(v)", then, now, key=None)
        assert [one.value for one in found] == [size]
        assert change("d(v) == '0s'", then, now, key=None) == [False]
        assert change("was(v) == v", then, now, key=None) == [False]
    same = nanos.assign(v=moments.astype("datetime64[ns]"))
    assert changed_rows(past_of(same, key=None), past_of(seconds, key=None)).tolist() == []
    text, kind = pd.DataFrame({"v": ["a"]}), pd.DataFrame({"v": pd.Categorical(["b"])})
    assert change("was(v)", text, kind, key=None) == ["a"]
    assert change("was(v)", kind, text, key=None) == ["b"]


@pytest.mark.parametrize("text", ["pct(t)", "rate(t)", "d(s)", "d(d(v))"])
def test_changes_that_mean_nothing(text: str) -> None:
    frame = pd.DataFrame({"v": [1], "s": ["x"], "t": pd.to_datetime(["2026-01-01"])})
    assert change(text, frame, frame, key=None) == [None]


def test_what_cant_be_worked_out_of_some_numbers_is_told() -> None:
    table = table_of(pd.DataFrame({"n": [10, 2**53 + 2, 2**62]}))
    choice = ColumnChoice(computed=(Computed("half", "n / 2"), Computed("many", "n * 2000")))
    shown = dressed(with_computed(table, choice), choice)
    half, many = (shown.titles.index(title) for title in ("half", "many"))
    assert shown.window(half, 0, 3).to_pylist() == [5.0, 2.0**52 + 1, 2.0**61]
    assert shown.window(many, 0, 1).to_pylist() == [20_000]
    assert shown.window(many, 0, 3).to_pylist() == [20_000, None, None]
    assert [one.partition(":")[0] for one in troubles_of(shown)] == ["many"]
    assert shown.window(many, 0, 1).to_pylist() == [20_000]
    assert troubles_of(shown) == []
