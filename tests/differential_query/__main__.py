"""Compare what the viewer works out with pandas, DuckDB and arithmetic, on random inputs.

    python -m tests.differential_query [--each N] [--only KIND] [--seed SEED]

A line for each kind says how many were compared; each difference stands there with the smallest
input that still has it. Ends with 1 if there is any. The same seed makes the same inputs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Final

import numpy as np

from tests.differential_query import arranged, exported, expressions, kept, shown
from tests.differential_query.reference import Unknown

KINDS: Final[dict[str, tuple[Callable[[random.Random], str | None], float]]] = {
    "expressions": (expressions.compare, 2.0),
    "times": (expressions.compare_times, 1.0),
    "cells": (expressions.compare_cells, 1.0),
    "sorts": (arranged.sort, 1.0),
    "groups": (arranged.group, 1.0),
    "figures": (arranged.figure, 1.0),
    "searches": (shown.search, 1.0),
    "formats": (shown.write, 1.0),
    "exports": (exported.write, 1.0),
    "kept up": (kept.follow, 0.2),
}
"""What is compared, and of how many, in parts of `--each`."""

_MOST: Final = 10  # differences of a kind that are shown


def run(kind: str, count: int, seed: int) -> tuple[int, int]:
    """Compare so many inputs of a kind; return how many were, and how many differ."""
    compare = KINDS[kind][0]
    compared = differences = 0
    for number in range(count):
        try:
            found = compare(random.Random(f"{kind} {seed} {number}"))
        except Unknown:
            continue
        except Exception:
            found = traceback.format_exc()
        compared += 1
        if found is not None:
            differences += 1
            print(f"{kind} {number}: {found}", flush=True)
            if differences == _MOST:
                break
    return compared, differences


def main() -> int:
    """Compare all kinds, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=6000, help="inputs of each kind")
    parser.add_argument("--only", choices=KINDS, help="one kind")
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    every = 0
    began = time.monotonic()
    for kind, (_, share) in KINDS.items():
        if options.only in (None, kind):
            count = max(1, round(options.each * share))
            compared, differences = run(kind, count, options.seed)
            every += differences
            print(f"{kind}: {compared:,} compared, {differences} differ", flush=True)
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if every else 0


if __name__ == "__main__":
    sys.exit(main())
