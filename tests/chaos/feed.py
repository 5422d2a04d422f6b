"""A feed that changes at random: `python -m tests.chaos.feed SEED ENDPOINT RATE SECONDS LOG`.

Before each change it writes to LOG which seq it makes, and the number of the table then; at the end
the table.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

import pandas as pd
import pyarrow as pa

from livetable.feed import Publisher
from tests.chaos.told import Row, hash_of

LIMIT = 800
KEYS = 1200
STEPS = {"upsert": 60, "prices": 20, "append": 15, "delete": 15, "send": 1}


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
        began, done = time.monotonic(), 0
        while (now := time.monotonic()) < began + float(seconds):
            if done > (now - began) * float(rate):
                time.sleep(0.001)
                continue
            done += 1
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
        os.write(out, f"{json.dumps([epoch, seq, list(rows.values())])}\n".encode())
        publisher.end()
        time.sleep(600)


if __name__ == "__main__":
    main()
