"""tui.text.clock: times of day as people write them, and as they are shown."""

from __future__ import annotations

import datetime
import time
from dataclasses import replace

import pytest

from livetable.tui.text.ages import span_text
from livetable.tui.text.clock import read_moment, wall_text
from livetable.tui.widgets.time_line import Moment

NOW = datetime.datetime(2026, 11, 24, 14, 3, 7).timestamp()


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("14:03", 7),
        ("14:03:07", 0),
        ("14:03:05.5", 1.5),
        ("-30", 30),
        ("30 s", 30),
        ("-30 seconds", 30),
        ("2 min ago", 120),
        ("1.5h", 5400),
        ("3 x", None),
        ("0", 0),
        ("15:00", 24 * 3600 - 3600 + 187),
        ("25:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_moments_are_read(text: str, ago: float | None) -> None:
    moment = read_moment(text, NOW)
    assert moment is None if ago is None else moment == pytest.approx(NOW - ago)


def test_moments_are_written() -> None:
    hour = time.strftime("%H:", time.localtime(time.time() - 1)), time.strftime("%H:")
    assert wall_text(time.time())[:3] in hour
    assert [span_text(span) for span in (-1, 0.44, 12.9, 187, 7387)] == [
        "0.0 s", "0.4 s", "12 s", "3:07", "2:03:07",
    ]  # fmt: skip
    moment = Moment(at=5, wall=0, first=0, last=10, frame=1, frames=2, bytes=0, limit=1)
    assert moment.share == 0.5
    assert replace(moment, last=0, at=0).share == 1.0
