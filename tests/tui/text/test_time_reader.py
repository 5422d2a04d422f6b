"""tui.text.time_reader: times and durations as people write them in an expression."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from livetable.tui.text.time_reader import read_moment, read_span, read_time


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
