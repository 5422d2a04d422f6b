"""Rows 16 and 17: what recording costs, and how long it takes to be somewhere in a long tape."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import LIVETABLE, PYTHON, feed, watch
from benchmarks.results import Result, median

GIGABYTE = 1 << 30


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    return [_recording(folder, effort), _opening(folder, effort)]


def _recording(folder: Path, effort: Effort) -> Result:
    plain, recorded = [], []
    with feed(folder, 1000, 20, 30, 0.1) as fed:
        for number in range(effort.tries):
            plain.append(watch([*LIVETABLE, "bench"], fed, effort).load)
            command = [*LIVETABLE, "bench", "--record", str(folder / f"{number}.tape")]
            recorded.append(watch(command, fed, effort).load)
    extra = median([one - other for one, other in zip(recorded, plain, strict=True)])
    return Result(
        "16", "recording 1,000×20 at 30/s to a tape", "≤ 10 % of a core more, none in the producer",
        f"{extra:+.1%} of a core", f"viewer {median(plain):.1%} without, {median(recorded):.1%} "
        "with it; the producer does not take part", extra <= 0.10,
    )  # fmt: skip


def _opening(folder: Path, effort: Effort) -> Result:
    path = folder / "long.tape"
    size = GIGABYTE if effort.whole else GIGABYTE // 16
    _ask("write", str(path), str(size))
    opened = [_ask("open", str(path)) for _ in range(effort.tries)]
    read = _ask("read", str(path))
    path.unlink()
    took = median([one["ms"] for one in opened])
    return Result(
        "17", f"a tape of {size / GIGABYTE:g} GB: to the table at a time in its middle",
        "≤ 1 s, O(1) memory",
        f"{took:.0f} ms, {median([one['MB'] for one in opened]):.0f} MB more",
        f"by pyarrow alone, read up to there: {read['ms']:,.0f} ms", took <= 1000,
    )  # fmt: skip


def _ask(*words: str) -> dict[str, float]:
    command = [PYTHON, "-m", "benchmarks.tapes", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer
