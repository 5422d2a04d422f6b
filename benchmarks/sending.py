"""A producer that measures itself: `python -m benchmarks.sending WHAT`.

WHAT is ``send ROWS COLUMNS``, ``paced ROWS COLUMNS HZ SENDS CHANGED``, ``loop SECONDS``, ``size``.
Prints JSON, or for ``loop`` the turns of the loop's first half and of its second.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
import zmq

from benchmarks.results import quantile
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


def paced(rows: int, columns: int, hz: int, sends: int, changed: int) -> None:
    """Send at a rate; print what a `send`, and the caller's next write in place, took it.

    The first fifth is not counted: a viewer starts then, which takes a core of two.
    """
    frame = mixed(rows, columns)
    took: dict[str, list[float]] = {"send": [], "write": []}
    with Publisher("paced") as publisher:
        publisher.send(frame)
        print("ready", flush=True)
        sys.stdin.readline()
        due = time.perf_counter()
        for turn in range(sends * 5 // 4):
            began = time.perf_counter()
            if changed:
                frame.loc[turn % rows, "x0"] = float(turn)
            wrote = time.perf_counter()
            publisher.send(frame)
            sent = time.perf_counter()
            if turn >= sends // 4:
                took["send"].append((sent - wrote) * 1000)
                took["write"].append((wrote - began) * 1000)
            due += 1 / hz
            time.sleep(max(0.0, due - time.perf_counter()))
    print(json.dumps({f"{what} {name}": value for what, times in took.items()
                      for name, value in _spread(times).items()}))  # fmt: skip


def _spread(times: list[float]) -> dict[str, float]:
    return {
        "p50": quantile(times, 0.5), "p99": quantile(times, 0.99), "max": quantile(times, 1.0)
    }  # fmt: skip


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
    from livetable.feed.encode import Encoder
    from livetable.feed.frames import capture

    values = np.random.default_rng(1).normal(100, 20, (1_000_000, 9))
    frame = pd.DataFrame(values)
    frame.insert(0, "mark", "-" * 8)
    print(json.dumps({"size": len(Encoder()(capture(frame)).data)}))


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "send":
        send(*map(int, words))
    elif what == "paced":
        paced(*map(int, words))
    elif what == "loop":
        loop(float(words[0]))
    else:
        size()
