"""tui.query.sort: the order of any values, stable, with missing ones last."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arrangement, SortKey, arrange, filter_mask
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.sort import NotSortable, Sortable
from tests.tui.query.tables import is_nan
from tests.tui.tables import Line, table_of


def in_order(values: list[Any], descending: bool) -> list[int]:
    """Return row numbers as a person would order the values: stable, NaN and None last."""
    rows = [at for at, value in enumerate(values) if value is not None and not is_nan(value)]
    rows.sort(key=lambda at: values[at], reverse=descending)
    nan = [at for at, value in enumerate(values) if is_nan(value)]
    return rows + nan + [at for at, value in enumerate(values) if value is None]


TYPES = {
    pa.float64(): st.floats(),
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    pa.uint64(): st.integers(0, 2**64 - 1) | st.integers(0, 3),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(alphabet="abé中", max_size=3),
    pa.large_string(): st.text(alphabet="ab", max_size=2),
    pa.timestamp("us"): st.datetimes(),
    pa.date32(): st.dates(),
    pa.decimal128(20, 2): st.integers(-500, 500).map(lambda n: Decimal(n) / 100),
    pa.binary(): st.binary(max_size=2),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from("xyz"),
}


@given(st.data(), st.booleans())
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_the_order_of_any_values(kind: pa.DataType, data: st.DataObject, descending: bool) -> None:
    values = data.draw(st.lists(st.none() | TYPES[kind], max_size=12))
    cut = data.draw(st.integers(0, len(values)))
    array = pa.array(values, type=kind, from_pandas=False).slice(cut)
    order = Sortable(array).sort(np.arange(len(array)), descending=descending)
    assert list(order) == in_order(values[cut:], descending)


def test_many_texts_take_the_fast_way_to_the_same_order() -> None:
    few = [f"k{n * 7919 % 40}" for n in range(3000)]
    many = [f"k{n * 7919 % 3000}" for n in range(3000)]
    for values in (few, many, [*few, None]):
        order = Sortable(pa.array(values)).sort(np.arange(len(values)), descending=False)
        assert list(order) == in_order(values, False)


def test_mixed_values_are_ordered_by_size_then_as_text() -> None:
    values = ["10", "9", "x", None, "-1.5", "a", " 2", "1e3", "nan"]
    order = Sortable(pa.array(values), mixed=True).sort(np.arange(len(values)), descending=False)
    assert [values[at] for at in order] == ["-1.5", " 2", "9", "10", "1e3", "a", "nan", "x", None]
    texts = pa.array(["b", "a"])
    assert list(Sortable(texts, mixed=True).sort(np.arange(2), descending=False)) == [1, 0]


def test_what_has_no_order() -> None:
    with pytest.raises(NotSortable):
        Sortable(pa.array([[1], [2]]))
    with pytest.raises(NotSortable):
        Sortable(pa.array([None, None], type=pa.month_day_nano_interval()))


def ordered(table: Table, title: str, **chosen: Any) -> list[Any]:
    """Return a column's values in its order."""
    done = arrange(table, Arrangement(sort=(SortKey((title, 0)),), **chosen))
    assert done.problems == ()
    found: list[Any] = done.table.window(table.titles.index(title), 0, table.rows).to_pylist()
    return found


def test_categories_have_their_own_order_also_after_rows_changed() -> None:
    order = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"id": range(4), "g": ["high", "low", None, "mid"]}).astype({"g": order})
    line = Line("id")
    tables = [line.table(frame, [0, 1, 2, 3])]
    frame = frame.assign(g=pd.Series(["mid", "low", None, "high"]).astype(order))
    tables.append(line.table(frame, [0, 1, 2, 3]))
    assert line.deltas == 1
    for table, above in zip(tables, ([0, 3], [0, 3]), strict=True):
        assert ordered(table, "g") == ["low", "mid", "high", None]
        assert np.flatnonzero(filter_mask(table, "g > 'low'")).tolist() == above
        assert np.flatnonzero(filter_mask(table, "g == 'low'")).tolist() == [1]
        with pytest.raises(BadExpression, match="no category 'huge'"):
            filter_mask(table, "g > 'huge'")
    polars = pl.DataFrame(
        {"e": pl.Series(["high", "low", None], dtype=pl.Enum(["low", "mid", "high"])),
         "c": pl.Series(["b", "a", None], dtype=pl.Categorical), "n": [None, None, None]}
    )  # fmt: skip
    assert ordered(table_of(polars), "e") == ["low", "high", None]
    assert ordered(table_of(polars), "c") == ["a", "b", None]
    assert ordered(table_of(polars), "n") == [None, None, None]


def test_natural_order() -> None:
    texts = ["item10", "item2", None, "10", "9", "item", "a2b10", "a2b9"]
    table = table_of(pd.DataFrame({"s": texts}))
    assert ordered(table, "s", natural=True) == [
        "9", "10", "a2b9", "a2b10", "item", "item2", "item10", None,
    ]  # fmt: skip
    assert ordered(table, "s") == [*sorted(filter(None, texts)), None]


def test_large_numbers_among_texts_are_ordered_by_all_of_their_digits() -> None:
    values = pa.array([str(2**53 + 1), str(2**53), "x", "1e3"])
    ranked = Sortable(values, mixed=True).sort(np.arange(4), descending=False)
    assert ranked.tolist() == [3, 1, 0, 2]
