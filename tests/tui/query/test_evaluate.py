"""tui.query.evaluate: what an expression gives for a table, as pandas and arithmetic have it."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.tui.query.evaluate import evaluate, mask_of
from livetable.tui.query.expression import parse
from livetable.tui.query.nodes import BadExpression
from tests.tui.query.tables import MIXED as FRAME
from tests.tui.query.tables import MIXED_TABLE as TABLE
from tests.tui.query.tables import rows
from tests.tui.tables import table_of


def met(text: str) -> list[int]:
    expression = parse(text, TABLE.titles)
    return list(np.flatnonzero(mask_of(expression, TABLE, TABLE.rows)))


@pytest.mark.parametrize(
    "text",
    [
        "price > 1",
        "price >= 1 and n < 4",
        "price > 1 & n < 4",
        "price != 2",
        "not (price == 1)",
        "~(price == 1) | n == 2",
        "-1 < price <= 2",
        "sector == 'tech'",
        "sector != 'tech'",
        "sector in ['tech', 'a b']",
        "sector not in ('tech',)",
        "n in [1, -2, 3]",
        "n.isin([2, 5])",
        "on",
        "not on",
        "`cpu %` > 20",
        "`cpu %` / n == 10",
        "n // 2 == 1",
        "n % 2 == 0",
        "-n % 3 == 1",
        "n ** 2 > 10",
        "price * n - 1 > 4",
        "kind == 'x'",
        "kind != 'x'",
        "when > '2026-01-02'",
        "sector.str.startswith('te')",
        "sector.str.contains('e')",
        "sector.str.upper() == 'TECH'",
        "sector.isna()",
        "price.isna() or n > 4",
        "price.notna()",
        "abs(price) > 2.5",
        "price.between(1, 2)",
        "sqrt(n) >= 2",
    ],
)
def test_as_pandas_has_it(text: str) -> None:
    assert met(text) == list(FRAME.query(text).index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len(sector) == 3", [4]),
        ("when == '2026-02-01'", [3]),
        ("'2026-02-01' <= when", [3, 4]),
        ("'ec' in sector", [0, 3]),
        ("'ec' not in sector", [1, 2, 4]),
        ("round(price) == -6 or round(price, 0) == 3", [0, 4]),
        ("price == None", [2]),
        ("price != None", [0, 1, 3, 4]),
        ("price / 0 > 1", [0, 1, 3]),
        ("sector + 'x' == 'techx'", [0, 3]),
        ("match(sector, '^t.*h$')", [0, 3]),
        ("sector.str.endswith('gy')", [1]),
        ("lower(sector) == 'energy'", [1]),
        ("True", [0, 1, 2, 3, 4]),
        ("n in []", []),
        ("sign(price) < 0", [4]),
        ("+n == 1", [0]),
        ("floor(price) == -6", [4]),
        ("ceil(price) == -5", [4]),
        ("exp(log(n)) > 4.5", [4]),
        ("log10(n) == 0", [0]),
        ("`class` == 2", [1]),
        ("n == 99999999999999999999", []),
    ],
)
def test_what_pandas_has_not(text: str, expected: list[int]) -> None:
    assert met(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("n + 1", "This is not a condition. Example: n + 1 > 100"),
        ("3", "This is not a condition. Example: price > 100"),
        ("n > 'x'", "n is a number: compare it with a number, n > 100"),
        ("'x' < n", "n is a number: compare it with a number, 100 < n"),
        ("on == 'x'", "on is true or false: write on, or not on"),
        ("sector > 3", "sector is text: put the value in quotes, sector > '3'"),
        (
            "when > 'yesterday'",
            "Can't read 'yesterday' as a time. Example: when > '2026-01-31 14:00'",
        ),
        ("n and on", "n is not a condition. Example: n > 100"),
        ("not n", "n is not a condition. Example: n > 100"),
        ("len(n) == 1", "len only works on text (n is a number)"),
        ("contains(sector, n)", "in quotes"),
        ("abs(n, n) > 1", "abs takes 1 values"),
        ("round(n, 1, 2) > 1", "round takes 1 to 2"),
        ("n > [1, 2]", "Use a list only after in"),
        ("n.isin(1)", "Use a list"),
        ("sector * 2 == 'x'", "Can't calculate sector * 2: sector is text"),
        ("match(sector, '[')", ""),
    ],
)
def test_what_can_not_be_worked_out(text: str, says: str) -> None:
    with pytest.raises(BadExpression) as caught:
        mask_of(parse(text, TABLE.titles), TABLE, TABLE.rows)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_that_went_away() -> None:
    expression = parse("n > 1", TABLE.titles)
    other = table_of(FRAME[["price"]])
    with pytest.raises(BadExpression, match="No column 'n'"):
        evaluate(expression, other)


def test_zones_are_the_columns_own() -> None:
    times = pd.to_datetime(["2026-01-01 23:30", "2026-01-02 00:30"]).tz_localize("Europe/Berlin")
    table = table_of(pd.DataFrame({"t": times}))
    expression = parse("t > '2026-01-02'", table.titles)
    assert list(mask_of(expression, table, 2)) == [False, True]


def test_an_arrow_less_type_is_told() -> None:
    table = table_of(pd.DataFrame({"l": [[1], [2]]}))
    with pytest.raises(BadExpression) as caught:
        mask_of(parse("l > 1", table.titles), table, 2)
    assert str(caught.value) == "Can't compare l (nested) with 1 (a number)"


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


def test_numbers_that_nobody_means_take_no_time() -> None:
    assert rows([1.0], "v ** 9 ** 9 ** 9 > 1") == []
    assert rows([2], "v ** 10**9 > 1") == [0]
    assert rows([1.0], f"v < 1e{'9' * 30}") == [0]
    assert rows(["a" * 5000 + "b"], "v.str.match('(a+)+$')") == []
    with pytest.raises(BadExpression, match="Can't match"):
        rows(["a"], r"v.str.match('(.)\\1')")
