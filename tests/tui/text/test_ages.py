"""tui.text.ages: ages, rates and spans as short text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.text.ages import age_text, line_text, rate_text, span_text


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


@pytest.mark.parametrize(
    ("rate", "behind", "text"),
    [
        (None, 0.0, "line unknown · 0.0 s behind"),
        (0.0, 1.24, "line 1 kB/s · 1.2 s behind"),
        (20_400.0, 0.3, "line 20 kB/s · 0.3 s behind"),
        (999_499.0, 0.0, "line 999 kB/s · 0.0 s behind"),
        (999_500.0, 0.0, "line 1.0 MB/s · 0.0 s behind"),
    ],
)
def test_a_line_in_words(rate: float | None, behind: float, text: str) -> None:
    assert line_text(rate, behind) == text


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_what_is_older_never_looks_younger(one: float, other: float) -> None:
    def seconds(text: str) -> int:
        if text == "now":
            return 0
        number, unit = text.split()
        return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]

    younger, older = sorted((one, other))
    assert seconds(age_text(younger)) <= seconds(age_text(older)) <= older


@given(st.floats(0, 1e7))
def test_a_span_in_digits_is_the_span(seconds: float) -> None:
    text = span_text(seconds)
    if text.endswith(" s"):
        assert abs(float(text[:-2]) - seconds) <= 1.0
    else:
        found = 0
        for part in text.split(":"):
            found = found * 60 + int(part)
        assert found == int(seconds)


@given(st.floats(0, 1e6))
def test_a_rate_takes_few_letters(rate: float) -> None:
    text = rate_text(rate)
    digits = text.removesuffix("/s").removesuffix("k")
    assert float(digits) * (1000 if "k" in text else 1) == pytest.approx(rate, rel=0.06, abs=0.06)
    assert len(text) <= (6 if rate < 9_950 else 9)
