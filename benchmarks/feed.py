"""The feed of the benchmarks: `python -m benchmarks.feed NAME ROWS COLUMNS HZ SHARE TIMES`.

Each frame has its mark in the first cell; a share of all cells changes from one to the next. When
each frame was sent is written to the file TIMES: eight bytes of monotonic nanoseconds a frame.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from benchmarks.marks import mark_of
from livetable.feed import Publisher


def frames(count: int, width: int, share: float) -> Iterator[pd.DataFrame]:
    """Yield frames for ever.

    Args:
        count: How many rows they have.
        width: How many columns, the mark's among them.
        share: How many of all cells change from one to the next.
    """
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
        yield table
        frame += 1


def run(show: Callable[[pd.DataFrame], object], words: list[str]) -> None:
    """Show frames until killed.

    Args:
        show: What is done with each.
        words: Rows, columns, frames a second, share and file of times; 0 frames a second are as
            many as there can be.
    """
    count, width, hz, share = map(float, words[:4])
    with open(words[4], "wb", buffering=0) as times:
        due = time.monotonic()
        for table in frames(int(count), int(width), share):
            now = time.monotonic_ns()
            show(table)
            times.write(struct.pack("q", now))
            if hz:
                due += 1 / hz
                time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    """Publish until killed."""
    with Publisher(sys.argv[1]) as publisher:
        run(publisher.send, sys.argv[2:])


if __name__ == "__main__":
    main()
