"""Each viewer's own figures on the same frames: `python benchmarks/latency.py [--seconds S]`.

1,000 × 20, a tenth of the cells changed 30 times a second, one feed process, a 200×50
pseudo-terminal, one viewer after the other. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.effort import THOROUGH
from benchmarks.measure import LIVETABLE, PYTHON, feed, runtime_folder, watch
from benchmarks.painting import HZ, STOCK


def main() -> None:
    """Run all viewers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    effort = replace(THOROUGH, look=parser.parse_args().seconds)
    stock = {
        name: [PYTHON, "-m", "benchmarks.viewers", how, "bench"] for name, how in STOCK.items()
    }
    print(
        "| viewer | shown | p50 | p99 | CPU of a core | bytes a paint |\n|---|---|---|---|---|---|"
    )
    with runtime_folder() as folder, feed(folder, 1000, 20, HZ, 0.1) as fed:
        for name, command in {"livetable": [*LIVETABLE, "bench"], **stock}.items():
            shown = watch(command, fed, effort)
            frames = max(1, len(shown.delays))
            print(
                f"| {name} | {len(shown.delays)} of {round(shown.seconds * HZ)} "
                f"| {shown.delay(0.5):.1f} ms | {shown.delay(0.99):.1f} ms "
                f"| {shown.load:.0%} | {shown.size / frames:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
