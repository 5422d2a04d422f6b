"""livetable.tui.query.exact, comparing, calculating and times: no digit is lost on the way."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.arithmetic import calculate
from livetable.tui.query.arrange import filter_mask
from livetable.tui.query.comparison import compare
from livetable.tui.query.evaluate import evaluate
from livetable.tui.query.exact import Exact, Literal, decimals, fitted, scalar, total
from livetable.tui.query.expression import BadExpression, parse, quote, split_names, unquoted
from livetable.tui.text.time_reader import read_moment, read_span, read_time
from tests.tui.tables import table_of


def rows(values: Any, text: str) -> list[int]:
    table = table_of(pd.DataFrame({"v": values}))
    return list(map(int, np.flatnonzero(filter_mask(table, text))))


def made(frame: dict[str, Any], text: str) -> list[Any]:
    """Return an expression's values."""
    table = table_of(pd.DataFrame(frame))
    found: list[Any] = evaluate(parse(text, table.titles), table).to_pylist()
    return found


LARGE = 1_700_000_000_000_000_001


@pytest.mark.parametrize(
    ("values", "text", "expected"),
    [
        ([LARGE, LARGE - 1], "v % 2 == 1", [0]),
        ([LARGE, LARGE - 2], "v // 10**9 == 1700000000", [0]),
        ([2**53 + 1, 2**53], f"v > {2**53}.5", [0]),
        ([2**63 - 1, 1], "v * 4 > 4", [0]),
        ([2**62, 1], "v + v + v > 3", [0]),
        ([-(2**63), 1], "-v > 0", [0]),
        ([-(2**63), 1], "abs(v) == 9223372036854775808", [0]),
        (np.array([2**64 - 1, 5], "uint64"), "v - 10 < 0", [1]),
        (np.array([2**64 - 1, 5], "uint64"), "v > -1", [0, 1]),
        (np.array([127, 1], "int8"), "v + 1 == 128", [0]),
        ([2**64 + 1, 2**64], "v % 2 == 1", [0]),
        ([2**64 + 1, 1], "v * v > 10**38", [0]),
        ([10**75, 1], "v * 100 == 10**77", [0]),
        ([Decimal("0.1"), Decimal("0.3")], "v * 3 == 0.3", [0]),
        ([Decimal("-7.5"), Decimal("7.5")], "v // 2 == -4", [0]),
        ([Decimal("-7.5"), Decimal("7.5")], "v % 2 == 0.5", [0]),
        ([Decimal("9" * 38), Decimal(1)], "v + v > v", [0, 1]),
        ([Decimal("1.1"), Decimal("1.2")], "v in [1.1]", [0]),
        ([1, 0], "1 / v > 100", [1]),
        ([1, 0], "v // 0 > 100", [0]),
        ([1, 0], "v % 0 == 0", []),
        ([1e17, 3.0], "v % 3 == 1", [0]),
        ([-5.0, 5.0], "v % 1e999 == 5", [1]),
        ([-5.0, 5.0], "v // 2 == -3", [0]),
        (np.array([0.1, 0.3], "float32"), "v in [0.1]", [0]),
        (np.array([0.1, 0.3], "float32"), "v * 2 == 0.2", [0]),
        (np.array([0.1, 0.3], "float16"), "v <= 0.1", [0]),
        (np.array([1.0, 2.0], "float32"), "v < 1e300", [0, 1]),
        ([True, False], "v == 1", [0]),
        ([True, False], "v + 1 > 1", [0]),
        ([1.0, None], "v == None", [1]),
        ([1.0, None], "v is not None", [0]),
        (["a", None], "not v.str.startswith('a')", [1]),
        (["a", None], "not v.str.contains('a')", [1]),
        (["a", None], "v.str.contains('a', na=True)", [0, 1]),
        (["a.", "ab"], "v.str.contains('a.', regex=False)", [0]),
        ([0, 1], "sign(v // 0) == 0", []),
        (["Ab", "b"], "v.str.match('a', case=False)", [0]),
        (["ab\n", "b"], "v.str.match('b')", [1]),
        ([None, None], "v == 5", []),
        ([None, None], "v != 5", [0, 1]),
        ([datetime.time(9, 30), datetime.time(10)], "'09:45:00.5' < v", [1]),
        ([datetime.date(2026, 1, 31), datetime.date(2026, 2, 1)], "v >= '2026-02'", [1]),
        ([datetime.date(2026, 1, 31), datetime.date(2026, 2, 1)], "v > '2026-01-31 12:00'", [1]),
        (pd.to_timedelta(["1h", "1h30m"]), "v * 2 > '2h'", [1]),
        (pd.to_timedelta(["1h", "1h30m"]), "v / v == 1", [0, 1]),
        (pd.to_timedelta(["1h", "-2D"]), "v == '-2d 00:00:00'", [1]),
        (pd.to_timedelta(["1h", None]), "v * 3 > '2h'", [0]),
        (pd.to_timedelta(["1h", None]), "v - v == '0s'", [0]),
        (pd.to_timedelta(["1h", "-2h", None]), "-v > '1h'", [1]),
        (pd.to_timedelta(["1h", "-2h", None]), "abs(v) >= '2h'", [1]),
        (pd.to_timedelta(["1h", "-2h", None]), "abs(v) // v == -1", [1]),
        (pd.to_timedelta(["1h", "-2h", None]), "v // 2 == '-1h'", [1]),
        (pd.to_timedelta(["1h", "-2h", None]), "v % (v + v) == v", [0, 1]),
        (pd.to_timedelta(["1h", None]), "v // 0 == v // 0", []),
        (pd.to_timedelta(["1h", None]), "v % (v - v) == '0s'", []),
        (pd.to_timedelta(["1h", None]), "v // (v - v) > 1", [0]),
        (pd.to_timedelta(["1h"]).as_unit("s"), "v % (v * 2) == '1h'", [0]),
        ([1e300, -1.25, math.inf], "round(v, 10) == 1e300", [0]),
        ([1e300, -1.25, math.inf], "round(v, -309) == 0", [0, 1]),
        ([1e300, -1.25, math.inf], "round(v, 309) == -1.25", [1]),
        (pd.Categorical([1, 3, 2, None], [3, 2, 1], ordered=True), "v > 2", [0]),
        (pd.Categorical([1, 3, 2, None], [3, 2, 1], ordered=True), "v.between(3, 2)", [1, 2]),
        (pd.Categorical([1, 3, 2, None], [3, 2, 1], ordered=True), "v == 2", [2]),
        (pd.to_datetime(["2026-01-01", "NaT"]), "v - v < '1s'", [0]),
        (pd.to_datetime(["2026-01-01", "NaT"]), "v is  not   None", [0]),
    ],
)  # fmt: skip
def test_conditions(values: Any, text: str, expected: list[int]) -> None:
    assert rows(values, text) == expected


