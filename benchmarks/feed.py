"""The feed of the benchmarks: `python -m benchmarks.feed NAME ROWS COLUMNS HZ SHARE TIMES`.

Each frame has its mark in the first cell; a share of all cells changes from one to the next. When
each frame was sent is written to the file TIMES: eight bytes of monotonic nanoseconds a frame.
"""

from __future__ import annotations

import struct
import sys
import time

import numpy as np
import pandas as pd

from benchmarks.marks import mark_of
from livetable.feed import Publisher


def main() -> None:
    """Publish until killed; HZ 0 is as fast as the loop turns."""
    name, rows, columns, hz, share = sys.argv[1], *map(float, sys.argv[2:6])
    count, width = int(rows), int(columns)
    random = np.random.default_rng(1)
    values = np.asfortranarray(random.normal(100.0, 20.0, (count, width - 1)).round(2))
    base = values.copy()  # values stay around it: a table whose columns never widen
    marks = np.full(count, "-" * 8, dtype=object)
    labels = [f"c{number}" for number in range(width - 1)]
    changes = (
        [
            (random.random(values.shape) < share, random.normal(0, 1, values.shape).round(2))
            for _ in range(8)
        ]
        if count * width <= 2_000_000
        else []
    )
    with Publisher(name) as publisher, open(sys.argv[6], "wb", buffering=0) as times:
        due = time.monotonic()
        frame = 0
        while True:
            if changes:
                who, by = changes[frame % len(changes)]
                values = np.where(who, base + by, values)
            else:  # a large table: the rows in sight and every hundredth
                values[:50] += random.normal(0, 1, (50, width - 1)) * (
                    random.random((50, width - 1)) < share
                )
            marks[0] = mark_of(frame)
            table = pd.DataFrame(values, columns=labels)
            table.insert(0, "mark", pd.Series(marks, dtype=object))
            now = time.monotonic_ns()
            publisher.send(table)
            times.write(struct.pack("q", now))
            frame += 1
            if hz:
                due += 1 / hz
                time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
