"""tui.text.times: days, times and durations as text, also beyond Python's own."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.text.time_reader import read_moment, read_span, read_time
from livetable.tui.text.times import (
    UNITS,
    day_text,
    duration_text,
    fraction_digits,
    most_digits,
    offset_seconds,
    time_text,
    zone_text,
)


def test_far_days() -> None:
    assert day_text(0) == "1970-01-01"
    assert day_text(10**9) == "day 1000000000"
    assert duration_text(-90_061_500, "ms", 3) == "-1d 01:01:01.500"


@pytest.mark.parametrize("zone", ["+1", "+xx:yy", "../../etc/passwd", "", "\x00"])
def test_odd_zones(zone: Any) -> None:
    assert offset_seconds(zone, 0) == 0


SIZES = st.sampled_from(list(UNITS))


@given(SIZES, st.integers(-(2**63), 2**63 - 1))
def test_a_duration_is_read_as_it_was_written(unit: str, value: int) -> None:
    assert read_span(duration_text(value, unit, 9)) == Fraction(value, UNITS[unit])


@given(SIZES, st.data())
def test_a_time_of_day_is_read_as_it_was_written(unit: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, 86_400 * UNITS[unit] - 1))
    assert read_time(time_text(value, unit, most_digits(unit))) == Fraction(value, UNITS[unit])


@given(st.dates(), st.integers(-86_399, 86_399))
def test_a_day_and_a_zone_are_read_as_they_were_written(day: datetime.date, offset: int) -> None:
    days = (day - datetime.date(1970, 1, 1)).days
    assert day_text(days) == day.isoformat()
    if abs(offset) < 15 * 3600:
        found = read_moment(f"{day_text(days)} 00:00{zone_text(offset)}")
        assert found is not None
        assert found[1] == offset
    assert offset_seconds(zone_text(offset), 0) == offset


@given(SIZES, st.lists(st.integers(-(2**60), 2**60), max_size=5), st.integers(0, 9))
def test_as_many_digits_as_are_needed(unit: str, values: list[int], zeros: int) -> None:
    values = [value - value % 10**zeros for value in values]
    digits = fraction_digits(values, unit)
    assert digits == fraction_digits(np.array(values, np.int64), unit)
    step = 10 ** (most_digits(unit) - digits)
    assert all(value % step == 0 for value in values)
    if digits:
        assert any(value % (step * 1000) for value in values)
