"""Tables that change row by row: feed and readers against a plain dict, over random histories."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetable.feed.errors import BadFrame
from livetable.feed.rows import change_log, keyed_table, row_map
from livetable.feed.rows.state import State
from livetable.feed.server import encoding
from tests.feed.rows.changing import Feed, Reader

COLUMNS = ("id", "price", "name")


def expiry(feed: Feed) -> float | None:
    return feed.state.rows.next_expiry


def bloated(feed: Feed) -> bool:
    return feed.state.rows.is_bloated


def told(rows: dict[Any, dict[str, Any]], columns: tuple[str, ...]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows.values()] for name in columns}


KEYS = st.lists(st.integers(0, 12), min_size=1, max_size=5, unique=True)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), KEYS),
        st.tuples(st.just("upsert"), KEYS),
        st.tuples(st.just("prices"), KEYS),
        st.tuples(st.just("append"), KEYS),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("column"), KEYS),
        st.tuples(st.just("wait"), st.integers(0, 9)),
        st.tuples(st.just("look"), st.integers(0, 2)),
        st.tuples(st.just("compact"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.sampled_from([None, 4, 8]), st.sampled_from([None, 5.0]))
def test_every_reader_sees_the_table(
    steps: list[tuple[str, Any]], limit: int | None, ttl: float | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_map, "PAGE", 4)
        patch.setattr(row_map, "_SPARE_PAGES", 1)
        patch.setattr(row_map, "_MOST_EMPTY", 1)
        patch.setattr("livetable.feed.rows.store.SPARE", 4)
        patch.setattr(change_log, "_LEAST_REMEMBERED", 12)
        _follow(steps, limit, ttl)


def _follow(steps: list[tuple[str, Any]], limit: int | None, ttl: float | None) -> None:
    feed = Feed("id", limit=limit, ttl=ttl)
    readers = [Reader() for _ in range(3)]
    oracle: dict[int, dict[str, Any]] = {}
    written: dict[int, float] = {}
    columns: tuple[str, ...] = ()
    eager = Reader()
    for number, (step, given_) in enumerate(steps):
        eager.look(feed)
        gone = [key for key, when in written.items() if ttl is not None and when + ttl <= feed.now]
        if step != "look":
            for key in gone:
                oracle.pop(key, None)
                del written[key]
        price = number / 2
        if step == "send":
            oracle = {key: {"id": key, "price": price, "name": f"s{key}"} for key in given_}
            written.clear()
            columns = COLUMNS
            feed.send(pd.DataFrame(list(oracle.values())))
        elif step == "wait":
            feed.now += given_
            continue
        elif step == "look":
            readers[given_].look(feed)
            continue
        elif step == "compact":
            feed.state.rows.compact()
            continue
        elif step == "delete":
            if columns:
                there = [key for key in given_ if key in oracle]
                assert feed.delete(given_) == len(there)
                for key in there:
                    del oracle[key]
                    written.pop(key)
            continue
        elif step == "append" and any(key in oracle for key in given_):
            seq, before = feed.state.seq, dict(oracle)
            with pytest.raises(BadFrame, match="already exists"):
                feed.change("append", [{"id": key, "price": 0.0} for key in given_])
            assert feed.state.seq in (seq, seq + bool(gone))
            assert oracle == before
            continue
        else:
            made: list[dict[str, Any]] = [{"id": key} for key in given_]
            for row in made:
                if step == "column":
                    row["extra"] = row["id"] % 2 == 0
                else:
                    row["price"] = price
                if step in ("upsert", "append"):
                    row["name"] = f"{step}{row['id']}"
            if not columns and step in ("prices", "column"):
                continue  # the first rows of all have the columns that the others need
            columns = columns or COLUMNS
            if step == "column" and "extra" not in columns:
                columns = (*columns, "extra")
            feed.change("append" if step == "append" else "upsert", made)
            for row in made:
                oracle[row["id"]] = oracle.get(row["id"], {}) | row
        written |= dict.fromkeys(given_, feed.now)
        if limit is not None:
            for key in list(oracle)[: max(0, len(oracle) - limit)]:
                del oracle[key]
                written.pop(key)
        # Written to last stands last: in that order their time is over.
        written = dict(sorted(written.items(), key=lambda item: item[1]))
    if ttl is not None:
        feed.state.expire(feed.now)
        for key in [key for key, when in written.items() if when + ttl <= feed.now]:
            oracle.pop(key, None)
    if not columns:
        return
    for reader in (*readers, eager, Reader()):
        reader.look(feed)
        assert reader.table == told(oracle, columns)


def test_a_hole_is_filled_by_a_snapshot() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send({"id": [1], "x": [0]})
    reader.look(feed)
    for x in range(change_log.MOST_CHANGES + 5):
        feed.change("upsert", pa.table({"id": [1], "x": [x]}))
    reader.look(feed)
    assert reader.kinds == ["snapshot", "snapshot"]
    assert reader.table == {"id": [1], "x": [change_log.MOST_CHANGES + 4]}


def test_rows_are_only_added_and_go_on_counting() -> None:
    feed, reader = Feed(limit=3), Reader()
    for at in range(5):
        feed.change("append", {"at": at})
        reader.look(feed)
    assert reader.kinds == ["snapshot", *["delta"] * 4]
    assert reader.table == {"at": [2, 3, 4]}
    assert reader.now is not None
    assert reader.now.labels.range == (2, 1)
    assert reader.now.rows is not None
    assert reader.now.rows.numbers(0, 3).tolist() == [2, 3, 4]
    feed.change("append", [{"at": at} for at in range(10, 17)])
    reader.look(feed)
    assert reader.table == {"at": [14, 15, 16]}
    assert reader.now.labels.range == (9, 1)


def test_rows_whose_time_is_over() -> None:
    feed, reader = Feed("id", ttl=10.0), Reader()
    assert expiry(feed) is None
    feed.send({"id": [1, 2], "x": [1, 2]})
    assert expiry(feed) == 110
    feed.now = 105
    feed.change("upsert", {"id": [2, 3], "x": [5, 6]})
    assert expiry(feed) == 110
    assert not feed.state.expire(109)
    assert feed.state.expire(110)
    reader.look(feed)
    assert reader.table == {"id": [2, 3], "x": [5, 6]}
    assert expiry(feed) == 115
    assert feed.state.expire(120)
    assert expiry(feed) is None
    feed.now = 121
    feed.send({"id": [9], "x": [0]})
    assert feed.state.expire(131)  # of a frame that was sent whole, too
    reader.look(feed)
    assert reader.table == {"id": [], "x": []}


def test_room_is_made_while_rows_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.feed.rows.store.SPARE", 10)
    feed, reader = Feed("id"), Reader()
    feed.send({"id": range(50), "x": 0})
    assert not bloated(feed)
    feed.state.rows.compact()
    for x in range(100):
        feed.change("upsert", {"id": [x % 50], "x": [x]})
    table = feed.state.newest.table
    assert table is not None
    assert bloated(feed)
    reader.look(feed)
    made = keyed_table.compacted

    def meanwhile(before: State) -> Any:
        compact = made(before)
        feed.change("upsert", {"id": [7], "x": [-7]})  # a producer does not wait
        feed.delete([8])
        return compact

    monkeypatch.setattr(keyed_table, "compacted", meanwhile)
    feed.state.rows.compact()
    assert len(table.now.store) == 51
    reader.look(feed)
    assert reader.kinds[-1] == "delta"
    wanted = {key: {"id": key, "x": key + 50} for key in range(50) if key != 8}
    wanted[7]["x"] = -7
    assert reader.table == told(wanted, ("id", "x"))

    def a_column(before: State) -> Any:
        compact = made(before)
        feed.change("upsert", {"id": [7], "y": [1]})
        return compact

    monkeypatch.setattr("livetable.feed.rows.store.SPARE", -60)
    monkeypatch.setattr(keyed_table, "compacted", a_column)
    before = len(table.now.store)
    feed.state.rows.compact()  # of other columns it is of no use
    assert len(table.now.store) == before + 1


def test_a_state_that_cant_be_encoded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: object) -> Any:
        raise MemoryError("no room")

    feed, reader = Feed("id"), Reader()
    feed.change("upsert", {"id": [1]})
    with monkeypatch.context() as patch:
        patch.setattr(encoding, "_whole", broken)
        assert feed.state.since(None) is None
    assert feed.state.failure is not None
    assert "no room" in feed.state.failure
    feed.change("upsert", {"id": [2]})
    reader.look(feed)
    assert reader.table == {"id": [1, 2]}
    assert feed.state.failure is None


def test_rows_that_go_before_a_change_that_is_refused() -> None:
    feed, reader = Feed("id", ttl=10.0), Reader()
    feed.change("upsert", {"id": [1], "x": [1]})
    reader.look(feed)
    feed.now = 111.0
    with pytest.raises(BadFrame):
        feed.change("upsert", {"id": ["text"]})
    reader.look(feed)
    assert reader.table == {"id": [], "x": []}


def test_one_tables_trouble_stays_its_own() -> None:
    feed = Feed("id", ttl=10.0)
    feed.send(pd.DataFrame([[1, 2]], columns=["id", "id"]))
    assert not feed.state.expire(200.0)
    assert feed.state.failure is not None
    assert "can't remove expired rows" in feed.state.failure
    assert feed.state.rows.next_expiry is None
