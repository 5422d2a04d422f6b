"""Publish → terminal, side by side: `python benchmarks/latency.py [--seconds S]`.

The same feed process, 1,000 × 20, a tenth of the cells changed 30 times a second, a 200×50
pseudo-terminal; one viewer after the other. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measure import Shown, feed, runtime_folder, watch

HZ = 30


def main() -> None:
    """Run all viewers and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.1)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    python = sys.executable
    viewers = {
        "livetable": [python, "-m", "livetable.tui", "bench"],
        "`DataTable.clear()` + `add_rows()`": [
            python,
            "-m",
            "benchmarks.viewers",
            "clear",
            "bench",
        ],
        "`DataTable.update_cell` in sight": [python, "-m", "benchmarks.viewers", "update", "bench"],
        "textual-fastdatatable": [python, "-m", "benchmarks.viewers", "fast", "bench"],
    }
    results: dict[str, Shown] = {}
    with (
        runtime_folder() as folder,
        feed(folder, options.rows, options.columns, HZ, options.share) as times,
    ):
        for name, command in viewers.items():
            results[name] = watch(command, times, options.seconds)
    ours = results["livetable"]
    print("| viewer | shown | p50 | p99 | × livetable | CPU of a core | bytes a paint |")
    print("|---|---|---|---|---|---|---|")
    for name, shown in results.items():
        frames = max(1, len(shown.delays))
        print(
            f"| {name} | {len(shown.delays)} of {round(shown.seconds * HZ)} "
            f"| {shown.delay(0.5):.1f} ms | {shown.delay(0.99):.1f} ms "
            f"| {shown.delay(0.5) / ours.delay(0.5):.1f} "
            f"| {shown.cpu / shown.seconds:.0%} | {shown.bytes / frames:,.0f} |"
        )


if __name__ == "__main__":
    main()
