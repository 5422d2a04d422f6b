"""Rows 6 and 8: a paint of a million rows, and sorting and filtering them while they move."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import LIVETABLE, PYTHON, Screen, process
from benchmarks.results import Result, median, quantile

HEADER_LINE = re.compile(rb"\x1b\[3;\d+H")
"""A paint of the header, which the cursor's column changes; the line above says the order."""


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    repaint = _repaint(folder, effort)
    return [repaint, _arranging(effort)] if effort.whole else [repaint]


def _repaint(folder: Path, effort: Effort) -> Result:
    took = {}
    for name, rows, how in (
        ("1k", 1000, "plain"),
        ("1M", 10**6, "plain"),
        ("sorted", 10**6, "sort"),
    ):
        report = folder / "repaint.json"
        words = str(rows), how, str(50 * effort.tries), str(report)
        with Screen([PYTHON, "-m", "benchmarks.repaint", *words]) as screen:
            until = time.monotonic() + 60
            while not report.exists() and time.monotonic() < until:
                screen.read(0.2)
        took[name] = float(json.loads(report.read_text()))
        report.unlink()
    plain, ordered = took["1M"] / took["1k"], took["sorted"] / took["1k"]
    return Result(
        "6", "a repaint after a change, 1M×10 rows against 1k×10", "≤ 1.3 ×, sorted ≤ 3 ×",
        f"{plain:.2f}×, sorted {ordered:.2f}×",
        f"1k {took['1k']:.2f} ms, 1M {took['1M']:.2f} ms, sorted {took['sorted']:.2f} ms",
        plain <= 1.3 and ordered <= 3,
    )  # fmt: skip


def _arranging(effort: Effort) -> Result:
    with (
        process(PYTHON, "-m", "benchmarks.ranks", "ranks", "1000000", "5"),
        Screen([*LIVETABLE, "ranks"]) as screen,
    ):
        screen.until(re.compile(rb"between"), 60)
        screen.read(3)
        orders, keys = [], []
        screen.send(b"f")
        screen.read(1)
        screen.send(b"x1 > -1\r")  # all rows meet it, so both ends stay
        screen.read(3)
        began = time.monotonic()
        while time.monotonic() - began < 15:
            for wanted in (b"AAAAAAAA", b"ZZZZZZZZ"):
                took, _ = screen.key(b"s", re.compile(wanted))
                orders.append(took)
                for key in (b"l", b"h", b"l", b"h"):
                    took, _ = screen.key(key, HEADER_LINE)
                    keys.append(took)
                    screen.read(0.07)
            screen.send(b"s")
            screen.read(0.8)
    order, slowest = median(orders), quantile(keys, 0.99)
    return Result(
        "8", "1M×10 sorted and filtered while it updates 5 times a second",
        "keys p99 ≤ 60 ms, a new order ≤ 500 ms",
        f"keys p50 {median(keys):.0f}, p99 {slowest:.0f} ms; a new order {order:.0f} ms, "
        f"at most {max(orders):.0f}",
        f"{pandas_alone():.0f} ms: `df.sort_values` and `df.query` alone",
        slowest <= 60 and order <= 500,
    )  # fmt: skip


def pandas_alone() -> float:
    """Return the milliseconds of pandas' own sort and filter of such a table."""
    code = (
        "import numpy as np, pandas as pd, time\n"
        "df = pd.DataFrame(np.random.default_rng(1).random((1_000_000, 10))).rename(columns=str)\n"
        "df.columns = [f'x{n}' for n in range(10)]\n"
        "t = time.perf_counter(); df.query('x1 > -1').sort_values('x0')\n"
        "print((time.perf_counter() - t) * 1000)"
    )
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)
