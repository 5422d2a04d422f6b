"""Recordings of a small table, to be shown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.recorder import Recorder

BEGAN = 1_700_000_000.0


def record(path: Path, prices: list[float], seconds: float = 1.0) -> Path:
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    for number, price in enumerate(prices):
        frame = pd.DataFrame({"id": ["a", "b"], "price": [price, 0.0]})
        data = Encoder()(capture(frame)).data
        head = Header(
            "snapshot", "orders", None, Position("e", number + 1), rows=2, columns=2,
            time=BEGAN + number * seconds, size=len(data), key=("id",),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    return path


PRICES = [1.0, 2.0, 5.0, 1.0, 6.0, 7.0, 3.0]
