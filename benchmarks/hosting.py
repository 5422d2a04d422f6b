"""Row 18: the widget in somebody's app, and what they would use instead."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import PYTHON, Feed, Screen, Shown, delays
from benchmarks.results import Result, quantile

HZ = 30
_WAYS = ("live", "clear", "update", "fast")
_KEY = re.compile(rb"([ghjklmz])\1{7}")
"""What the line of the app says of its key; no cell of the table holds it."""


@dataclass
class Hosted(Shown):
    """What came out of an app; and the milliseconds that its own key took."""

    keys: tuple[float, ...] = ()


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    hosted = {how: _watch(how, folder, effort) for how in _WAYS}
    ours = hosted["live"]
    slower = {how: one.delay(0.5) / ours.delay(0.5) for how, one in hosted.items()}
    key = quantile(ours.keys, 0.99)
    return [
        Result(
            "18", "`LiveTable.show` → terminal in somebody's app, 1,000×20, 30/s",
            "p50 ≤ 6 ms, clear+add ≥ 10×, fastdatatable ≥ 5×, the app's own keys p99 ≤ 50 ms",
            f"p50 {ours.delay(0.5):.1f} ms, p99 {ours.delay(0.99):.1f} ms, "
            f"{len(ours.delays)} of {round(ours.seconds * HZ)} frames, keys p99 {key:.0f} ms, "
            f"{ours.load:.0%} of a core",
            ", ".join(
                f"{name} {hosted[how].delay(0.5):.0f} ms: {slower[how]:.0f}×, "
                f"keys p99 {quantile(hosted[how].keys, 0.99):.0f} ms"
                for name, how in (
                    ("DataTable clear+add", "clear"), ("update_cell", "update"),
                    ("fastdatatable", "fast"),
                )
            ),
            ours.delay(0.5) <= 6 and slower["clear"] >= 10 and slower["fast"] >= 5 and key <= 50,
        ),
    ]  # fmt: skip


def _watch(how: str, folder: Path, effort: Effort) -> Hosted:
    times = folder / f"host-{how}.times"
    words = ["1000", "20", str(HZ), "0.1", str(times)]
    with Screen([PYTHON, "-m", "benchmarks.hosts", how, *words]) as screen:
        screen.read(effort.settle)
        shown = Hosted()
        cpu, began = screen.cpu(), time.monotonic()
        came = screen.read(effort.look)
        shown.cpu, shown.seconds = screen.cpu() - cpu, time.monotonic() - began
        keys = []
        until = time.monotonic() + effort.look
        while time.monotonic() < until:
            keys.append(screen.key(b"K", _KEY)[0])
            screen.read(0.07)
        shown.keys = tuple(keys)
        shown.delays = delays(came, Feed(times, screen.pid).sent())
    return shown
