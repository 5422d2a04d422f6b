"""tui.query.arrange: which rows are shown and in which order, against plain Python."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.rows.values import Arrays
from livetable.tui.model.table import Table
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
from livetable.tui.query.nodes import BadExpression
from tests.tui.model.states import states
from tests.tui.query.tables import SECTOR_TABLE as TABLE
from tests.tui.query.tables import by, is_nan
from tests.tui.tables import table_of


def shown(done: Arranged, title: str = "id") -> list[Any]:
    table = done.table
    column = table.column_at((title, 0))
    assert column is not None
    return list(table.window(column, 0, table.rows).to_pylist())


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


@pytest.mark.parametrize("keyed", [True, False])
def test_a_held_order_follows_rows_that_move(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    held = replace(sorted_by(PLAIN, ("x", 0)), mode=Mode.HELD)
    held = sorted_by(held, ("x", 0))  # descending
    first = arrange(before, held)
    assert first.table.window(1, 0, 6).to_pylist() == [2.5, 2.0, 1.5, 1.0, 0.5, 0.0]
    then = arrange(after, held, first)
    assert then.table.window(1, 0, 5).to_pylist() == [2.5, 9.0, 1.0, 0.5, 0.5]


ARRANGE = """
import sys
import pyarrow as pa
from livetable.feed.arrow.arrays import numbers, texts
from livetable.feed.frames.decoder import Decoded, Labels
from livetable.feed.rows.replica import followed
from livetable.feed.protocol.messages import Position
from livetable.tui.query.arrange import Arrangement, Mode, SortKey, arrange, equals_filter
from livetable.tui.model.table import build
from livetable.tui.query.find import Matches

def check(what):
    if "pandas" in sys.modules:
        print("pandas came with", what)
        sys.modules.pop("pandas")

whole = numbers([3, 1, None], "int64")
columns = (
    texts(["b", "a", None]), numbers([1.0, None, 3.0], "float64"), whole,
    texts(["x", "y", "x"]).dictionary_encode(), whole.cast(pa.timestamp("ms")),
    numbers([1, 0, 1], "int64").cast(pa.bool_()),
)
labels = Labels(tuple("ifndtb"), (None,), (None,), (0, 1), ("",) * 6, frozenset())
kinds = tuple(one.type for one in columns)
table = build(followed(Decoded(labels, (), columns, 3, kinds)), ("i",), Position("e", 1))
for column in table.refs:
    for mode in Mode:
        held = Arrangement(sort=(SortKey(column, descending=True),), mode=mode)
        done = arrange(table, held, arrange(table.select(["i", "n"]), held))
        assert not done.problems, done.problems
    check(column)
for text in (
    "f > 1", "n == 2 and b", "i == 'a'", "d in ['x']", "x", "2", "t > '1970-01-01'", "f.isna()",
    "abs(f) > 1", "round(f, 1) == 3", "i.str.contains('a')", "not b", "f / n > 1", "n // 2 == 1",
    "'a' in i", "match(i, 'a')", "i + 'x' == 'ax'", "n % 2 == 1", "f == None", "between(n, 1, 2)",
):
    done = arrange(table, Arrangement(filters=(text,)))
    assert not done.problems, done.problems
    check(text)
for column in range(6):
    equals_filter(table, column, 0)
Matches(done.table, "x").find((0, 0), 1)
table.find(table, 1, 0)
done.table.identities(0, done.table.rows)
check("the rest")
"""


def test_arranging_loads_no_pandas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ARRANGE], capture_output=True, text=True, timeout=50
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_a_word_alone_is_a_column_of_true_and_false() -> None:
    table = table_of(pd.DataFrame({"done": [True, False], "s": ["x", "done"], "n": [1, 2]}))
    assert filter_mask(table, "done").tolist() == [True, False]
    assert filter_mask(table, "'done'").tolist() == [False, True]
    assert filter_mask(table, "n").tolist() == [False, True]  # a text: in "done"
