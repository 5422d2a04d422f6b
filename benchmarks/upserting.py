"""A hundred rows at random into a table: `python -m benchmarks.upserting ROWS TIMES`.

Prints JSON: median milliseconds in the caller, in the feed's thread, in the viewer's model, and to
send and build the whole table instead.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from livetable.feed.frames.body import Snapshot
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.input import captured_rows, fit, prepared
from livetable.feed.rows.keyed_table import KeyedTable
from livetable.feed.rows.replica import Follower
from livetable.feed.server.table_state import TableState
from livetable.tui.model.table import build

T = TypeVar("T")
CHANGED = 100


def table(rows: int) -> pd.DataFrame:
    """Return ten mixed columns."""
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            **{f"f{number}": random.random(rows) for number in range(6)},
            "i": np.arange(rows),
            "s": np.array([f"x{number % 1000}" for number in range(rows)], dtype=object),
            "t": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), "s"),
        }
    )


class _Clock:
    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {}

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        done = work()
        self.took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return done


def main() -> None:
    """Measure."""
    rows, times = map(int, sys.argv[1:])
    frame = table(rows)
    state = TableState("t", ("id",), Encoder())
    decoder, follower, clock = Decoder(), Follower(), _Clock()

    def send() -> Snapshot:
        state.put(capture(frame), frame.shape, 0.0, 0.0)
        found = state.since(None)
        assert found is not None
        return found

    def whole(found: Snapshot) -> None:
        follower.snapshot(decoder(found.body.data), len(found.body.data))

    for _ in range(3):
        whole(clock("whole", send))
    have = clock("whole", send)
    whole(have)
    position = have.position
    random = np.random.default_rng(2)
    gc.freeze()

    def upsert(changed: pd.DataFrame) -> None:
        came = list(map(prepared, captured_rows(changed)))

        def act(changing: KeyedTable) -> None:
            parts, now = fit(came, changing.now, changing.key, {})
            changing.upsert(parts, now, 0.0)

        state.rows.change(act, 0.0, 0.0)

    def apply(found: Snapshot) -> None:
        delta = decoder.delta(found.body.data)
        now = follower.delta(delta, found.gone, found.body.rows)
        build(now, ("id",), found.position, 10)

    for number in range(times + 1):  # the first one reads all keys
        changed = frame.iloc[np.sort(random.choice(rows, CHANGED, replace=False))].copy()
        changed["f0"] = number
        clock("upsert", partial(upsert, changed))
        found = clock("since", partial(state.since, position, deltas=True))
        assert found is not None
        assert found.since is not None
        clock("apply", partial(apply, found))
        position = Position(found.position.epoch, found.position.seq)
    first = clock.took["upsert"][0]
    medians = {name: statistics.median(took[1:]) for name, took in clock.took.items()}
    print(json.dumps(medians | {"first": first}))


if __name__ == "__main__":
    main()
