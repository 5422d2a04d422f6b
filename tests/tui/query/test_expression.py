"""livetable.tui.query.expression and evaluate: pandas' query syntax, and nothing that runs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.evaluate import evaluate, mask_of
from livetable.tui.query.expression import BadExpression, parse, quote
from tests.tui.tables import table_of

FRAME = pd.DataFrame(
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
TABLE = table_of(FRAME)


def rows(text: str) -> list[int]:
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
    assert rows(text) == list(FRAME.query(text).index)


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
    assert rows(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("nope > 1", 0, "there is no column 'nope'"),
        ("n > 1 and nope == 2", 10, "there is no column 'nope'"),
        ("`cpu %` > 1 and `no such` == 2", 16, "there is no column 'no such'"),
        ("n = 1", 2, "compare with == instead of ="),
        ("n > ", 4, "this is not an expression"),
        ("(n > 1", 0, "a bracket is missing"),
        ("sector == 'x", 10, "a quote is missing"),
        ("n.real == 1", 0, "this has no meaning"),
        ("n is 1", 0, "write == instead of is"),
        ("n @ n", 0, "this operator"),
        ("open('x')", 0, "there is no function 'open'"),
        ("n.__class__.__mro__()", 0, "there is no function '__mro__'"),
        ("(lambda: 1)()", 0, "this can't be called"),
        ("[x for x in n]", 0, "this has no meaning"),
        ("n if on else 1", 0, "this has no meaning"),
        ("round(n, digits=1) == 1", 16, "no keywords"),
        ("contains(sector, 'x', flags=2)", 28, "takes case, regex, na"),
        ("contains(sector, 'x', case=n)", 27, "True or False"),
        ("n in [n]", 6, "a list holds numbers or texts only"),
        ("b'x' == sector", 0, "write a number"),
        ("f'{n}' == sector", 0, "this has no meaning"),
        ("x" * 3000, 0, "longer than"),
        ("+".join(["n"] * 400), 0, "too many parts"),
        ("(" * 90 + "n" + ")" * 90 + ">", 0, ""),
        ("-" * 400 + "n > 1", 0, ""),
        ("n > 1\x00", 0, ""),
    ],
)
def test_what_can_not_be_read_and_where(text: str, at: int, says: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text, TABLE.titles)
    assert says in str(caught.value)
    if says and at:
        assert caught.value.start == at
    assert 0 <= caught.value.start <= caught.value.end
    assert "\n" not in str(caught.value)


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
        ("n > [1, 2]", "a list stands behind in"),
        ("n.isin(1)", "write a list"),
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
    with pytest.raises(BadExpression, match="there is no column 'n'"):
        evaluate(expression, other)


def test_zones_are_the_columns_own() -> None:
    times = pd.to_datetime(["2026-01-01 23:30", "2026-01-02 00:30"]).tz_localize("Europe/Berlin")
    table = table_of(pd.DataFrame({"t": times}))
    expression = parse("t > '2026-01-02'", table.titles)
    assert list(mask_of(expression, table, 2)) == [False, True]


@pytest.mark.parametrize(
    ("title", "written"), [("price", "price"), ("cpu %", "`cpu %`"), ("class", "`class`")]
)
def test_quoted_titles(title: str, written: str) -> None:
    assert quote(title) == written
    assert parse(f"{written} == 1", [title]).titles == (title,)


def refusal(text: str) -> BadExpression | None:
    """Return why a text is refused, None if it is not."""
    try:
        mask_of(parse(text, TABLE.titles), TABLE, TABLE.rows)
    except BadExpression as error:
        return error
    return None


WORDS = (
    *("price", "n", "on", "sector", "`cpu %`", "when", "(", ")", "[", "]", ",", "and", "or", "not"),
    *(">", "==", "+", "/", "in", "1", "2.5", "'tech'", "'2026-01-01'", ".isna()", "abs", "&", "|"),
)


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    error = refusal(text)
    assert error is None or str(error)
    assert error is None or 0 <= error.start <= len(text)


def test_an_arrow_less_type_is_told() -> None:
    table = table_of(pd.DataFrame({"l": [[1], [2]]}))
    with pytest.raises(BadExpression) as caught:
        mask_of(parse("l > 1", table.titles), table, 2)
    assert str(caught.value) == "Can't compare l (nested) with 1 (a number)"
