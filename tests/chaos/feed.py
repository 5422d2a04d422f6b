"""A feed that changes at random: `python -m tests.chaos.feed SEED ENDPOINT RATE SECONDS LOG`.

Before each change it writes to LOG which seq it makes, and the number of the table then; at the end
the table. Meanwhile another table is changed by a timer's signal handler and by finalizers, in the
midst of whatever this one does, and children are forked.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import sys
import time
import warnings
import weakref

import pandas as pd
import pyarrow as pa

from livetable.feed import Publisher, PublisherClosed
from tests.chaos.told import Row, hash_of

LIMIT = 800
_EVERY = 0.02
KEYS = 1200
STEPS = {"upsert": 60, "prices": 20, "append": 15, "delete": 15, "send": 1}


class Job:
    """Something with a row of its own, in a cycle: a collection ends it, at any time."""

    def __init__(self, table: Publisher, number: int) -> None:
        self.me = self
        table.upsert({"id": number, "x": 0.0, "s": "job"})
        weakref.finalize(self, self._ended, table, number).atexit = False

    @staticmethod
    def _ended(table: Publisher, number: int) -> None:
        with contextlib.suppress(PublisherClosed):  # collected in a forked child
            table.delete(number)


class Beside:
    """A second table, changed from where nobody expects it."""

    def __init__(self) -> None:
        self._table = Publisher("beside", key="id", taken="number")
        self._count = self._inside = 0
        self._children: list[int] = []
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.setitimer(signal.ITIMER_REAL, _EVERY)

    def _on_alarm(self, *_: object) -> None:
        # Three within one another at most: on a busy machine they would pile up without end.
        self._inside += 1
        if self._inside < 3:
            signal.setitimer(signal.ITIMER_REAL, _EVERY)
        self._count += 1
        self._act()
        self._inside -= 1
        signal.setitimer(signal.ITIMER_REAL, _EVERY)

    def _act(self) -> None:
        self._table.upsert({"id": 0, "x": float(self._count), "s": "alarm"})
        if self._count % 10 == 0:
            Job(self._table, self._count)
        if self._count % 25 == 0:
            gc.collect(0)
            with Publisher("passing", taken="number") as passing:
                passing.send({"a": [self._count]})

    def turn(self, done: int) -> None:
        """Fork a child now and then; bury those that have ended."""
        if done % 200 == 0:
            with warnings.catch_warnings():  # from Python 3.12 on: the feed has a thread
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                signal.setitimer(signal.ITIMER_REAL, 0)
                try:
                    with Publisher(f"child-{os.getpid()}") as mine:
                        mine.send({"a": [done]})
                finally:
                    os._exit(0)
            self._children.append(child)
        self._children = [one for one in self._children if os.waitpid(one, os.WNOHANG)[0] == 0]

    def end(self) -> None:
        """Stop, and check that all arrived."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for child in self._children:
            os.waitpid(child, 0)
        gc.collect()
        self._table.upsert({"id": -1, "x": 0.0, "s": "last"})
        assert self._table.shape[0] == (2 if self._count else 1), self._table.shape
        self._table.close()


def main() -> None:
    """Change the table until its time is over, then wait to be killed."""
    seed, endpoint, rate, seconds, log = sys.argv[1:]
    choose = random.Random(seed)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    rows: dict[int, Row] = {}
    total = 0
    next_key = KEYS
    with Publisher("chaos", key="id", endpoint=endpoint, limit=LIMIT) as publisher:
        epoch, seq = publisher._state.epoch, 0
        beside = Beside()
        began, done = time.monotonic(), 0
        while (now := time.monotonic()) < began + float(seconds):
            if done > (now - began) * float(rate):
                time.sleep(0.001)
                continue
            done += 1
            beside.turn(done)
            step = choose.choices(list(STEPS), list(STEPS.values()))[0]
            if seq == 0 and step == "prices":
                step = "upsert"  # a table that begins with prices would have no third column yet
            before = dict(rows)
            if step == "delete":
                keys = choose.sample(range(next_key), 8)
                for key in keys:
                    rows.pop(key, None)
            elif step == "send":
                rows = {
                    key: (key, choose.random(), f"sent {key}")
                    for key in choose.sample(range(next_key), choose.randrange(1, LIMIT))
                }
            elif step == "append":
                count = choose.randrange(1, 4)
                keys = list(range(next_key, next_key + count))
                next_key += count
                rows |= {key: (key, choose.random(), None) for key in keys}
            elif step == "prices":
                keys = choose.sample(range(next_key), 5)
                price = choose.random()
                for key in keys:
                    rows[key] = (key, price, rows[key][2] if key in rows else None)
            else:
                keys = choose.sample(range(next_key), choose.randrange(1, 9))
                rows |= {key: (key, choose.random(), f"{step} {done}") for key in keys}
            for key in list(rows)[: max(0, len(rows) - LIMIT)]:
                del rows[key]
            if step == "delete" and before == rows:
                continue  # nothing was there: no new state
            if step == "send":
                total = sum(map(hash_of, rows.values())) % (1 << 64)
            else:
                for key in {*keys, *(before.keys() - rows.keys())}:
                    was, row = before.get(key), rows.get(key)
                    total += (hash_of(row) if row else 0) - (hash_of(was) if was else 0)
                total %= 1 << 64
            seq += 1
            os.write(out, f"{json.dumps([epoch, seq, total])}\n".encode())
            if step == "send":
                data = list(rows.values())
                publisher.send(pd.DataFrame(data, columns=["id", "x", "s"]).astype({"s": "str"}))
            elif step == "delete":
                publisher.delete(keys)
            elif step == "prices":
                publisher.upsert(pa.table({"id": keys, "x": [price] * len(keys)}))
            else:
                # More than there is room for went again at once.
                changed = [rows[key] for key in keys if key in rows] or list(rows.values())[-1:]
                table = pa.Table.from_arrays(
                    [
                        pa.array([key for key, _, _ in changed], pa.int64()),
                        pa.array([x for _, x, _ in changed], pa.float64()),
                        pa.array([text for _, _, text in changed], pa.large_string()),
                    ],
                    names=["id", "x", "s"],
                )
                (publisher.append if step == "append" else publisher.upsert)(table)
            assert publisher._state.seq == seq
        beside.end()
        os.write(out, f"{json.dumps([epoch, seq, list(rows.values())])}\n".encode())
        publisher.end()
        time.sleep(600)


if __name__ == "__main__":
    main()
