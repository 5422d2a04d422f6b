"""livetable.feed.sources.values: texts as values, never as other ones."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.sources.values import MISSING, Form, Kind, NotFitting, read
from livetable.feed.sources.values import given as said


def as_read(*pieces: list[str], **more: bool) -> tuple[list[Any], Kind]:
    """Return the values of texts that come in pieces, read again whenever their kind changes."""
    kind = Kind()
    while True:
        values, before = [], kind
        for piece in pieces:
            made, kind = read(pa.array(piece, pa.string()), kind, **more)
            values += made.to_pylist()
        if kind == before or len(pieces) == 1:
            return values, kind


@pytest.mark.parametrize(
    ("texts", "form", "values"),
    [
        (["1", "-2", ""], Form.INTEGER, [1, -2, None]),
        (["1", "NA", "null"], Form.INTEGER, [1, None, None]),
        ([" 1", "2\t"], Form.INTEGER, [1, 2]),
        (["00501", "1"], Form.TEXT, ["00501", "1"]),
        (["+45", "1"], Form.TEXT, ["+45", "1"]),
        (["0x1F"], Form.TEXT, ["0x1F"]),
        (["12e4567", "1"], Form.TEXT, ["12e4567", "1"]),
        (["1e-400"], Form.TEXT, ["1e-400"]),
        (["12345678901234567891", "1"], Form.LARGE, [12345678901234567891, 1]),
        (["9" * 50], Form.LARGE, [int("9" * 50)]),
        (["9" * 90], Form.TEXT, ["9" * 90]),
        (["1.5", "2"], Form.FLOAT, [1.5, 2.0]),
        ([".5", "-1.", "+2.5", "1e3", "-0"], Form.FLOAT, [0.5, -1.0, 2.5, 1000.0, -0.0]),
        (["01.5"], Form.TEXT, ["01.5"]),
        (["9007199254740993", "0.5"], Form.TEXT, ["9007199254740993", "0.5"]),
        (["9007199254740992", "0.5"], Form.FLOAT, [9007199254740992.0, 0.5]),
        (["inf", "1"], Form.FLOAT, [math.inf, 1.0]),
        (["inf"], Form.TEXT, ["inf"]),
        (["NA", ""], Form.WORDS, ["NA", None]),
        (["NA", "x"], Form.TEXT, ["NA", "x"]),
        (["", ""], Form.EMPTY, [None, None]),
        (["true", "False", ""], Form.BOOLEAN, [True, False, None]),
        (["true", "NA"], Form.TEXT, ["true", "NA"]),
        (["1,5", "2"], Form.TEXT, ["1,5", "2"]),
        (["12G"], Form.TEXT, ["12G"]),
        (["2024-02-30"], Form.TEXT, ["2024-02-30"]),
        (["10:30"], Form.TEXT, ["10:30"]),
    ],
)
def test_what_texts_become(texts: list[str], form: Form, values: list[Any]) -> None:
    found, kind = as_read(texts)
    assert (found, kind.form) == (values, form)


def test_times() -> None:
    for text, kind in (
        ("2024-01-31", pa.date32()),
        ("2024-01-31 10:00", pa.timestamp("s")),
        ("2024-01-31T10:00:00.25", pa.timestamp("ms")),
        ("2024-01-31 10:00:00.123456789", pa.timestamp("ns")),
        ("2024-01-31T10:00:00Z", pa.timestamp("s", "UTC")),
        ("10:00:01", pa.time32("s")),
    ):
        assert as_read([text, ""])[1].type == kind, text
    (zoned,), _ = as_read(["2024-01-31T10:00:00+02:00"])
    assert zoned.isoformat() == "2024-01-31T08:00:00+00:00"
    assert as_read(["2024-01-31", "2024-01-31T10:00:00Z"])[1].form is Form.TEXT


def test_pieces_agree_on_one_kind() -> None:
    assert as_read(["1"], ["2.5"])[0] == [1.0, 2.5]
    assert as_read(["1", "NA"], ["x"])[0] == ["1", "NA", "x"]
    assert as_read([""], ["7"])[0] == [None, 7]
    assert as_read(["1"], ["9" * 30], ["9" * 60])[0] == [1, int("9" * 30), int("9" * 60)]
    assert as_read(["9007199254740993"], ["0.5"])[0] == ["9007199254740993", "0.5"]
    assert as_read(["true"], ["NA"])[0] == ["true", "NA"]
    values, kind = as_read(["2024-01-01"], ["2024-01-01 10:00:00.5"], ["2024-01-02"], ["NA"])
    assert kind.type == pa.timestamp("ms")
    assert values[-1] is None


def test_a_comma_before_the_decimals() -> None:
    assert as_read(["1,5", "2"], comma=True)[0] == [1.5, 2.0]
    assert as_read(["1,5"], ["1.5"], comma=True)[0] == ["1,5", "1.5"]
    assert as_read(["2"], ["0,25"], comma=True)[0] == [2.0, 0.25]


def test_quantities_stay_as_they_are_written() -> None:
    values, kind = as_read(["0"], ["12G", "44K"], [""], units=True)
    assert (values, kind.form) == (["0", "12G", "44K", None], Form.QUANTITY)
    assert as_read(["12G"], ["x"], units=True)[1].form is Form.TEXT


def test_more_digits_than_a_float_holds_are_told() -> None:
    assert as_read(["0.12345678901234567890"])[1].rounded
    assert not as_read(["0.1234567890123456", "1.50000000000000000000"])[1].rounded


def test_types_that_were_said() -> None:
    values, _ = read(pa.array(["00501", "", "NA"]), said(pa.int64()))
    assert values.to_pylist() == [501, None, None]
    values, _ = read(pa.array(["1", "NA", ""]), said(pa.string()))
    assert values.to_pylist() == ["1", "NA", None]
    with pytest.raises(NotFitting, match="row 2 of these holds 'x', not int64"):
        read(pa.array(["1", "x"]), said(pa.int64()))


NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["00501", "1e5", "0x1F", "12e4567", "-0", "1.", ".5", "+3", "x", "1 000"]),
)
NUMBER_FORMS = (Form.INTEGER, Form.LARGE, Form.FLOAT)
TEXTS = st.lists(st.one_of(NUMBERS, st.sampled_from(["", *MISSING])), max_size=6)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_value_is_that_of_its_text(pieces: list[list[str]]) -> None:
    values, kind = as_read(*pieces)
    texts = [text for piece in pieces for text in piece]
    assert len(values) == len(texts)
    for text, value in zip(texts, values, strict=True):
        if value is None:
            assert not text or (
                text in MISSING and kind.form in (Form.INTEGER, Form.LARGE, Form.FLOAT)
            )
        elif isinstance(value, float) and len(text) > 16:
            assert value == float(text)
        elif isinstance(value, (int, float, Decimal)):
            assert Fraction(value) == Fraction(Decimal(text)) or value == float(text)
        else:
            assert value == text
