"""Rows 10 and 11: how long it takes to the first row, and what it takes to show nothing new."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import LIVETABLE, PYTHON, Screen, feed, processor_seconds
from benchmarks.results import Result, median

EMPTY = [PYTHON, "-m", "benchmarks.empty"]


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    # One frame, and then silence.
    with feed(folder, 1000, 20, 1e-6, 0.1) as fed:
        return [_start(4 * effort.tries), _idle(fed.pid, effort)]


def _start(tries: int) -> Result:
    ratios: list[float] = []
    empty: list[float] = []
    ours: list[float] = []
    for _ in range(tries):  # in turn: the machine is not the same from one second to the next
        for command, wanted, times in (
            (EMPTY, b"EMPTY-APP", empty), ([*LIVETABLE, "bench"], b"c18", ours)
        ):  # fmt: skip
            with Screen(command) as screen:
                times.append(screen.until(re.compile(wanted)) * 1000)
        ratios.append(ours[-1] / empty[-1])
    ratio = median(ratios)
    return Result(
        "10", "`livetable NAME`, from the command to its first rows",
        "≤ 2 × an empty Textual app's first paint", f"{median(ours):.0f} ms: {ratio:.2f}×",
        f"the empty app {median(empty):.0f} ms", ratio <= 2,
    )  # fmt: skip


def _idle(feed_pid: int, effort: Effort) -> Result:
    with Screen(EMPTY) as empty, Screen([*LIVETABLE, "bench"]) as screen:
        for one in (empty, screen):
            one.read(effort.settle)
        before = empty.cpu(), screen.cpu(), processor_seconds(feed_pid)
        began = time.monotonic()
        while time.monotonic() - began < effort.long:
            screen.read(0.5)
            empty.read(0.01)
        took = time.monotonic() - began
        after = empty.cpu(), screen.cpu(), processor_seconds(feed_pid)
    nothing, ours, fed = ((b - a) / took for a, b in zip(before, after, strict=True))
    return Result(
        "11", f"idle: a table shown and no news for {took:.0f} s",
        "≤ an idle empty Textual app; feed ≤ 0.1 %", f"viewer {ours:.2%}, feed {fed:.2%}",
        f"the empty app {nothing:.2%}", ours <= max(nothing, 0.0005) and fed <= 0.001,
    )  # fmt: skip
