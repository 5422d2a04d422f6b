"""livetable.tui.text.rounding, and the sign that formats and titles have by it."""

from __future__ import annotations

import io
import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.grid.cells import Cursor, Viewport
from livetable.tui.grid.composer import Composer
from livetable.tui.output.text_formats import WRITERS
from livetable.tui.query.statistics import figures_of
from livetable.tui.text.column_format import ColumnFormat
from livetable.tui.text.column_style import PLAIN_STYLE, ColumnStyle, NumberForm, number_writer
from livetable.tui.text.rounding import leaves_out, read_back
from tests.tui.tables import table_of

F32, F16 = pa.float32(), pa.float16()
DECIMALS = pa.array([Decimal("1.55")])


def measured(array: pa.Array, style: ColumnStyle = PLAIN_STYLE) -> ColumnFormat:
    form = ColumnFormat(array.type, style)
    form.measure(form.values(array))
    return form


@pytest.mark.parametrize(
    ("array", "rounds"),
    [
        (pa.array([100.0, 100.0]), False),
        (pa.array([100.0, 100.0000001]), True),
        (pa.array([0.1 + 0.2]), True),
        (pa.array([0.3, None, math.nan, math.inf, -0.0]), False),
        (pa.array([1e-9, 1.0]), False),
        (pa.array([1.23456e-9, 1.0]), True),
        (pa.array([1e16, 1e300]), False),
        (pa.array([float(2**53) * 3]), True),
        (pa.array([0.1, 100.125], F32), False),
        (pa.array([0.1, 100.1251], F32), True),
        (pa.array([0.1, 3.0], F16), False),
        (pa.array([2**53 + 1]), False),
        (DECIMALS, False),
        (pa.array(["0.123456789"]), False),
    ],
    ids=str,
)
def test_the_sign_of_numbers_as_they_are(array: pa.Array, rounds: bool) -> None:
    form = measured(array)
    assert form.rounds is rounds
    assert not form.needs_measure(form.values(array))


@pytest.mark.parametrize(
    ("array", "style", "rounds"),
    [
        (pa.array([1.5]), ColumnStyle(digits=1), False),
        (pa.array([1.55]), ColumnStyle(digits=1), True),
        (pa.array([2**53 + 1]), ColumnStyle(digits=0), False),
        (pa.array([2**53 + 1]), ColumnStyle(form=NumberForm.THOUSANDS, unit="kB"), False),
        (pa.array([1234.5]), ColumnStyle(form=NumberForm.THOUSANDS, unit="a b"), False),
        (pa.array([1234.567]), ColumnStyle(form=NumberForm.THOUSANDS), True),
        (pa.array([0.001]), ColumnStyle(form=NumberForm.THOUSANDS), True),
        (pa.array([0.07]), ColumnStyle(form=NumberForm.PERCENT), False),
        (pa.array([2**53 + 1]), ColumnStyle(form=NumberForm.PERCENT), False),
        (pa.array([0.0712]), ColumnStyle(form=NumberForm.PERCENT, digits=0), True),
        (pa.array([12300, 0]), ColumnStyle(form=NumberForm.SI), False),
        (pa.array([1e30, 1.5e-3]), ColumnStyle(form=NumberForm.SI), False),
        (pa.array([12345]), ColumnStyle(form=NumberForm.SI), True),
        (pa.array([1536, 1 << 60]), ColumnStyle(form=NumberForm.BYTES), False),
        (pa.array([1537]), ColumnStyle(form=NumberForm.BYTES), True),
        (pa.array([-93784]), ColumnStyle(form=NumberForm.DURATION), False),
        (pa.array([1.5]), ColumnStyle(form=NumberForm.DURATION, digits=1), False),
        (pa.array([1.5]), ColumnStyle(form=NumberForm.DURATION), True),
        (pa.array([1.1]), ColumnStyle(form=NumberForm.HEX), False),
        (DECIMALS, ColumnStyle(digits=2), False),
        (DECIMALS, ColumnStyle(digits=1), True),
    ],
    ids=str,
)
def test_the_sign_of_numbers_in_a_style(array: pa.Array, style: ColumnStyle, rounds: bool) -> None:
    form = measured(array, style)
    assert form.rounds is rounds
    fresh = ColumnFormat(array.type, style)
    assert fresh.needs_measure(fresh.values(array)) is rounds
    assert not form.needs_measure(form.values(array))


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1)
)


