"""Tables as the viewer holds them: of frames, whole or followed by what changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder, Delta
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.replica import Follower, followed
from livetable.tui.model.table import Table, build


def table_of(frame: Any, *key: Any, seq: int = 1) -> Table:
    decoded = Decoder()(Encoder()(capture(frame)).data)
    return build(followed(decoded), tuple(map(to_json, key)), Position("e", seq))


class Line:
    """A table that is followed: whole at first, then by what changed, as a viewer follows it."""

    def __init__(self, *key: Any) -> None:
        self._key = tuple(map(to_json, key))
        self._follower = Follower()
        self._before: pd.DataFrame | None = None
        self._ids: list[Any] = []
        self.deltas = 0

    def table(self, frame: pd.DataFrame, ids: list[Any], seq: int = 1) -> Table:
        """Return a state of the table.

        Args:
            frame: The table.
            ids: What its rows are told apart by here, whatever the viewer tells them apart by.
            seq: Its number.
        """
        before, old = self._before, self._ids
        self._before, self._ids = frame, list(ids)
        kept = [one for one in old if one in set(ids)]
        if before is None or ids[: len(kept)] != kept or not _alike(before, frame):
            decoded = Decoder()(Encoder()(capture(frame)).data)
            state = self._follower.snapshot(decoded, 100)
        else:
            gone = tuple((at, 1) for at, one in enumerate(old) if one not in set(ids))
            was = dict(zip(old, before.itertuples(), strict=True))
            now = list(zip(ids, frame.itertuples(), strict=True))
            rows = [at for at, (one, row) in enumerate(now) if one not in was or row != was[one]]
            part = frame.iloc[rows]
            if isinstance(frame.index, pd.RangeIndex):
                part = part.reset_index(drop=True)
            decoded = Decoder()(Encoder()(capture(part)).data)
            delta = Delta(np.array(rows, dtype=np.int64), decoded)
            state = self._follower.delta(delta, gone, len(frame))
            self.deltas += 1
        return build(state, self._key, Position("e", seq))


def _alike(before: pd.DataFrame, frame: pd.DataFrame) -> bool:
    types = [list(map(str, one.dtypes)) for one in (before, frame)]
    return (
        list(before.columns) == list(frame.columns)
        and types[0] == types[1]
        and type(before.index) is type(frame.index)
        and len(frame) > 0  # without rows a column of text has no type of text
        and len(before) > 0
    )


def prices(**rows: float) -> Table:
    return table_of(pd.DataFrame({"id": list(rows), "price": list(rows.values())}), "id")
