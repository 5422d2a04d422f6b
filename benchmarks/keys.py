"""What encryption costs: frames read a second over TCP, without and with keys, by turns.

`python -m benchmarks.keys` prints a table; each figure is the median of the turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from livetable.feed import Subscriber
from livetable.feed.curve import keys

SIZES = ((1_000, 3), (1_000, 20), (100_000, 10), (1_000_000, 10))
TURNS = 3
SECONDS = 3.0

FEED = """
import sys, time
import numpy as np, pandas as pd
from livetable.feed import Publisher
rows, columns, secure = map(int, sys.argv[1:])
frame = pd.DataFrame(np.random.default_rng(1).random((rows, columns)))
feed = Publisher("bench", endpoint="tcp://127.0.0.1:0", secure=bool(secure))
print(feed.endpoint, flush=True)
while True:
    feed.send(frame)
    time.sleep(0.001)
"""


def read(rows: int, columns: int, *, secure: bool) -> tuple[float, float]:
    """Return frames a second, and megabytes a second."""
    with subprocess.Popen(
        [sys.executable, "-c", FEED, str(rows), str(columns), str(int(secure))],
        stdout=subprocess.PIPE,
        text=True,
    ) as feed:
        assert feed.stdout is not None
        endpoint = feed.stdout.readline().strip()
        pair = keys.own_pair()
        if secure and pair is not None:
            keys.trust(endpoint, pair.public)
        with Subscriber(f"{endpoint}#bench", timeout=20) as table:
            table.get_arrow()
            frames = size = 0
            began = time.perf_counter()
            while (took := time.perf_counter() - began) < SECONDS:
                table.get_arrow()
                assert table.header is not None
                frames += 1
                size += table.header.size
        feed.kill()
    return frames / took, size / took / 1e6


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_RUNTIME_DIR"] = folder
        keys.keygen()
        print("| table | plain | with keys | throughput with keys |\n|---|---|---|---|")
        for rows, columns in SIZES:
            found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
            for _ in range(TURNS):
                for secure in found:
                    found[secure].append(read(rows, columns, secure=secure))
            plain, coded = (
                [statistics.median(values) for values in zip(*turns, strict=True)]
                for turns in found.values()
            )
            said = [f"{rate:,.0f} frames/s, {size:,.0f} MB/s" for rate, size in (plain, coded)]
            ratio = f"{coded[0] / plain[0]:.2f}x"
            print(f"| {rows:,} x {columns} | {said[0]} | {said[1]} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
