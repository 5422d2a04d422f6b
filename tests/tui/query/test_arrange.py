"""livetable.tui.query.sort, arrange, contains and search: pure, against plain Python."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.rows.values import Arrays
from livetable.tui.model.table import Column, Table
from livetable.tui.query.arrange import (
    PLAIN,
    Arranged,
    Arrangement,
    Mode,
    SortKey,
    arrange,
    check_filter,
    equals_filter,
    filter_mask,
    is_expression,
    sorted_by,
    with_filter,
)
from livetable.tui.query.expression import BadExpression
from livetable.tui.query.find import Matches
from livetable.tui.query.sort import NotSortable, Sortable
from livetable.tui.query.text_match import containing
from livetable.tui.text.column_format import ColumnFormat
from livetable.tui.text.column_style import ColumnStyle, NumberForm
from tests.tui.model.states import states
from tests.tui.tables import Line, table_of


def shown(done: Arranged, title: str = "id") -> list[Any]:
    table = done.table
    column = table.column_at((title, 0))
    assert column is not None
    return list(table.window(column, 0, table.rows).to_pylist())


def by(title: str, descending: bool = False) -> SortKey:
    return SortKey((title, 0), descending)


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


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


FRAME = pd.DataFrame(
    {
        "id": list("abcdef"),
        "sector": ["x", "y", None, "x", "y", "x"],
        "price": [3.0, 1.0, math.nan, 2.0, 2.0, 9.5],
        "n": pd.array([1, 2, 3, 4, 5, 60], dtype="Int64"),
    }
)
TABLE = table_of(FRAME, "id")


def test_by_one_column_and_by_several() -> None:
    assert shown(arrange(TABLE, PLAIN)) == list("abcdef")
    assert shown(arrange(TABLE, Arrangement(sort=(by("price"),)))) == list("bdeafc")
    assert shown(arrange(TABLE, Arrangement(sort=(by("price", True),)))) == list("fadebc")
    both = Arrangement(sort=(by("sector", True), by("price")))
    assert shown(arrange(TABLE, both)) == list("bedafc")


def test_filters_stack() -> None:
    one = with_filter(PLAIN, "price >= 2")
    assert shown(arrange(TABLE, one)) == list("adef")
    two = with_filter(one, "x")
    assert shown(arrange(TABLE, two)) == list("adf")
    done = arrange(TABLE, replace(two, sort=(by("price", True),)))
    assert shown(done) == list("fad")
    assert (done.table.rows, done.table.frame_rows) == (3, 6)
    assert shown(arrange(done.table, PLAIN)) == list("abcdef")
    assert shown(arrange(done.table, one)) == list("adef")


def test_what_can_not_be_done_is_told_and_left_out() -> None:
    chosen = Arrangement(sort=(by("gone"), by("price")), filters=("gone > 1", "n < 5"))
    done = arrange(TABLE, chosen)
    assert shown(done) == list("bdac")
    assert len(done.problems) == 2
    assert all("gone" in problem for problem in done.problems)
    nested = table_of(pd.DataFrame({"id": [2, 1], "l": [[1], [2]]}), "id")
    done = arrange(nested, Arrangement(sort=(by("l"),)))
    assert shown(done) == [2, 1]
    assert "no order" in done.problems[0]


def changed(ids: str, prices: list[float]) -> Table:
    return table_of(pd.DataFrame({"id": list(ids), "price": prices}), "id")


def test_a_live_order_moves_and_a_held_one_stays() -> None:
    live = Arrangement(sort=(by("price"),))
    first = changed("abc", [3, 1, 2])
    later = changed("dabc", [0, 1, 2, 3])
    before = arrange(first, live)
    assert shown(before) == list("bca")
    assert shown(arrange(later, live, before)) == list("dabc")
    held = replace(live, mode=Mode.HELD)
    assert shown(arrange(first, held, before)) == list("bca")
    kept = arrange(later, held, before)
    assert shown(kept) == list("bcad")  # the newcomer at the end
    assert shown(arrange(changed("ca", [5, 6]), held, kept)) == list("ca")
    assert shown(arrange(changed("ab", [1, 2]), held, kept)) == list("ba")
    twice = changed("aab", [1, 2, 3])
    assert sorted(shown(arrange(twice, held, kept))) == list("aab")
    # What is filtered out keeps its place for when the filter goes.
    narrow = arrange(later, with_filter(held, "price > 1"), kept)
    assert shown(narrow) == list("bc")
    assert shown(arrange(later, held, narrow)) == list("bcad")


def test_sorted_once_sorts_again_when_asked() -> None:
    once = Arrangement(sort=(by("price"),), mode=Mode.ONCE, asked=1)
    before = arrange(changed("abc", [3, 1, 2]), once)
    later = changed("abc", [1, 2, 3])
    assert shown(arrange(later, once, before)) == list("bca")
    assert shown(arrange(later, replace(once, asked=2), before)) == list("abc")


def test_rows_without_a_key_are_held_by_position() -> None:
    held = Arrangement(sort=(by("price"),), mode=Mode.HELD)
    before = arrange(table_of(pd.DataFrame({"price": [3, 1, 2]})), held)
    after = arrange(table_of(pd.DataFrame({"price": [7, 9, 8, 0]})), held, before)
    assert shown(after, "price") == [9, 8, 7, 0]
    fewer = arrange(table_of(pd.DataFrame({"price": [7, 9]})), held, before)
    assert shown(fewer, "price") == [9, 7]
    keyed = arrange(changed("ab", [2, 1]), held, before)
    assert shown(keyed, "price") == [1, 2]


def test_rows_with_several_keys_are_held() -> None:
    def table(rows: list[tuple[str | None, int, int]]) -> Table:
        return table_of(pd.DataFrame(rows, columns=["a", "b", "v"]), "a", "b")

    held = Arrangement(sort=(by("v"),), mode=Mode.HELD)
    before = arrange(table([("x", 1, 3), ("x", 2, 1), (None, 1, 2)]), held)
    assert shown(before, "v") == [1, 2, 3]
    after = arrange(table([(None, 1, 9), ("x", 1, 8), ("x", 2, 7)]), held, before)
    assert shown(after, "v") == [7, 9, 8]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=15),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=15),
    st.sampled_from(Mode),
)
def test_every_row_is_shown_once(
    first: list[tuple[int, int]], later: list[tuple[int, int]], mode: Mode
) -> None:
    chosen = Arrangement(sort=(by("v"),), mode=mode)
    before = None
    for rows in (first, later, first):
        frame = pd.DataFrame(rows, columns=["id", "v"])
        before = arrange(table_of(frame, "id"), chosen, before)
        table = before.table
        assert table.order is not None
        assert sorted(table.order) == list(range(len(rows)))
        if mode is Mode.LIVE:
            assert shown(before, "v") == sorted(v for _, v in rows)


def test_sort_keys_up_down_and_off() -> None:
    a, b = ("a", 0), ("b", 0)
    chosen = sorted_by(PLAIN, a)
    assert chosen.sort == (SortKey(a),)
    chosen = sorted_by(chosen, b, further=True)
    assert chosen.sort == (SortKey(a), SortKey(b))
    chosen = sorted_by(chosen, a, further=True)
    assert chosen.sort == (SortKey(a, True), SortKey(b))
    assert sorted_by(chosen, a, further=True).sort == (SortKey(b),)
    assert sorted_by(chosen, b).sort == (SortKey(b),)
    assert sorted_by(sorted_by(PLAIN, a), a).sort == (SortKey(a, True),)
    assert sorted_by(sorted_by(sorted_by(PLAIN, a), a), a).is_plain


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("tech", False), ("a b", False), ("a-1", False), ("price > 1", True), ("not on", True),
     ("'a > b'", False), ('"a > b', False), ("'a' in sector", True), ("on()", True)],
)  # fmt: skip
def test_what_is_an_expression(text: str, is_one: bool) -> None:
    assert is_expression(text) is is_one
    check_filter("any text", ())


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("s is None", True), ("s is\tnot  None", True), ("None is s", True), ("b is True", True),
     ("s is  1", True), ("my column is 1", True), ("this is it", False), ("is", False)],
)  # fmt: skip
def test_is_is_an_operator_of_columns(text: str, is_one: bool) -> None:
    assert is_expression(text, ("s", "my column")) is is_one


def test_a_wrong_filter_is_told_before_it_is_used() -> None:
    with pytest.raises(BadExpression):
        check_filter("nope > 1", TABLE.titles)


@pytest.mark.parametrize(
    "values",
    [
        [1.5, math.nan, None, 2.0], [1, 2, 3, None], ["a'b", 'q"', None, ""], [True, False, None],
        [datetime.datetime(2026, 1, 1, 12), datetime.datetime(2026, 1, 2), None],
        [Decimal("1.50"), Decimal("2.00"), None],
    ],
)  # fmt: skip
def test_filter_by_a_cell_finds_its_row(values: list[Any]) -> None:
    array = pa.array(values, from_pandas=False)
    base = table_of(pd.DataFrame({"a b": range(len(values))}))
    table = replace(base, sources=Arrays([array]), _source_types=(array.type,))
    for row in range(len(values)):
        done = arrange(table, with_filter(PLAIN, str(equals_filter(table, 1, row))))
        assert not done.problems
        assert done.table.order is not None
        assert row in done.table.order
        assert len(done.table.order) == 1 or values[row] is None or is_nan(values[row])


@pytest.mark.parametrize(
    ("word", "values", "rows"),
    [
        ("TE", pa.array(["tech", "Fate", None, "x"]), [0, 1]),
        ("te", pa.array(["tech", "x", None, "tech"]).dictionary_encode(), [0, 3]),
        ("te", pa.array([None, None], type=pa.dictionary(pa.int8(), pa.string())), []),
        ("te", pa.array([None], type=pa.dictionary(pa.int8(), pa.int8())), []),
        ("te", pa.array([1, 2]), []),
        ("te", pa.array([1, 2]).dictionary_encode(), []),
        ("2.0", pa.array([1.0, 2.0, None, 12.05]), [1, 3]),
        ("1", pa.array([1, 21, 3]), [0, 1]),
        ("1.", pa.array([1.5, 21.25, 3]), [0, 1]),
        ("rue", pa.array([True, False, None]), [0]),
        ("e", pa.array([True, False, None]), [0, 1]),
        ("x", pa.array([True, False]), []),
        ("2026-01", pa.array([datetime.date(2026, 1, 3), datetime.date(2025, 1, 3)]), [0]),
        ("may", pa.array([datetime.date(2026, 1, 3)]), []),
        ("1.5", pa.array([Decimal("1.5"), Decimal("2.5")]), [0]),
        ("'a'", pa.array([["a"], ["b"]]), [0]),
    ],
)
def test_which_rows_contain_a_text(word: str, values: pa.Array, rows: list[int]) -> None:
    mask = containing(word, (Column("c", values), Column("i", None)), len(values))
    assert list(np.flatnonzero(mask)) == rows


def test_the_next_match_and_the_one_before() -> None:
    table = arrange(TABLE, Arrangement(sort=(by("id", True),))).table  # f e d c b a
    assert Matches(table, "x").find((0, 0), 0) == (0, 1)
    assert Matches(table, "x").find((0, 1), 0) == (0, 1)
    assert Matches(table, "x").find((0, 1), 1) == (2, 1)
    assert Matches(table, "x").find((5, 1), 1) == (0, 1)  # round the end
    assert Matches(table, "x").find((2, 0), -1) == (0, 1)
    assert Matches(table, "x").find((0, 1), 3) == (0, 1)
    assert Matches(table, "x").find((2, 3), -2) == (0, 1)
    assert Matches(table, "x").find((2, 3), -1) == (2, 1)
    assert Matches(table, "x").find((0, 0), -1) == (5, 1)
    assert Matches(table, "2").find((0, 0), 1) == (1, 2)
    assert Matches(table, "2", 3).find((0, 0), 1) == (4, 3)
    assert Matches(table, "nothing").find((0, 0), 1) is None
    hidden = arrange(TABLE, with_filter(PLAIN, "sector == 'y'")).table
    assert Matches(hidden, "x").find((0, 0), 1) is None
    counted = table_of(pd.DataFrame({"v": ["p", "q"]}, index=pd.RangeIndex(70, 72)))
    assert Matches(counted, "71").find((0, 0), 1) == (1, 0)


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


@pytest.mark.parametrize(
    ("values", "word", "rows"),
    [
        (pd.to_timedelta(["1h", "2D"]), "01:00:00", [0]),
        (pd.to_timedelta(["1h", "2D"]), "36", []),
        (pd.to_datetime(["2026-01-01"] * 2).tz_localize("Europe/Berlin"), "+01:00", [0, 1]),
        (pd.to_datetime(["1890-01-01"]).tz_localize("Europe/Berlin"), "+00:53:28", [0]),
        ([112.0, 0.125], "12.000", [0]),
        ([2**53 + 1, 2**53], str(2**53 + 1), [0]),
        ([2**64 + 1, 5], "1617", [0]),
        ([math.inf, 1.0], "∞", [0]),
    ],
)
def test_search_finds_what_the_screen_shows(values: Any, word: str, rows: list[int]) -> None:
    table = table_of(pd.DataFrame({"v": values}))
    column = Column("v", table.values_at(table.titles.index("v")))
    assert np.flatnonzero(containing(word, (column,), table.rows)).tolist() == rows


def test_search_finds_numbers_as_they_are_written() -> None:
    table = table_of(pd.DataFrame({"v": [1_234_567, 5]}))
    form = ColumnFormat(pa.int64(), ColumnStyle(form=NumberForm.THOUSANDS))
    assert Matches(table, "1,234", None, lambda at: form).find((0, 0), 0) == (0, 1)
    assert Matches(table, "1,234").find((0, 0), 0) is None


@pytest.mark.parametrize("keyed", [True, False])
def test_a_held_order_follows_rows_that_move(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    held = replace(sorted_by(PLAIN, ("x", 0)), mode=Mode.HELD)
    held = sorted_by(held, ("x", 0))  # descending
    first = arrange(before, held)
    assert first.table.window(1, 0, 6).to_pylist() == [2.5, 2.0, 1.5, 1.0, 0.5, 0.0]
    then = arrange(after, held, first)
    assert then.table.window(1, 0, 5).to_pylist() == [2.5, 9.0, 1.0, 0.5, 0.5]
