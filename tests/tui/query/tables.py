"""Tables that several tests of queries ask, and what they ask them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.query.arrange import SortKey, filter_mask
from livetable.tui.query.column_choice import AS_IT_CAME, Computed, with_computed
from tests.tui.tables import table_of


def by(title: str, descending: bool = False) -> SortKey:
    return SortKey((title, 0), descending)


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


SECTORS = pd.DataFrame(
    {
        "id": list("abcdef"),
        "sector": ["x", "y", None, "x", "y", "x"],
        "price": [3.0, 1.0, math.nan, 2.0, 2.0, 9.5],
        "n": pd.array([1, 2, 3, 4, 5, 60], dtype="Int64"),
    }
)


SECTOR_TABLE = table_of(SECTORS, "id")


MIXED = pd.DataFrame(
    {
        "price": [3.0, 1.0, math.nan, 2.0, -5.5],
        "n": [1, 2, 3, 4, 5],
        "sector": ["tech", "Energy", None, "tech", "a b"],
        "on": [True, False, True, True, False],
        "cpu %": [10, 20, 30, 40, 50],
        "when": pd.to_datetime(
            ["2026-01-01", "2026-01-02 12:00", "", "2026-02-01", "2026-03-01"], format="ISO8601"
        ),
        "kind": pd.Categorical(["x", "y", "x", None, "y"]),
        "class": [1, 2, 3, 4, 5],
    }
)


MIXED_TABLE = table_of(MIXED)


DEALS = pd.DataFrame(
    {
        "id": range(6),
        "sector": ["tech", "energy", "tech", None, "energy", "tech"],
        "side": list("bsbbss"),
        "price": [1.0, 2.0, 3.0, 4.0, np.nan, 6.0],
        "size": [1, 2, 3, 4, 5, 6],
    }
)


DEAL_TABLE = table_of(DEALS, "id")


QUOTES = pd.DataFrame({"id": list("xyz"), "bid": [1.0, 2.0, 3.0], "ask": [2.0, 4.0, 8.0]})


QUOTE_TABLE = table_of(QUOTES, "id")


def values(table: Table, title: str) -> list[Any]:
    at = table.column_at((title, 0))
    assert at is not None
    assert table.values_at(at).to_pylist() == table.window(at, 0, table.rows).to_pylist()
    found: list[Any] = table.window(at, 0, table.rows).to_pylist()
    return found


def computed(*columns: tuple[str, str]) -> Any:
    return replace(AS_IT_CAME, computed=tuple(Computed(*one) for one in columns))


def past_of(*frames: pd.DataFrame, key: str | None = "id", mark: int | None = None) -> Table:
    history = History()
    for second, frame in enumerate(frames):
        table = table_of(frame, key) if key else table_of(frame)
        history.add(replace(table, sent=second * 2.0, past=history))
    if mark is not None:
        history.marked = history.at(mark)
    return history.at(history.last)


def change(text: str, *frames: pd.DataFrame, **how: Any) -> list[Any]:
    return values(with_computed(past_of(*frames, **how), computed(("x", text))), "x")


def rows(values: Any, text: str) -> list[int]:
    table = table_of(pd.DataFrame({"v": values}))
    return list(map(int, np.flatnonzero(filter_mask(table, text))))
