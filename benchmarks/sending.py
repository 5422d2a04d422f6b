"""A producer that measures itself: `python -m benchmarks.sending WHAT`.

WHAT is ``send ROWS COLUMNS``, ``watched ROWS COLUMNS HZ SENDS``, ``loop SECONDS`` or ``size``.
Prints JSON, or for ``loop`` the turns of the loop's first half and of its second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import zmq

from livetable.feed import Publisher


def mixed(rows: int, columns: int) -> pd.DataFrame:
    """Return a frame with texts, whole numbers, truths, times and floats."""
    random = np.random.default_rng(1)
    data: dict[str, object] = {
        "id": np.arange(rows),
        "name": pd.Series(random.choice(["energy", "retail", "tech"], rows)),
        "on": random.random(rows) < 0.5,
        "time": np.datetime64("2026-01-01", "ns") + random.integers(0, 10**15, rows),
    }
    data |= {f"x{n}": random.normal(100, 20, rows).round(2) for n in range(columns - len(data))}
    return pd.DataFrame(data)


def send(rows: int, columns: int) -> None:
    """Time `send`, and `send_pyobj` of the same frame, with a change between two sends."""
    frame = mixed(rows, columns)
    with Publisher("sending") as publisher:
        ours = [_timed(publisher.send, frame, turn) for turn in range(200)]
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.PUB)
    socket.bind("tcp://127.0.0.1:*")
    theirs = [_timed(socket.send_pyobj, frame, turn) for turn in range(10 if rows > 10**5 else 200)]
    context.destroy(0)
    print(json.dumps({"send": float(np.median(ours)), "pickle": float(np.median(theirs))}))


def _timed(function: object, frame: pd.DataFrame, turn: int) -> float:
    frame.loc[turn % len(frame), "x0"] = float(turn)
    began = time.perf_counter()
    function(frame)  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


READER = """
from livetable.feed import Subscriber
with Subscriber("watched") as reader:
    print("reads", flush=True)
    for frame in reader:
        pass
"""


def watched(rows: int, columns: int, hz: float, sends: int) -> None:
    """Time `send`, and the change in place before it, in a loop that nobody and somebody watches.

    What the thread waited for a processor is told apart (Linux): on a busy machine it is most of
    the tail, and not what `send` costs.
    """
    values = np.random.default_rng(1).normal(100, 20, (rows, columns))
    frame = pd.DataFrame(values).rename(columns=str)
    found: dict[str, float] = {}
    with Publisher("watched") as publisher:
        for who in ("alone", "watched"):
            reader = None
            publisher.send(frame)
            if who == "watched":
                reader = subprocess.Popen(
                    [sys.executable, "-c", READER], stdout=subprocess.PIPE, text=True
                )
                assert reader.stdout is not None
                reader.stdout.readline()
                time.sleep(1)
            took, queued, writes = [], [], []
            due = time.perf_counter()
            for turn in range(sends):
                began = time.perf_counter()
                frame.iloc[turn % rows, 0] = float(turn)
                writes.append((time.perf_counter() - began) * 1000)
                waited, began = _queued(), time.perf_counter()
                publisher.send(frame)
                took.append((time.perf_counter() - began) * 1000)
                queued.append(max(0.0, took[-1] - (_queued() - waited) * 1000))
                due += 1 / hz
                time.sleep(max(0.0, due - time.perf_counter()))
            if reader is not None:
                reader.kill()
                reader.communicate()
            for name, times in (("send", took), ("ran", queued), ("write", writes)):
                for share in (50, 99, 100):
                    found[f"{who} {name} {share}"] = float(np.percentile(times, share))
    print(json.dumps(found))


def _queued() -> float:
    """Return the seconds that this thread was ready and had no processor."""
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as said:
            return int(said.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def loop(seconds: float) -> None:
    """Work without a pause and send 30 times a second; print how often each half turned."""
    frame = mixed(1000, 20)
    turns = [0, 0]
    with Publisher("busy") as publisher:
        began = time.monotonic()
        due = began
        while (now := time.monotonic()) < began + seconds:
            sum(number * number for number in range(2000))
            turns[now > began + seconds / 2] += 1
            if now >= due:
                frame.loc[turns[0] % 1000, "x0"] = now
                publisher.send(frame)
                due += 1 / 30
    print(*turns)


def size() -> None:
    """Print the bytes of the bench's large table on the wire."""
    from livetable.feed.frames.capture import capture
    from livetable.feed.frames.encoder import Encoder

    values = np.random.default_rng(1).normal(100, 20, (1_000_000, 9))
    frame = pd.DataFrame(values)
    frame.insert(0, "mark", "-" * 8)
    print(json.dumps({"size": len(Encoder()(capture(frame)).data)}))


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "send":
        send(*map(int, words))
    elif what == "watched":
        rows, columns, hz, sends = words
        watched(int(rows), int(columns), float(hz), int(sends))
    elif what == "loop":
        loop(float(words[0]))
    else:
        size()
