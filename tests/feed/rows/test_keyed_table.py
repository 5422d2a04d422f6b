"""Tables that change row by row: feed and readers against a plain dict, over random histories."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetable.feed.errors import BadFrame, BodyError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.messages import Position
from livetable.feed.rows import change_log, keyed_table, row_map
from livetable.feed.rows.deltas import begun, keys_given
from livetable.feed.rows.input import captured_rows, fit, prepared
from livetable.feed.rows.keyed_table import KeyedTable
from livetable.feed.rows.replica import Followed, Follower
from livetable.feed.rows.state import State
from livetable.feed.server import encoding
from livetable.feed.server.table_state import TableState

COLUMNS = ("id", "price", "name")


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
            with pytest.raises(BadFrame, match="there already"):
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


def test_what_a_reader_gets() -> None:
    feed, reader, late = Feed("id"), Reader(), Reader()
    feed.send(pd.DataFrame({"id": range(1000), "price": 0.5}))
    reader.look(feed)
    feed.change("upsert", {"id": [5, 999, 2000], "price": [1.0, 2.0, 3.0]})
    feed.change("upsert", {"id": 5, "price": 1.5})
    assert feed.delete([7, 8, 9, 1234]) == 3
    answer = feed.state.since(reader.have, deltas=True)
    assert answer is not None
    assert (answer.since, answer.gone, answer.body.rows) == (1, ((7, 3),), 998)
    with pa.ipc.open_stream(answer.body.data) as stream:
        assert stream.read_all().to_pydict() == {
            "row": [5, 996, 997], "id": [5, 999, 2000], "price": [1.5, 2.0, 3.0]
        }  # fmt: skip
    assert feed.state.since(reader.have, deltas=True) is answer  # made once for all
    whole = feed.state.since(reader.have)
    assert whole is not None
    assert whole.since is None  # for who can't read deltas
    for one in (reader, late):
        one.look(feed)
        one.look(feed)
    assert reader.table == late.table
    assert (reader.kinds, late.kinds) == (["snapshot", "delta"], ["snapshot"])
    feed.change("upsert", {"id": range(700), "price": 9.0})
    reader.look(feed)
    assert reader.kinds[-1] == "snapshot"  # of most of the table a delta would be no less


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


def test_the_index_is_the_key() -> None:
    feed, reader = Feed(), Reader()
    feed.send(pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="who")))
    reader.look(feed)
    feed.change("upsert", pd.DataFrame({"x": [3, 4]}, index=["b", "c"]), by_index=True)
    reader.look(feed)
    assert reader.table == {"index 0": ["a", "b", "c"], "x": [1, 3, 4]}
    assert reader.kinds == ["snapshot", "delta"]
    assert feed.delete("a", by_index=True) == 1
    reader.look(feed)
    assert reader.table == {"index 0": ["b", "c"], "x": [3, 4]}
    two = pd.MultiIndex.from_tuples([("a", 1)])
    with pytest.raises(BadFrame, match="has 1 levels, that of these rows 2"):
        feed.change("upsert", pd.DataFrame({"x": [1]}, index=two), by_index=True)
    with pytest.raises(BadFrame, match="the index 'who' is"):
        feed.change("append", pa.table({"x": [1]}))


def test_an_index_that_counted_becomes_labels() -> None:
    feed, reader = Feed(), Reader()
    feed.send(pd.DataFrame({"x": [1, 2]}, index=pd.RangeIndex(10, 14, 2)))
    feed.change("append", pd.DataFrame({"x": [5]}))
    reader.look(feed)
    assert reader.table == {"x": [1, 2, 5]}
    feed.change("upsert", pd.DataFrame({"x": [3, 4]}, index=[12, 99]), by_index=True)
    reader.look(feed)
    assert reader.table == {"index 0": [10, 12, 14, 99], "x": [1, 3, 5, 4]}
    feed.change("upsert", pd.DataFrame({"x": [0]}, index=[10]), by_index=True)
    reader.look(feed)
    assert reader.table["x"] == [0, 3, 5, 4]


def test_a_compound_key() -> None:
    feed, reader = Feed("day", ("x", 1)), Reader()
    days = pd.to_datetime(["2026-01-01", "2026-01-02"])
    rows_ = pd.DataFrame({"day": days, ("x", 1): [1.5, math.nan], "n": [1, 2]})
    feed.change("upsert", rows_)
    feed.change("upsert", rows_.assign(n=[3, 4]).iloc[[1]])
    reader.look(feed)
    assert reader.table["n"] == [1, 4]
    assert feed.delete(rows_.iloc[[1]]) == 1
    assert feed.delete((days[0], 1.5)) == 1
    feed.change("upsert", rows_)
    assert feed.delete([(days[0], 1.5), (days[0], 2.5)]) == 1
    with pytest.raises(BadFrame, match="a tuple of 2 values"):
        feed.delete([days[0]])
    with pytest.raises(BadFrame, match="tuples of 2 values"):
        feed.delete(rows_[["n"]])


@pytest.mark.parametrize(
    "keys",
    [["b"], "b", pd.Series(["b"]), pd.Index(["b", "zz"]), pd.array(["b"], dtype="str"), ("b",),
     {"b"}],
)  # fmt: skip
def test_keys_of_all_sorts(keys: Any) -> None:
    feed = Feed("id")
    feed.send({"id": ["a", "b", None], "x": [1, 2, 3]})
    assert feed.delete(keys) == 1
    assert feed.delete([None]) == 1


WRONG: dict[str, tuple[Any, str]] = {
    "no key": ({"x": [1]}, "column 'id' is .part of. the table's key: these rows need it"),
    "twice": ({"id": [1, 1], "x": [1, 2]}, "the key 1 is there twice in these rows"),
    "twice by dicts": ([{"id": 1, "x": 1}, {"id": 1, "s": "a"}], "the key 1 is there twice"),
    "text for numbers": ({"id": [1], "x": ["a"]}, "column 'x' holds int64, these rows have"),
    "truth for numbers": ({"id": [1], "x": [True]}, "column 'x' holds int64, these rows have bool"),
    "too large for floats": ({"id": [1], "half": [2**60 + 1]}, "'half' holds double, these rows"),
    "key of another type": ({"id": ["a"]}, "column 'id' holds int64, these rows have"),
    "numbers for text": ({"id": [1], "s": [5]}, "column 's' holds"),
    "one name twice": (
        pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"]), "several columns called 'x'"
    ),
    "no table": (5, "int is no table"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rows_leave_the_table_as_it_was(name: str) -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(
        pd.DataFrame({"id": [1, 2], "x": [10, 20], "s": "y", "half": 0.5}).assign(
            small=pd.Series([1, 2], dtype="int8")
        )
    )
    feed.change("upsert", {"id": [2], "x": [30]})
    reader.look(feed)
    before, seq = reader.table, feed.state.seq
    data, sentence = WRONG[name]
    with pytest.raises(BadFrame, match=sentence):
        feed.change("upsert", data)
    assert feed.state.seq == seq
    late = Reader()
    late.look(feed)
    assert late.table == before == reader.table
    feed.change("upsert", {"id": [2], "x": [31]})
    reader.look(feed)
    assert reader.table["x"] == [10, 31]


def test_what_fits() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": [1, 2], "n": [1, 2], "f": [0.5, 1], "none": None, "c": [1j, 2j]}))
    feed.change("upsert", {"id": [1], "n": [5.0], "f": [2], "none": ["x"], "c": [3]})
    feed.change("upsert", pd.DataFrame({"id": [3, 4], "n": [7, None], "none": None}))
    reader.look(feed)
    assert reader.table == {
        "id": [1, 2, 3, 4], "n": [5, 2, 7, None], "f": [2.0, 1.0, None, None],
        "none": ["x", None, None, None], "c": ["3", "2j", None, None],
    }  # fmt: skip


def test_tables_that_are_no_dict_of_columns() -> None:
    feed = Feed("id")
    wrong: list[Any] = [{}, pd.DataFrame({"x": [1]})]
    for data in wrong:
        with pytest.raises(BadFrame):
            feed.change("upsert", data)
    assert feed.state.seq == 0
    assert feed.state.since(None) is None
    feed.send(pd.DataFrame([[1, 2, 3]], columns=["id", "id", "x"]))
    with pytest.raises(BadFrame, match="2 columns called 'id'"):
        feed.change("upsert", {"id": [1]})
    feed.send({"id": [1, 1], "x": [1, 2]})
    with pytest.raises(BadFrame, match="the table has the key 1 twice"):
        feed.change("upsert", {"id": [1]})
    feed.send({"id": [[1], [2]], "x": [1, 2]})
    with pytest.raises(BadFrame, match="lists and dicts can't be a key"):
        feed.change("upsert", {"id": [[1]]})


def test_categories_begin_a_line_of_deltas() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": pd.Categorical(["a", "b"]), "x": [1, 2]}))
    reader.look(feed)
    feed.change("upsert", pd.DataFrame({"id": pd.Categorical(["b", "c"]), "x": [3, 4]}))
    reader.look(feed)
    assert reader.table == {"id": ["a", "b", "c"], "x": [1, 3, 4]}
    assert reader.kinds == ["snapshot", "delta"]


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
    with pytest.raises(BodyError, match="to 302 rows leads to 301"):
        reader.follower.delta(delta, (), 302)
    with pytest.raises(BodyError, match="row 300 is said to be gone of 300"):
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


@pytest.mark.parametrize(
    "table",
    [
        {"x": [1]}, {"row": ["a"]}, {"row": [1.5]}, {"row": [0, None]}, {"row": [-1]},
        {"row": [1, 1]}, {"row": [2, 1]}, {},
    ],
)  # fmt: skip
def test_bodies_that_are_no_deltas(table: dict[str, list[Any]]) -> None:
    data = pa.table(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data)
    with pytest.raises(BodyError):
        Decoder().delta(sink.getvalue().to_pybytes())


def test_more_gaps_than_a_header_takes_are_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.feed.rows.deltas.MAX_RANGES", 3)
    feed, reader = Feed("id"), Reader()
    feed.send({"id": range(300)})
    reader.look(feed)
    feed.delete([1, 3, 5])
    reader.look(feed)
    feed.delete([11, 13, 15, 17])
    reader.look(feed)
    assert reader.kinds == ["snapshot", "delta", "snapshot"]


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


def rows_of(data: Any, *key: str) -> list[dict[str, Any]]:
    feed, reader = Feed(*key), Reader()
    captured = captured_rows(data, key)
    parts = [one.frame for one in captured]
    assert parts
    for one in captured:
        feed.change("upsert" if key else "append", one.frame)
    reader.look(feed)
    table = reader.table
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_dicts_as_rows() -> None:
    large = 2**60 + 1
    assert rows_of([{"id": 1, "n": large}, {"id": 2, "n": None}], "id") == [
        {"id": 1, "n": large}, {"id": 2, "n": None}
    ]  # fmt: skip
    assert rows_of({"id": "k", "tags": ["a", "b"]}, "id") == [{"id": "k", "tags": ["a", "b"]}]
    assert rows_of({"id": [1, 2], "x": 5}, "id") == [{"id": 1, "x": 5}, {"id": 2, "x": 5}]
    assert rows_of([{"a": 1, "m": "x"}, {"a": 2}, {"a": 3, "m": "z"}]) == [
        {"a": 1, "m": "x"}, {"a": 2, "m": None}, {"a": 3, "m": "z"}
    ]  # fmt: skip
    assert captured_rows([]) == captured_rows(()) == []
    assert rows_of({1: 5, "b": [1, 2]}) == [{"1": 5, "b": 1}, {"1": 5, "b": 2}]


def test_what_is_missing_fits_anywhere_and_zones_do_not_mix() -> None:
    feed, reader = Feed("id"), Reader()
    when = pd.Timestamp("2026-01-01", tz="Europe/Berlin")
    feed.send(pd.DataFrame({"id": [1], "s": ["x"], "when": [when], "l": [["a"]]}))
    feed.change("upsert", pd.DataFrame({"id": [1], "s": [math.nan], "l": [[]]}))
    reader.look(feed)
    assert (reader.table["s"], reader.table["l"]) == ([None], [[]])
    feed.change("upsert", pa.table({"id": [1], "s": pa.array([None], pa.float64())}))
    with pytest.raises(BadFrame, match="convert them"):
        feed.change("upsert", {"id": [1], "when": [pd.Timestamp("2026-01-01")]})


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
    assert "time is over stay" in feed.state.failure
    assert feed.state.rows.next_expiry is None
