"""A large table whose order is known: `python -m benchmarks.ranks NAME ROWS HZ`.

Sorted by `rank` its first row says AAAAAAAA, its last ZZZZZZZZ: texts that share no letter in any
place, as only letters that differ are written. The other columns move.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

from livetable.feed import Publisher


def main() -> None:
    """Publish until killed."""
    name, rows, hz = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    random = np.random.default_rng(1)
    rank = random.permutation(rows).astype(float)
    label = np.full(rows, "between", dtype=object)
    label[rank == 0], label[rank == rows - 1] = "AAAAAAAA", "ZZZZZZZZ"
    frame = pd.DataFrame({"id": np.arange(rows), "rank": rank, "label": pd.Series(label)})
    for number in range(1, 8):
        frame[f"x{number}"] = random.random(rows)
    with Publisher(name, key="id") as publisher:
        while True:
            publisher.send(frame)
            frame = frame.assign(x1=random.random(rows), x2=random.random(rows))
            time.sleep(1 / hz)


if __name__ == "__main__":
    main()
