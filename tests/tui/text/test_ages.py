"""tui.text.ages: ages, rates and spans as short text."""

from __future__ import annotations

import pytest

from livetable.tui.text.ages import age_text, rate_text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (None, ""),
        (0.3, "now"),
        (9.9, "9 s"),
        (12.9, "10 s"),
        (59, "55 s"),
        (61, "1 m"),
        (7200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_ages(age: float | None, text: str) -> None:
    assert age_text(age) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0/s"), (0.25, "0.2/s"), (30, "30/s"), (999, "999/s"), (12_345, "12.3k/s")],
)
def test_rates(rate: float, text: str) -> None:
    assert rate_text(rate) == text
