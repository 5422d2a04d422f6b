"""livetable.feed.server.newest: the newest frame's position, and frames per second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from livetable.feed.protocol.messages import Position
from livetable.feed.server.newest import RATE_SECONDS, Newest, Rate


def test_a_table_begins_without_a_frame() -> None:
    newest = Newest()
    assert newest.position == Position(newest.now.epoch, 0)
    assert newest.now.held.frame is None
    newest.now = replace(newest.now, seq=7)
    assert newest.position.seq == 7
    assert Newest().now.epoch != newest.now.epoch


@pytest.mark.parametrize(
    ("times", "now", "rate"),
    [
        ([], 0.0, 0.0), ([1.0], 1.0, 1 / RATE_SECONDS), ([0.0, 0.5, 1.0], 1.0, 2.0),
        ([0.0, 0.5, 1.0], 1.4, 2.0),  # the next one is not late yet
        ([0.0, 0.5, 1.0], 4.0, 0.5),  # it is late
        ([0.0, 0.5, 1.0], 10.0, 0.0), ([1.0, 1.0, 1.0], 1.0, 2000.0),
    ],
)  # fmt: skip
def test_frames_per_second(times: list[float], now: float, rate: float) -> None:
    counted = Rate()
    for at in times:
        counted.came(at)
    assert counted.per_second(now) == pytest.approx(rate)
