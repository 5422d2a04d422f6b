"""`python -m tests.fuzz [TARGET ...] --messages N`: damaged messages, and a table of what they did.

Exit code 1 if a process died or hung, an exception came out, or memory grew beyond its bound.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.fuzz.targets import TARGETS
from tests.waiting import killed_after

HANGS = 30.0
"""A message that takes so many seconds is a hang."""

GROWN = 2500.0
"""Megabytes by which a process may grow: what messages may unpack to, and room to look at it."""


@dataclass
class Found:
    """What became of a target's messages."""

    outcomes: Counter[str] = field(default_factory=Counter)
    deaths: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    grown: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was harmed."""
        return not (self.deaths or self.faults) and self.grown < GROWN


def run(target: str, messages: int, first: int = 0) -> Found:
    """Give a target so many messages, in processes that may die of it."""
    found = Found()
    at, last = first, first + messages
    while at < last:
        command = [sys.executable, "-m", "tests.fuzz.worker", target, str(at), str(last - at)]
        with killed_after(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as worker:
            reached, done = _follow(worker, found, at)
        if done:
            break
        # From the last one it told of: which of fifty it was is found by taking them again.
        how = f"exit {worker.returncode}"
        found.deaths.append(f"{target} seeds {reached}…{reached + 49}: {how}")
        at = reached + 50
        if len(found.deaths) > 20:
            break
    return found


def _follow(worker: subprocess.Popen[str], found: Found, at: int) -> tuple[int, bool]:
    assert worker.stdout is not None
    reached = at
    while True:
        ready, _, _ = select.select([worker.stdout], [], [], HANGS * 4)
        line = worker.stdout.readline() if ready else ""
        if not line:
            worker.kill()
            worker.wait()
            return reached, False
        told = json.loads(line)
        if "at" in told:
            reached = told["at"]
        elif "fault" in told:
            found.faults.append(
                f"seed {told['fault']}: {told['error']}\n  " + "\n  ".join(told["where"])
            )
        elif "done" in told:
            found.outcomes.update(told["done"])
            found.slowest = max(found.slowest, told["slowest"])
            found.grown = max(found.grown, told["grown"])
            return reached, True


def main() -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument(
        "--messages", type=int, default=100_000, help="of each, default: %(default)s"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    clean = True
    print(
        "| messages | given to | what became of them | slowest | grown | deaths, hangs | faults |"
    )
    print("|---|---|---|---|---|---|---|")
    for target in options.targets or TARGETS:
        began = time.monotonic()
        found = run(target, options.messages, options.first)
        told = ", ".join(f"{number:,} {name}" for name, number in found.outcomes.most_common())
        print(
            f"| {options.messages:,} | {target} | {told} | {found.slowest:.2f} s "
            f"| {found.grown:.0f} MB | {len(found.deaths)} | {len(found.faults)} |",
            flush=True,
        )
        for one in (*found.deaths, *found.faults[:5]):
            print(one, file=sys.stderr)
        print(f"{target}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        clean = clean and found.is_clean
    return 0 if clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
