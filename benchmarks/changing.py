"""Rows 14 and 15: a hundred rows into a table of a million, and of ten thousand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import PYTHON
from benchmarks.results import Result, median


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    small, large = [], []
    for _ in range(effort.tries):  # in turn: the machine is not the same from one to the next
        small.append(_ask(10_000, 300))
        large.append(_ask(1_000_000, 300))

    def ratio(name: str) -> float:
        return median([one[name] / other[name] for one, other in zip(large, small, strict=True)])

    def at_a_million(name: str) -> float:
        return median([one[name] for one in large])

    whole = f"the table sent whole {at_a_million('whole'):.0f} ms"
    return [
        Result(
            "14", "`upsert` of 100 rows at random, 1M×10 against 10k×10",
            "≤ 2 × in the caller and in the feed's thread",
            f"caller {ratio('upsert'):.1f}×, feed's thread {ratio('since'):.1f}×",
            f"caller {at_a_million('upsert'):.2f} ms, thread {at_a_million('since'):.2f} ms at 1M; "
            f"the first one after a `send` {at_a_million('first'):.0f} ms; {whole}",
            ratio("upsert") <= 2 and ratio("since") <= 2,
        ),
        Result(
            "15", "the viewer takes these in, 1M×10 against 10k×10", "≤ 2 ×",
            f"{ratio('apply'):.1f}×", f"{at_a_million('apply'):.2f} ms at 1M", ratio("apply") <= 2,
        ),
    ]  # fmt: skip


def _ask(rows: int, times: int) -> dict[str, float]:
    command = [PYTHON, "-m", "benchmarks.upserting", str(rows), str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer
