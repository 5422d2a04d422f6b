"""tui.query.group: rows by groups, and what they come to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arrangement, Mode, SortKey, arrange
from livetable.tui.query.group import column_of, grouped, total_of
from livetable.tui.text.column_format import ColumnFormat
from tests.tui.query.tables import DEAL_TABLE as TABLE
from tests.tui.query.tables import DEALS as FRAME
from tests.tui.tables import table_of
from tests.ugly import ugly_frames

SECTOR, SIDE = ("sector", 0), ("side", 0)


def group(table: Table, *groups: Any, totals: Any = (), **more: Any) -> Table:
    chosen = Arrangement(groups=groups, totals=totals, **more)
    done = arrange(table, chosen)
    assert done.problems == ()
    return done.table


def column(table: Table, title: str) -> list[Any]:
    at = table.column_at((title, 0))
    assert at is not None, table.titles
    found: list[Any] = table.window(at, 0, table.rows).to_pylist()
    return found


def test_groups_in_the_order_they_come() -> None:
    table = group(TABLE, SECTOR)
    assert table.titles == (
        "sector", "rows", "sum(id)", "last(side)", "mean(price)", "sum(size)",
    )  # fmt: skip
    assert column(table, "sector") == ["tech", "energy", None]
    assert column(table, "rows") == [3, 2, 1]
    assert column(table, "sum(size)") == [10, 7, 4]
    assert column(table, "last(side)") == ["s", "s", "b"]
    assert table.identities(0, 3) == [("tech",), ("energy",), (None,)]
    assert table.fixed == 1
    assert table.shape == (3, 5)


def test_groups_by_several_columns_filtered_sorted_and_held() -> None:
    totals = ((("size", 0), "mean"), (("side", 0), "sum"), (("id", 0), "count"))
    chosen = Arrangement(
        groups=(SECTOR, SIDE),
        filters=("size > 1",),
        sort=(SortKey(("mean(size)", 0), descending=True),),
        totals=totals,
    )
    done = arrange(TABLE, chosen)
    assert column(done.table, "sector") == ["tech", None, "energy", "tech"]
    assert column(done.table, "mean(size)") == [6, 4, 3.5, 3]
    assert column(done.table, "count(id)") == [1, 1, 2, 1]
    moved = table_of(FRAME.assign(size=[9, 9, 0, 9, 9, 2]), "id")
    again = arrange(moved, replace(chosen, mode=Mode.HELD), done)
    assert column(again.table, "sector") == ["tech", None, "energy", "tech"]
    assert column(again.table, "mean(size)") == [2, 9, 9, 9]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-50, 50))))
def test_groups_are_those_of_pandas(rows: list[tuple[str, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["k", "v"]).astype({"v": "int64"})
    table = group(table_of(frame), ("k", 0))
    expected = frame.groupby("k", sort=False)["v"].agg(["size", "sum"])
    assert column(table, "k") == list(expected.index)
    if rows:
        assert column(table, "rows") == list(expected["size"])
        assert column(table, "sum(v)") == list(expected["sum"])


def test_groups_that_cant_be() -> None:
    gone = arrange(TABLE, Arrangement(groups=(("gone", 0),)))
    assert gone.problems == ("Can't group: no column 'gone' now",)
    assert gone.table.rows == 6
    lists = arrange(table_of(pd.DataFrame({"a": [[1], [2]]})), Arrangement(groups=(("a", 0),)))
    assert lists.problems == ("Can't group by lists or dicts",)
    for frame in ugly_frames().values():
        table = table_of(frame)
        for ref in table.refs[:6]:
            arrange(table, Arrangement(groups=(ref,)))


def test_which_totals_there_are() -> None:
    kinds = TABLE.types
    assert total_of(kinds[4], None) == "sum"
    assert [total_of(kinds[3], wanted) for wanted in (None, "mean", "min")] == [
        "mean",
        "mean",
        "min",
    ]
    assert [total_of(kinds[2], wanted) for wanted in (None, "mean", "min", "count")] == [
        "last", "last", "last", "count",
    ]  # fmt: skip
    assert column_of(TABLE, ("mean(price)", 0)) == (("price", 0), "mean")
    assert column_of(TABLE, ("rows", 0)) is None
    assert column_of(TABLE, ("sum(none)", 0)) is None


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64()])
def test_sums_of_large_whole_numbers_do_not_go_round(kind: pa.DataType) -> None:
    values = [10**18 + 1] * 20
    table = table_of(pa.table({"by": ["x"] * 20, "n": pa.array(values, kind)}))
    at = table.titles.index("by")
    shown = grouped(table, (table.refs[at],), {}, None, [])
    form = ColumnFormat(shown.types[-1])
    assert form.texts(form.values(shown.window(len(shown.titles) - 1, 0, 1))) == [str(sum(values))]


def test_groups_keep_their_places() -> None:
    keys = [(number * 7919) % 1009 for number in range(1000)]
    table = table_of(pd.DataFrame({"k": keys, "v": range(1000)}))
    assert column(group(table, ("k", 0)), "k") == list(dict.fromkeys(keys))
    more = table_of(pd.DataFrame({"k": [*keys, -1], "v": range(1001)}))
    assert column(group(more, ("k", 0)), "k") == [*dict.fromkeys(keys), -1]
    zeros = table_of(pd.DataFrame({"k": [0.0, -0.0, np.nan, np.nan], "v": range(4)}))
    assert column(group(zeros, ("k", 0)), "rows") == [2, 2]


@pytest.mark.parametrize(
    ("values", "total", "expected"),
    [
        ([10.0, np.nan], "mean", 10.0),
        ([10.0, np.nan], "count", 1),
        ([10.0, np.nan], "sum", 10.0),
        ([10.0, np.nan], "last", 10.0),
        ([np.nan, np.nan], "sum", 0.0),
        ([np.nan, np.nan], "mean", None),
        ([Decimal(1), Decimal(0)], "mean", 0.5),
        ([Decimal("1.00"), Decimal("1.01")], "mean", 1.005),
        ([Decimal("9" * 38)] * 2, "sum", Decimal(2 * (10**38 - 1))),
        ([2**62, 2**62], "sum", Decimal(2**63)),
        ([2**62, 2**62 + 2], "mean", float(2**62)),
        (pd.to_timedelta(["1h", "3h"]), "sum", pd.Timedelta("4h")),
        (pd.to_timedelta(["1h", "3h"]), "mean", pd.Timedelta("2h")),
        (pd.to_timedelta(["1h", "3h"]), "max", pd.Timedelta("3h")),
    ],
)  # fmt: skip
def test_totals(values: Any, total: str, expected: Any) -> None:
    table = table_of(pd.DataFrame({"k": ["a", "a"], "v": values}))
    assert column(group(table, ("k", 0), totals=((("v", 0), total),)), f"{total}(v)") == [expected]
