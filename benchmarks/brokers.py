"""1,000 tables and 50 readers: by a direct socket, by NATS and by Redis, in one run.

    python -m benchmarks.brokers

Prints the table that docs/scale.md carries. Readers are the viewer's own client, each on a table of
its own; through a broker they read from one bridge.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from livetable.feed import Subscriber
from tests.brokers import Server, free_port, missing

PRODUCER = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
endpoint, count, hz = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
tables = [Publisher(f"t{at}", key="id", endpoint=endpoint, listed=False) for at in range(count)]
frame = pd.DataFrame({"id": range(100), "x": 1.5, "y": 2.5, "sent": 0.0})
print("ready", flush=True)
due = time.monotonic()
while True:
    for table in tables:
        due += 1 / (hz * count)
        time.sleep(max(0.0, due - time.monotonic()))
        frame["sent"] = time.time()
        table.send(frame)
"""


def measure(
    endpoint: str, read_at: str | None, tables: int, readers: int, seconds: float,
    others: list[psutil.Process], hz: float,
) -> str:  # fmt: skip
    """Return a line of figures."""
    producer = subprocess.Popen(
        [sys.executable, "-c", PRODUCER, endpoint, str(tables), str(hz)], stdout=subprocess.PIPE
    )
    assert producer.stdout is not None
    producer.stdout.readline()
    bridge = None
    processes = {"producer": psutil.Process(producer.pid)}
    try:
        if read_at is not None:
            command = [sys.executable, "-m", "livetable.feed", endpoint, "--bind", read_at]
            bridge = subprocess.Popen(command, stderr=subprocess.PIPE)
            assert bridge.stderr is not None
            bridge.stderr.readline()
            processes["bridge"] = psutil.Process(bridge.pid)
            processes["broker"] = others[0]
        late: list[float] = []
        ready, stop = threading.Barrier(readers + 1), threading.Event()

        def read(at: int) -> None:
            with Subscriber(f"{read_at or endpoint}#t{at}", timeout=30) as table:
                table.get()
                ready.wait()
                while not stop.is_set():
                    frame = table.get()
                    late.append(time.time() - float(frame["sent"].iloc[0]))

        threads = [threading.Thread(target=read, args=(at,)) for at in range(readers)]
        for thread in threads:
            thread.start()
        ready.wait()
        before = {name: sum(one.cpu_times()[:2]) for name, one in processes.items()}
        late.clear()
        time.sleep(seconds)
        found = np.array(late) * 1000
        used = {
            name: (sum(one.cpu_times()[:2]) - before[name]) / seconds * 100
            for name, one in processes.items()
        }
        stop.set()
        for thread in threads:
            thread.join(30)
    finally:
        for process in (producer, bridge):
            if process is not None:
                process.kill()
                process.communicate()
    shown = " + ".join(f"{name} {used[name]:.0f} %" for name in used)
    p50, p99 = np.percentile(found, [50, 99])
    return f"{p50:.1f} ms | {p99:.1f} ms | {len(found) / seconds:.0f} | {shown}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--hz", type=float, default=0.5)
    given = parser.parse_args()
    print("| by | p50 | p99 | frames/s read | processor, of one core |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="lt-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        sizes = given.tables, given.readers, given.seconds
        direct = measure(f"tcp://127.0.0.1:{free_port()}", None, *sizes, [], given.hz)
        print(f"| a direct socket | {direct} |", flush=True)
        for kind, name in (("nats", "NATS JetStream"), ("redis", "Redis Streams")):
            if missing(kind):
                print(f"| {name} | not measured: {missing(kind)} |")
                continue
            server = Server(kind, Path(folder) / kind)
            try:
                read_at = f"ipc://{folder}/{kind}.sock"
                line = measure(
                    server.endpoint, read_at, *sizes, [psutil.Process(server.process.pid)], given.hz
                )
                print(f"| {name} | {line} |", flush=True)
            finally:
                server.kill()


if __name__ == "__main__":
    main()
