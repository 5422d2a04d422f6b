"""tui.query.operators: each operator with each kind of operand, and what fits none."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.exact import Exact, Literal
from livetable.tui.query.operators import (
    KERNELS,
    NotFitting,
    comparison_of,
    contains,
    for_arrow,
    inverted,
    is_missing,
    logic_of,
    matching,
)

NUMBERS = pa.array([1, None, 3])
FLOATS = pa.array([1.5, float("nan"), None])
TEXTS = pa.array(["ab", None, "B."])
TRUTHS = pa.array([True, None, False])
TIMES = pa.array([0, 86_400, None], pa.timestamp("s"))
SPANS = pa.array([60, -60, None], pa.duration("s"))
NOTHING = pa.nulls(3)
MINUTE = datetime.timedelta(minutes=1)


def apply(name: str, *values: Any, **options: Any) -> Any:
    """Return what an operator makes of values, as Python's."""
    found = for_arrow(KERNELS[name][0](*values, **options))
    return found.to_pylist() if isinstance(found, pa.Array) else found.as_py()


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("==", (NUMBERS, Literal(1)), [True, False, False]),
        ("!=", (NUMBERS, Literal(1)), [False, True, True]),
        ("<", (Literal(2), NUMBERS), [False, False, True]),
        ("==", (NUMBERS, Literal(None)), [False, True, False]),
        ("!=", (Literal(None), NUMBERS), [True, False, True]),
        ("==", (TEXTS, Literal("ab")), [True, False, False]),
        ("<", (Literal("a"), Literal("b")), True),
        ("==", (TIMES, Literal("1970-01-02")), [False, True, False]),
        (">", (Literal("1970-01-02"), TIMES), [True, False, False]),
        ("==", (TIMES, TIMES), [True, True, False]),
        ("==", (NOTHING, NUMBERS), [False, False, False]),
        ("==", (TRUTHS, TRUTHS), [True, False, True]),
        ("and", (TRUTHS, Literal(True)), [True, None, False]),
        ("or", (Literal(False), Literal(True)), True),
        ("not", (TRUTHS,), [False, None, True]),
        ("not", (Literal(True),), False),
        ("neg", (NUMBERS,), [-1, None, -3]),
        ("neg", (SPANS,), [MINUTE * -1, MINUTE, None]),
        ("pos", (NUMBERS,), [1, None, 3]),
        ("+", (TEXTS, Literal("!")), ["ab!", None, "B.!"]),
        ("+", (Literal("a"), Literal("b")), "ab"),
        ("+", (NOTHING, NUMBERS), [None, None, None]),
            ("abs", (pa.array([-1, 2, None]),), [1, 2, None]),
        ("abs", (NOTHING,), [None, None, None]),
        ("abs", (SPANS,), [MINUTE, MINUTE, None]),
        ("*", (SPANS, Literal(2)), [MINUTE * 2, MINUTE * -2, None]),
        ("round", (pa.array([1.25, 2.5, None]),), [1.0, 2.0, None]),
        ("round", (pa.array([1.26]), Literal(1)), [1.3]),
        ("sqrt", (pa.array([4, None]),), [2.0, None]),
        ("lower", (TEXTS,), ["ab", None, "b."]),
        ("upper", (NOTHING,), [None, None, None]),
        ("len", (Literal("abc"),), 3),
        ("contains", (TEXTS, Literal("b")), [True, False, False]),
        ("match", (TEXTS, Literal("a")), [True, False, False]),
        ("fullmatch", (TEXTS, Literal("a")), [False, False, False]),
        ("startswith", (TEXTS, Literal("a")), [True, False, False]),
        ("endswith", (TEXTS, Literal(".")), [False, False, True]),
        ("isna", (FLOATS,), [False, True, True]),
        ("isna", (Literal(None),), True),
        ("notna", (Exact([1, None, float("nan")], pa.int64()),), [True, False, False]),
        ("between", (NUMBERS, Literal(1), Literal(2)), [True, False, False]),
    ],
)  # fmt: skip
def test_operators(name: str, values: tuple[Any, ...], expected: Any) -> None:
    assert apply(name, *values) == expected


@pytest.mark.parametrize(
    ("name", "values", "says", "whole"),
    [
        ("==", (NUMBERS, Literal("x")), "Can't compare a number with text", False),
        ("==", (TRUTHS, Literal("x")), "Can't compare true or false with text", False),
        ("==", (TEXTS, Literal(1)), "Can't compare text with a number", False),
        ("==", (TIMES, Literal("soon")), "Can't read 'soon' as a time", False),
        ("and", (NUMBERS, TRUTHS), "Both sides of and must be conditions", False),
        ("not", (NUMBERS,), "not needs a condition", False),
        ("abs", (TEXTS,), "only works on numbers, not on string", False),
        ("round", (NUMBERS, Literal(1.5)), "must be a whole number", True),
        ("round", (NUMBERS, Literal(9999)), "must be a whole number", True),
        ("sqrt", (TIMES,), "only works on numbers, not on timestamp", False),
        ("lower", (NUMBERS,), "only works on text, not on int64", False),
        ("contains", (TEXTS, NUMBERS), "Put the text to look for in quotes", True),
        ("match", (TEXTS, Literal("[")), "Can't match '['", True),
    ],
)
def test_what_does_not_fit(name: str, values: tuple[Any, ...], says: str, whole: bool) -> None:
    with pytest.raises(NotFitting, match=says.replace("[", r"\[")) as raised:
        KERNELS[name][0](*values)
    assert raised.value.is_whole == whole


def test_values_for_arrow() -> None:
    assert for_arrow(Literal(1)).as_py() == 1
    assert for_arrow(Exact([10**30], pa.int64())).to_pylist() == [Decimal(10**30)]
    chunked = pa.chunked_array([[1], [2]])
    assert isinstance(for_arrow(chunked), pa.Array)
    assert for_arrow(NUMBERS) is NUMBERS


def test_options_of_text_functions() -> None:
    match = matching(contains)
    assert match(TEXTS, Literal("B"), case=False).to_pylist() == [True, False, True]
    assert match(TEXTS, Literal("."), regex=False).to_pylist() == [False, False, True]
    assert match(TEXTS, Literal("b"), na=True).to_pylist() == [True, True, False]


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=6))
def test_logic_of_three_values(values: list[bool | None]) -> None:
    array = pa.array(values, pa.bool_())
    assert inverted(inverted(array)).to_pylist() == values
    assert logic_of("and")(array, array).to_pylist() == values
    assert logic_of("or")(array, inverted(array)).to_pylist() == [
        None if value is None else True for value in values
    ]
    assert is_missing(array).to_pylist() == [value is None for value in values]


@given(
    st.lists(st.integers(-3, 3) | st.none(), min_size=1, max_size=6),
    st.sampled_from(["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]),
)
def test_missing_numbers_compare_as_in_pandas(values: list[int | None], name: str) -> None:
    found = comparison_of(name)(pa.array(values, pa.int64()), Literal(0)).to_pylist()
    for value, truth in zip(values, found, strict=True):
        if value is None:
            assert truth == (name == "not_equal")
        else:
            assert truth == getattr(pa.compute, name)(value, 0).as_py()


def test_each_operator_says_how_many_operands_it_takes() -> None:
    assert all(1 <= least <= most for _, least, most in KERNELS.values())
