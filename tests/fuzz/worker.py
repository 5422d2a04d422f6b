"""A process that takes damaged messages until it has taken all, or dies.

Tells on standard output, a JSON object a line, so that whoever started it knows what killed it.
"""

from __future__ import annotations

import json
import logging
import random
import resource
import sys
import time
import traceback
from collections import Counter

from tests.fuzz.corpus import damaged
from tests.fuzz.targets import TARGETS

MEMORY = 6 << 30
"""Address space it may have: what takes more is a bomb that went off."""


def message(target: str, seed: int, good: list[bytes]) -> bytes:
    """Return the damaged message of a seed."""
    chance = random.Random(f"{target} {seed}")
    return damaged(chance.choice(good), chance.choice(good), chance)


def main() -> None:
    """Take the messages of seeds from a first one on."""
    target, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    logging.disable()
    take, make = TARGETS[target]
    good = make()
    for one in good:
        take(one)  # whole, each is taken; and what is loaded late is there
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    began_with = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for seed in range(first, first + count):
        if seed % 50 == 0 or first + count - seed < 50:
            print(json.dumps({"at": seed}), flush=True)
        data = message(target, seed, good)
        began = time.perf_counter()
        try:
            outcomes[take(data)] += 1
        except BaseException as error:
            outcomes["FAULT"] += 1
            where = traceback.format_exc().splitlines()[-9:]
            print(
                json.dumps({"fault": seed, "error": repr(error)[:200], "where": where}), flush=True
            )
        slowest = max(slowest, time.perf_counter() - began)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began_with
    print(json.dumps({"done": outcomes, "slowest": slowest, "grown": grown / 1024}), flush=True)


if __name__ == "__main__":
    main()
