"""livetable.feed.rows.replica: a reader's copy follows its table, or says that it can't."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.feed.errors import BodyError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.rows import row_map
from livetable.feed.rows.replica import Follower, body_of
from tests.feed.rows.changing import Feed, Reader


def test_deltas_that_do_not_fit_are_refused() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": range(300), "x": 1}))
    first = feed.state.since(None)
    feed.change("upsert", {"id": [0, 500], "x": [2, 3]})
    assert first is not None
    answer = feed.state.since(first.position, deltas=True)
    assert answer is not None
    delta = reader.decoder.delta(answer.body.data)
    with pytest.raises(BodyError, match="before any snapshot"):
        reader.follower.delta(delta, (), 301)
    reader.follower.snapshot(reader.decoder(first.body.data), 1)
    with pytest.raises(BodyError, match="announces 302 rows but leads to 301"):
        reader.follower.delta(delta, (), 302)
    with pytest.raises(BodyError, match="gone: row 300 of 300 rows"):
        reader.follower.delta(delta, ((299, 2),), 301)
    with pytest.raises(BodyError, match="leads to"):
        reader.follower.delta(delta, ((0, 5),), 296)  # the new row would leave a hole
    other = Reader()
    other.follower.snapshot(other.decoder(Encoder()(capture({"id": [1]})).data), 1)
    with pytest.raises(BodyError, match="not those of the table"):
        other.follower.delta(delta, (), 2)
    assert reader.follower.delta(delta, (), 301).count == 301
    reader.follower.lose()
    with pytest.raises(BodyError, match="before any snapshot"):
        reader.follower.delta(delta, (), 301)


def test_numbers_and_room_of_a_table_that_churns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_map, "PAGE", 4)
    monkeypatch.setattr(row_map, "_SPARE_PAGES", 4)
    monkeypatch.setattr(row_map, "_MOST_EMPTY", 1)
    monkeypatch.setattr("livetable.feed.rows.store.SPARE", 10)
    feed, reader = Feed("id", ttl=100.0), Reader()
    feed.change("upsert", {"id": -1, "x": 0})  # the oldest row lives on
    lines = set()
    for key in range(100):
        feed.change("upsert", {"id": key, "x": key})
        if key > 2:
            assert feed.delete(key - 3) == 1
        reader.look(feed)
        assert reader.table["id"] == [-1, *range(max(0, key - 2), key + 1)]
        assert reader.now is not None
        lines.add(reader.now.line)
    assert len(lines) > 3
    assert "delta" in reader.kinds[-20:]
    feed.now = 201.0
    assert feed.state.expire(feed.now)
    reader.look(feed)
    assert reader.table == {"id": [], "x": []}


def test_sizes_are_what_is_new() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": range(20_000), "x": 0.5}))
    reader.look(feed)
    whole = 20_000 * 16
    for x in range(50):
        feed.change("upsert", {"id": [x, 19_000], "x": [1.0, 2.0]})
        reader.look(feed)
        assert reader.now is not None
        assert reader.now.size < 20_000
        assert whole < reader.now.held < 3 * whole


def test_a_state_as_a_body_is_the_table() -> None:
    for frame in (
        pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", None])}, index=["p", "q"]),
        pd.DataFrame(index=range(3)),
    ):
        decoded = Decoder()(Encoder()(capture(frame)).data)
        again = Decoder()(body_of(Follower().snapshot(decoded, 1)))
        assert again.labels == decoded.labels
        assert again.rows == decoded.rows
        assert [one.to_pylist() for one in again.arrays] == [
            one.to_pylist() for one in decoded.arrays
        ]
