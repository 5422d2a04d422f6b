"""tui.text.column_style: numbers as a person wants them written."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.text.column_style import (
    ColumnStyle,
    NumberForm,
    bar,
    bytes_text,
    hex_text,
    number_writer,
    percent_text,
    seconds_text,
    si_text,
)


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (ColumnStyle(), 0.5, "0.5"),
        (ColumnStyle(digits=2), 1.005, "1.00"),
        (ColumnStyle(digits=1), 0.01, "≈0.0"),
        (ColumnStyle(digits=1), 0.0, "0.0"),
        (ColumnStyle(digits=1), math.nan, "nan"),
        (ColumnStyle(digits=1), math.inf, "inf"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 1234567, "1,234,567"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 1234.5, "1,234.50"),
        (ColumnStyle(form=NumberForm.THOUSANDS, digits=0), -1234.5, "-1,234"),
        (ColumnStyle(form=NumberForm.PERCENT), 0.1234, "12.3 %"),
        (ColumnStyle(form=NumberForm.PERCENT, digits=0), 0.5, "50 %"),
        (ColumnStyle(form=NumberForm.PERCENT), 1.5 * 2.0**1023, f"{15 * 2**1023 * 10}.0 %"),
        (ColumnStyle(form=NumberForm.SI), 12345, "12.3 k"),
        (ColumnStyle(form=NumberForm.BYTES), 1536, "1.5 KiB"),
        (ColumnStyle(form=NumberForm.DURATION), 93784, "1d 02:03:04"),
        (
            ColumnStyle(form=NumberForm.DURATION, digits=1),
            2.0**1023,
            f"{2**1023 // 86_400}d 23:30:08.0",
        ),
        (ColumnStyle(form=NumberForm.HEX), 255, "0xff"),
        (ColumnStyle(form=NumberForm.HEX), 0.5, "0x1.0000000000000p-1"),
        (ColumnStyle(form=NumberForm.HEX), Decimal("0.5"), "0x1.0000000000000p-1"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 2**53 + 1, "9,007,199,254,740,993"),
        (ColumnStyle(digits=1), 2**53 + 1, "9007199254740993.0"),
        (ColumnStyle(unit="ms"), 3, "3 ms"),
        (ColumnStyle(digits=0, unit="€"), 3.0, "3 €"),
    ],
)
def test_numbers(style: ColumnStyle, value: Any, text: str) -> None:
    assert number_writer(style, str)(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999.9, "1 k"), (0.0015, "1.5 m"), (-2.5e9, "-2.5 G"), (1e30, "1e+12 E"),
     (1e-30, "1e-12 a"), (12, "12")],
)  # fmt: skip
def test_si(value: float, text: str) -> None:
    assert si_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_si_is_near(value: float) -> None:
    number, _, prefix = si_text(value).partition(" ")
    scale = dict(zip(["", *"kMGTPE", *"mµnpfa"], [*range(7), *range(-1, -7, -1)], strict=True))
    assert float(number) * 1000.0 ** scale[prefix] == pytest.approx(value, rel=0.01)


def test_bytes_and_seconds() -> None:
    assert [bytes_text(value) for value in (0, 1023, -1024, 1 << 70)] == [
        "0 B", "1023 B", "-1.0 KiB", "1024.0 EiB",
    ]  # fmt: skip
    assert [seconds_text(value, 1) for value in (-0.05, 59.96, 86_400)] == [
        "-00:00:00.0", "00:01:00.0", "1d 00:00:00.0",
    ]  # fmt: skip


def test_bars() -> None:
    assert [bar(share, 4) for share in (0, 0.5, 1, 0.03125)] == ["    ", "██  ", "████", "▏   "]


def test_units_go_on_where_the_text_does() -> None:
    assert [bytes_text(size) for size in (1023, 1023.7, 1048523, 1048575)] == [
        "1023 B", "1.0 KiB", "1023.9 KiB", "1.0 MiB",
    ]  # fmt: skip
    assert [si_text(999_999, digits) for digits in (3, 5, 6)] == ["1 M", "1 M", "999.999 k"]
    assert hex_text(Decimal(2**64 + 1)) == hex(2**64 + 1)
    assert percent_text(Decimal(10**30 + 1), 0) == f"{(10**30 + 1) * 100} %"
    assert seconds_text(Decimal(10**30)) == seconds_text(10**30)
