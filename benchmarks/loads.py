"""Rows 7 and 9: as many frames as there can be, and a terminal that takes only so much."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil

from benchmarks.effort import Effort
from benchmarks.measure import LIVETABLE, PYTHON, Came, Feed, Screen, delays, feed, watch
from benchmarks.results import Result, median, quantile

_HEADER_LINE = re.compile(rb"\x1b\[2;\d+H")
"""A paint of the header, which the cursor's column changes and nothing else does."""


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    with feed(folder, 1000, 20, 0, 0.1) as fed:
        flood = _flood(fed, effort)
        return [flood, _slow(fed, effort.long / 2)] if effort.whole else [flood]


def _keys(screen: Screen, seconds: float, pause: float) -> tuple[list[float], Came]:
    took: list[float] = []
    came: Came = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key in (b"l", b"h"):
            milliseconds, output = screen.key(key, _HEADER_LINE)
            took.append(milliseconds)
            came += output
            came += screen.read(pause)
    return took, came


def _flood(fed: Feed, effort: Effort) -> Result:
    feeding = psutil.Process(fed.pid)
    # Until the history is as large as it may be: from then on nothing may grow.
    history = [] if effort.whole else ["--history", "8"]
    with Screen([*LIVETABLE, "bench", *history]) as screen:
        screen.read(40 if effort.whole else 4)
        memory = screen.memory(), feeding.memory_info().rss
        cpu, began, first = screen.cpu(), time.monotonic(), len(fed.sent())
        keys, came = _keys(screen, effort.long, 0.15)
        took = time.monotonic() - began
        load = (screen.cpu() - cpu) / took
        grown = max(
            screen.memory() / memory[0], feeding.memory_info().rss / memory[1]
        ) - 1  # fmt: skip
        sent = fed.sent()
    shown = delays(came, sent)
    rate, offered = len(shown) / took, (len(sent) - first) / took
    age, key = quantile(shown, 0.99), quantile(keys, 0.99)
    stock = watch([PYTHON, "-m", "benchmarks.viewers", "clear", "bench"], fed, effort)
    return Result(
        "7", f"flood: {offered:,.0f} frames a second of 1,000×20 offered, for {took:.0f} s",
        "≥ 30 paints/s, ≤ 100 ms old, key p99 ≤ 50 ms, ≤ 1 core, memory flat within 5 %",
        f"{rate:.0f} paints/s, p99 {age:.0f} ms old, key p50 {median(keys):.0f}, p99 {key:.0f} ms, "
        f"{load:.0%} of a core, memory {grown:+.1%}",
        f"DataTable clear+add {len(stock.delays) / stock.seconds:.0f} paints/s",
        rate >= 30 and age <= 100 and key <= 50 and load <= 1 and grown <= 0.05,
    )  # fmt: skip


def _slow(fed: Feed, seconds: float) -> Result:
    figures = {}
    for rate in (20_000, 64_000):
        with Screen([*LIVETABLE, "bench"], rate=rate) as screen:
            screen.read(12)
            keys, came = _keys(screen, seconds, 0.5)
            shown = delays(came, fed.sent())
            figures[rate] = quantile(shown, 0.95), quantile(keys, 0.95), len(shown)
    slow, fast = figures[20_000], figures[64_000]
    return Result(
        "9", "a terminal that takes 20 kB/s, and 64 kB/s, in that flood",
        "p95 ≤ 1 s old and key ≤ 1 s; at 64 kB/s ≤ 0.4 s",
        f"20 kB/s: {slow[0] / 1000:.2f} s old, key {slow[1] / 1000:.2f} s; "
        f"64 kB/s: {fast[0] / 1000:.2f} s old, key {fast[1] / 1000:.2f} s",
        f"{slow[2]} and {fast[2]} states shown",
        slow[0] <= 1000 and slow[1] <= 1000 and fast[0] <= 400,
    )  # fmt: skip