@given(
    NUMBERS,
    st.sampled_from([form for form in NumberForm if form is not NumberForm.HEX]),
    st.none() | st.integers(0, 15),
    st.sampled_from(["", "ms", "k", "a b"]),
)
def test_what_is_read_back_is_near(
    value: float, form: NumberForm, digits: int | None, unit: str
) -> None:
    style = ColumnStyle(form=form, digits=digits, unit=unit)
    if form is NumberForm.SI and digits == 0:
        return
    text = number_writer(style, repr)(value)
    told = read_back(text, style)
    said = exactly(told)
    step = 10.0 ** -(digits or 0)
    size = abs(Decimal(value))
    bound = {
        # Beyond the largest prefix it has six digits at most.
        NumberForm.SI: size * 10 ** Decimal(1 - min(digits or 3, 6)),
        NumberForm.BYTES: size * Decimal(step) + 1,
    }.get(form, Decimal(step))
    assert abs(said - Decimal(value)) <= bound + size * Decimal("1e-12")
    nearest = float(told) if isinstance(value, float) and abs(told) < 1.79e308 else told
    if nearest == value:  # of a whole number it must be all
        assert not leaves_out(value, text, style, float)


def test_a_style_does_not_trip_over_a_decimal_beyond_its_type() -> None:
    form = ColumnFormat(pa.decimal128(3, 2), ColumnStyle(digits=1, unit="€"))
    form.measure(["beyond", None])
    assert form.texts(["beyond"]) == ["beyond"]


def header(composer: Composer) -> str:
    return "".join(cell.text for cell in composer.header(Viewport(0, 9, 0, 80), Cursor(0, 0)))


def exactly(value: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 1200  # more than there are digits: none is rounded
        return Decimal(value.numerator) / Decimal(value.denominator)


def test_a_text_that_is_rounded_up_beyond_all_floats_leaves_digits_out() -> None:
    style = ColumnStyle(form=NumberForm.SI)
    assert leaves_out(1.795e308, number_writer(style, repr)(1.795e308), style, float)
    assert not leaves_out(1.5e300, number_writer(style, repr)(1.5e300), style, float)


def test_the_sign_stands_before_the_title_and_stays() -> None:
    composer = Composer()
    frame = pd.DataFrame({"exact": [1.5, 2.5], "price": [100.0, 100.0], "n": [1, 2]})
    composer.load(table_of(frame))
    composer.compose(Viewport(0, 9, 0, 80), Cursor(0, 0), 0.0)
    before = header(composer)
    assert "≈" not in before
    frame.loc[1, "price"] = 100.0000001
    composer.load(table_of(frame))
    composer.compose(Viewport(0, 9, 0, 80), Cursor(0, 0), 0.0)
    assert header(composer) == before.replace(" price", "≈price")
    frame.loc[1, "price"] = 100.0
    composer.load(table_of(frame))
    composer.compose(Viewport(0, 9, 0, 80), Cursor(0, 0), 0.0)
    assert "≈price" in header(composer)


def test_text_has_the_sign_too() -> None:
    table = table_of(pd.DataFrame({"id": [1], "third": [1 / 3], "half": [0.5]}))
    out = io.StringIO()
    WRITERS["table"](table, out)
    first, second = out.getvalue().splitlines()
    assert (first.split(), second.split()) == (
        ["id", "≈third", "half"],
        ["0", "1", "0.333333", "0.5"],
    )
    assert len(first) == len(second)


def test_figures_have_the_sign_too() -> None:
    table = table_of(pd.DataFrame({"n": [1.0, 1.0, 2.0]}))
    column = table.refs[table.titles.index("n")]
    said: dict[str, Any] = {name: text for name, text, _ in figures_of(table, column)}
    assert (said["mean"], said["max"], said["50%"]) == ("≈1.33333", "2", "1")
