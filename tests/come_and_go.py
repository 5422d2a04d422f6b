"""`python -m tests.come_and_go --hours H`: viewers, feeds, tables, schemas that come and go.

Prints, ten times over the run, what a long-lived feed and a long-lived viewer hold: memory, file
descriptors, threads. Exit code 1 if they grow from the second tenth on.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.terminal import Terminal, environment_for

FEED = """
import random, sys, time
import numpy as np, pandas as pd
from livetable.feed import Publisher
chance = random.Random(1)
steady = Publisher("steady", key="id")
others = {}
turn = 0
while True:
    turn += 1
    rows = chance.choice((0, 1, 10, 1000, 5000))
    columns = chance.choice((1, 3, 20))
    frame = pd.DataFrame(np.random.default_rng(turn).random((rows, columns)),
                         columns=[f"c{chance.randrange(30)}-{at}" for at in range(columns)])
    frame.insert(0, "id", range(rows))
    steady.send(frame)
    if rows:
        steady.upsert({"id": 0, frame.columns[1]: 0.5})
        steady.delete([rows - 1])
    name = f"t{chance.randrange(8)}"
    if name in others:
        others.pop(name).close()
    else:
        others[name] = Publisher(name, limit=1000)
        others[name].append({"turn": [turn], "text": ["x" * chance.randrange(200)]})
    time.sleep(0.02)
"""


def held(pid: int) -> tuple[float, int, int]:
    """Return megabytes, file descriptors and threads of a process."""
    process = psutil.Process(pid)
    with process.oneshot():
        return process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()


def churn(folder: Path, chance: random.Random) -> None:
    """Have a viewer come, look, and go: in order or not."""
    table = chance.choice(("steady", "steady", "t1", None))
    command = ["livetable", *([table] if table else [])]
    with Terminal(*command, folder=folder, size=(chance.choice((10, 50)), 100)) as viewer:
        viewer.wait_for(lambda: b"?1049h" in viewer.raw)
        time.sleep(chance.random())
        viewer.send(chance.choice(("jjjj", "s", "/x\r", "q", "\x03", "lli", " ,,")))
        time.sleep(chance.random())


def main() -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1 / 6, help="default: ten minutes")
    options = parser.parse_args()
    chance = random.Random(2)
    seconds = options.hours * 3600
    with tempfile.TemporaryDirectory(prefix="lt-", dir="/tmp") as name:
        folder = Path(name)
        os.environ["XDG_CONFIG_HOME"] = name
        feed = subprocess.Popen([sys.executable, "-c", FEED], env=environment_for(folder))
        command = ("livetable", "steady", "--history", "8")
        with Terminal(*command, folder=folder, size=(50, 200)) as viewer:
            viewer.wait_for("● live")
            print("| after | feed MB | fds | threads | viewer MB | fds | threads | came and went |")
            print("|---|---|---|---|---|---|---|---|")
            rows = []
            began, came = time.monotonic(), 0
            for tenth in range(1, 11):
                while time.monotonic() < began + seconds * tenth / 10:
                    churn(folder, chance)
                    came += 1
                with viewer._lock:
                    viewer.raw.clear()
                rows.append((*held(feed.pid), *held(viewer.pid)))
                said = " | ".join(f"{value:.0f}" for value in rows[-1])
                print(f"| {seconds * tenth / 10 / 60:.1f} min | {said} | {came} |", flush=True)
            assert "● live" in viewer.text, viewer.text
        feed.kill()
        feed.wait()
    # From the second tenth on: what is loaded late is loaded by then. A tenth is noise.
    first, last = rows[1], rows[-1]
    flat = [last[at] <= first[at] * 1.1 + room for at, room in enumerate((20, 12, 3, 20, 6, 3))]
    print("flat" if all(flat) else f"NOT FLAT: {first} to {last}")
    return 0 if all(flat) else 1


if __name__ == "__main__":
    raise SystemExit(main())
