"""tui.query.table_columns: what rows hold, and what they held before."""

from __future__ import annotations

import pandas as pd

from tests.tui.query.tables import change


def test_changes_are_told_by_row() -> None:
    then = pd.DataFrame({"id": ["a", "b", "c"], "v": [1, 2, 4]})
    now = pd.DataFrame({"id": ["c", "a", "d"], "v": [5, 1, 9]})
    assert change("d(v)", then, now) == [1, 0, None]
    assert change("was(v)", then, now) == [4, 1, None]
    assert change("pct(v)", then, now) == [0.25, 0.0, None]
    assert change("rate(v)", then, now) == [0.5, 0.0, None]
    assert change("d(v) > 0 or v == 9", then, now) == [True, False, True]
    assert change("d(v)", now) == [None, None, None]
    assert change("d(v)", then, then) == [0, 0, 0]
    assert change("d(v)", then.drop(columns="v"), then) == [None] * 3
    assert change("d(v)", then.assign(v="x"), then) == [None] * 3
    assert change("d(v)", then.assign(id=[1, 2, 3]), then) == [None] * 3


def test_changes_since_some_time_and_since_the_mark() -> None:
    frames = [pd.DataFrame({"id": ["a"], "v": [value]}) for value in (1, 10, 100)]
    assert change("d(v, 2)", *frames) == [90]
    assert change("d(v, 4)", *frames) == [99]
    assert change("d(v, 3)", *frames) == [99]
    assert change("rate(v, 4)", *frames) == [99 / 4]
    assert change("d(v, 5)", *frames) == [None]
    assert change("d(v, mark)", *frames) == [None]
    assert change("d(v, mark)", *frames, mark=0) == [99]


def test_changes_by_position_and_of_times() -> None:
    then = pd.DataFrame({"v": [1.5, 2.0], "t": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    now = pd.DataFrame(
        {"v": [2.0, 2.0, 7.0], "t": pd.to_datetime(["2026-01-03", "2026-01-02", "2026-01-02"])}
    )
    assert change("d(v)", then, now, key=None) == [0.5, 0.0, None]
    days = change("d(t)", then, now, key=None)
    assert [None if one is None else one.days for one in days] == [2, 0, None]
    unsigned = pd.DataFrame({"v": pd.Series([3, 5], dtype="uint8")})
    lower = pd.DataFrame({"v": pd.Series([1, 7], dtype="uint8")})
    assert change("d(v)", unsigned, lower, key=None) == [-2, 2]
