"""A table that changes row by row and its readers, for the tests of both and of tapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.deltas import begun, keys_given
from livetable.feed.rows.input import captured_rows, fit, prepared
from livetable.feed.rows.keyed_table import KeyedTable
from livetable.feed.rows.replica import Followed, Follower
from livetable.feed.server.table_state import TableState


class Feed:
    """A table and its clock."""

    def __init__(self, *key: Any, limit: int | None = None, ttl: float | None = None) -> None:
        self.state = TableState(
            "t", tuple(map(to_json, key)), Encoder(), limit=limit, ttl=ttl
        )  # fmt: skip
        self.limit = limit
        self.now = 100.0

    def send(self, data: Any) -> None:
        captured = capture(data)
        if self.limit is not None and captured.shape[0] > self.limit:
            captured = captured.last(self.limit)
        self.state.put(captured, captured.shape, self.now, self.now)

    def change(self, how: str, data: Any, *, by_index: bool = False) -> None:
        captured = captured_rows(data)
        if not captured:
            return
        came = list(map(prepared, captured))

        def act(table: KeyedTable) -> None:
            parts, now = fit(came, table.now, table.key, {})
            getattr(table, how)(parts, now, self.now)

        first = None if self.state.seq else begun(captured[0], None, self.state.key)
        self.state.rows.change(act, self.now, self.now, first=first, by_index=by_index)

    def delete(self, keys: Any, *, by_index: bool = False) -> int:
        gone = self.state.rows.change(
            lambda table: table.delete(keys_given(keys, table.now, table.key), self.now),
            self.now, self.now, by_index=by_index,
        )  # fmt: skip
        assert gone is not None
        return gone


@dataclass
class Reader:
    """A viewer's side: it may fall behind."""

    decoder: Decoder = field(default_factory=Decoder)
    follower: Follower = field(default_factory=Follower)
    have: Position | None = None
    now: Followed | None = None
    kinds: list[str] = field(default_factory=list)

    def look(self, feed: Feed) -> None:
        answer = feed.state.since(self.have, deltas=True)
        if answer is None:
            return
        self.have = answer.position
        if answer.since is None:
            self.now = self.follower.snapshot(self.decoder(answer.body.data), 1)
            self.kinds.append("snapshot")
        else:
            delta = self.decoder.delta(answer.body.data)
            self.now = self.follower.delta(delta, answer.gone, answer.body.rows)
            self.kinds.append("delta")

    @property
    def table(self) -> dict[str, list[Any]]:
        assert self.now is not None
        labels = self.now.labels
        levels = 0 if labels.range is not None else len(labels.index)
        names = [f"index {at}" for at in range(levels)] + [str(one) for one in labels.columns]
        found = {}
        for at, name in enumerate(names):
            values = self.now.values.whole(at)
            assert values.type == self.now.types[at]
            assert len(values) == self.now.count
            found[name] = values.to_pylist()
        return found
