"""tui.text.times: days, times and durations as text, also beyond Python's own."""

from __future__ import annotations

from typing import Any

import pytest

from livetable.tui.text.times import day_text, duration_text, offset_seconds


def test_far_days() -> None:
    assert day_text(0) == "1970-01-01"
    assert day_text(10**9) == "day 1000000000"
    assert duration_text(-90_061_500, "ms", 3) == "-1d 01:01:01.500"


@pytest.mark.parametrize("zone", ["+1", "+xx:yy", "../../etc/passwd", "", "\x00"])
def test_odd_zones(zone: Any) -> None:
    assert offset_seconds(zone, 0) == 0