@given(
    st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    st.sampled_from(["+", "-", "*", "//", "%"]),
)
def test_whole_numbers_are_pythons(one: int, other: int, sign: str) -> None:
    found = calculate(sign, pa.array([one]), pa.array([other]))
    values: list[Any] = found.values if isinstance(found, Exact) else found.to_pylist()
    if other or sign in "+-*":
        pythons = {"+": one + other, "-": one - other, "*": one * other}
        if other:
            pythons |= {"//": one // other, "%": one % other}
        assert values == [pythons[sign]]
    else:
        assert not math.isfinite(values[0])


@given(
    st.integers(-(2**64), 2**65) | st.integers(-3, 3),
    st.floats(allow_nan=False) | st.integers(-3, 3).map(float),
    st.sampled_from(["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]),
)
def test_whole_numbers_beside_floats(one: int, other: float, name: str) -> None:
    expected = {
        "equal": one == other, "not_equal": one != other, "less": one < other,
        "less_equal": one <= other, "greater": one > other, "greater_equal": one >= other,
    }[name]  # fmt: skip
    whole = decimals([one], pa.decimal256(76, 0))
    floats = pa.array([other])
    assert compare(name, whole, floats).to_pylist() == [expected]
    assert compare(name, whole, Literal(other)).to_pylist() == [expected]
    assert compare(name, Literal(one), floats).to_pylist() == [expected]


def test_what_does_not_fit_a_column_is_missing_there() -> None:
    found = made({"n": [1, 2**62]}, "n * 4")
    assert found == [4, 2**64]
    values, beyond = fitted(decimals([4, 2**64], pa.decimal256(76, 0)), pa.int64())
    assert (values.to_pylist(), beyond) == ([4, None], 1)
    assert made({"d": [Decimal("1.10")]}, "d * 2") == [Decimal("2.20")]
    assert made({"d": [Decimal(1)]}, "d / 3") == [1 / 3]
    assert made({"n": [2**60 + 1]}, "round(n)") == [2**60 + 1]
    assert total(pa.array([Decimal("9" * 38)] * 2, pa.decimal128(38, 0))) == 2 * (10**38 - 1)
    assert scalar(2**70).as_py() == 2**70
    assert Literal(0.1, Fraction(1, 10)).number == Fraction(1, 10)


def test_numbers_that_nobody_means_take_no_time() -> None:
    assert rows([1.0], "v ** 9 ** 9 ** 9 > 1") == []
    assert rows([2], "v ** 10**9 > 1") == [0]
    assert rows([1.0], f"v < 1e{'9' * 30}") == [0]
    assert rows(["a" * 5000 + "b"], "v.str.match('(a+)+$')") == []
    with pytest.raises(BadExpression, match="can't be matched"):
        rows(["a"], r"v.str.match('(.)\\1')")


@pytest.mark.parametrize(
    ("text", "seconds", "offset"),
    [
        ("2026-02", 1769904000, None),
        ("2026-02-01T00:00:00.25", Fraction(7079616001, 4), None),
        ("2026-02-01 00:00Z", 1769904000, 0),
        ("2026-02-01T01:00:00+01:30", 1769907600, 5400),
        ("20260201", 1769904000, None),
    ],
)
def test_moments(text: str, seconds: Any, offset: Any) -> None:
    assert read_moment(text) == (seconds, offset)


def test_what_is_no_time() -> None:
    for text in ("", "yesterday", "2026-13", "2026-02-30", "2026-02-01 25:00", "01/02/2026"):
        assert read_moment(text) is None
    for text in ("", "9", "25:00", "2h"):
        assert read_time(text) is None
    for text in ("", "5", "2 parsecs", "1M", "h", "P", "2h x"):
        assert read_span(text) is None


def test_an_hour_that_the_clock_skips() -> None:
    times = pd.to_datetime(["2026-03-29 00:59:59", "2026-03-29 01:00:00"]).tz_localize("UTC")
    table = table_of(pd.DataFrame({"t": times.tz_convert("Europe/Berlin")}))
    for text, expected in (
        ("t >= '2026-03-29 02:30'", [False, True]),
        ("t == '2026-03-29T01:00Z'", [False, True]),
        ("t < '2026-03-29 03:00'", [True, False]),
    ):
        assert filter_mask(table, text).tolist() == expected
    naive = table_of(pd.DataFrame({"t": pd.to_datetime(["2026-01-01"])}))
    with pytest.raises(BadExpression, match="has no zone"):
        filter_mask(naive, "t > '2026-01-01T00:00Z'")


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


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    ["a b", "a,b", "it's", "`", "a``b", "class", "abs", "_column_0_", "µs", "μs", "ﬁ", "", "a & b"],
)
def test_each_column_can_be_named(title: str) -> None:
    frame = pd.DataFrame({"x": [7, 8], title: [1, 2], "µ": [3, 3], "μ": [4, 4]})
    table = table_of(frame)
    text = f"{quote(title)} == 2 and µ == 3 and μ == 4 and 'a & b' != 'µ'"
    if title:
        assert filter_mask(table, text).tolist() == [False, True]
    assert unquoted(quote(title)) == title
    assert split_names(f"x,{quote(title)}, x") == ["x", quote(title), "x"]


def test_the_index_is_called_so() -> None:
    assert rows([5, 6], "index == 1") == [1]
    other = table_of(pd.DataFrame({"index": [3, 4]}))
    assert filter_mask(other, "index == 4").tolist() == [False, True]


def test_a_word_alone_is_a_column_of_true_and_false() -> None:
    table = table_of(pd.DataFrame({"done": [True, False], "s": ["x", "done"], "n": [1, 2]}))
    assert filter_mask(table, "done").tolist() == [True, False]
    assert filter_mask(table, "'done'").tolist() == [False, True]
    assert filter_mask(table, "n").tolist() == [False, True]  # a text: in "done"
