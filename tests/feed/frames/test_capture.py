"""feed.frames.capture: what was sent is what is seen, whatever is written to afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from livetable.feed import Publisher, Subscriber
from livetable.feed.errors import BadFrame, NameTaken, PublisherClosed
from livetable.feed.frames import outside_references
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from tests.feed.copy_on_write import needs_copy_on_write
from tests.feed.frames.bodies import there_and_back


def seen(publisher: Publisher) -> dict[str, list[Any]]:
    with Subscriber(publisher.name, timeout=20) as reader:
        return {str(name): list(column) for name, column in reader.get().items()}


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "pandas": lambda a: pd.DataFrame(a[:, None], columns=["x"], copy=False),
    "series": lambda a: pd.Series(a, copy=False, name="x").to_frame(),
    "a view": lambda a: pd.DataFrame(a.reshape(-1, 1)[::1], columns=["x"], copy=False),
    "polars": lambda a: pl.DataFrame({"x": a}),
    "pyarrow": lambda a: pa.table({"x": a}),
    "dict": lambda a: {"x": a},
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("how", ["send", "upsert", "append"])
def test_arrays_that_are_written_on(kind: str, how: str) -> None:
    array = np.arange(10.0)
    with Publisher("orders", key="x") as orders:
        getattr(orders, how)(ARRAYS[kind](array))
        array[:] = 99
        assert seen(orders)["x"] == list(range(10))


COLUMNS: dict[str, tuple[Any, Any]] = {
    "categories": (pd.Categorical(["a", "b"]), "b"),
    "nullable": (pd.array([1, 2], dtype="Int64"), 2),
    "text": (pd.array(["a", "b"], dtype="str"), "b"),
    "zoned": (
        pd.date_range("2020", periods=2, tz="UTC").array,
        pd.Timestamp("2020-01-02", tz="UTC"),
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_extension_arrays_that_are_written_to(name: str) -> None:
    values, other = COLUMNS[name]
    frame = pd.DataFrame({"id": [1, 2], "x": values.copy()})
    if isinstance(frame["x"].array, pd.arrays.NumpyExtensionArray):
        pytest.skip("texts are NumPy's in this pandas, whose `.array` writes past copy-on-write")
    before = frame["x"].to_list()
    held = capture(frame).frame
    frame["x"].array[0] = other
    assert held["x"].to_list() == before


def test_lists_in_cells_and_frames_that_go_on() -> None:
    frame = pd.DataFrame({"id": np.arange(3), "l": [[1], {"a": [2]}, {3}], "x": np.ones(3)})
    with Publisher("orders", key="id") as orders:
        orders.send(frame)
        frame["l"][0].append(9)
        frame["l"][1]["a"].append(9)
        frame.loc[0, "x"] = 9.0
        orders.upsert({"id": 2, "x": 5.0})
        frame.loc[1, "x"] = 9.0
        found = seen(orders)
        assert found["x"] == [1.0, 1.0, 5.0]
        assert "9" not in str(found["l"])


def test_ttl() -> None:
    with Publisher("orders", key="id", ttl=0.2) as orders:
        orders.upsert({"id": 1})
        assert seen(orders) == {"id": [1]}
        until = time.monotonic() + 20
        while orders.shape[0]:
            assert time.monotonic() < until
        assert seen(orders) == {"id": []}


@pytest.mark.parametrize("ttl", [30 * 86400, 1e12, float("inf"), sys.float_info.max])
def test_a_ttl_of_any_size_ends_nothing(ttl: float) -> None:
    with Publisher("orders", key="id", ttl=ttl) as orders, Publisher("other") as other:
        orders.upsert({"id": 1})
        other.send({"a": [1]})
        assert seen(orders) == {"id": [1]}
        assert seen(other) == {"a": [1]}


def test_types_widen_and_a_schema_fixes_them() -> None:
    with Publisher("orders") as orders:
        orders.append({"loss": 1})
        orders.append({"loss": 0.5})
        assert seen(orders) == {"loss": [1.0, 0.5]}
        with pytest.raises(BadFrame, match="loss"):
            orders.append({"loss": True})
    with Publisher("orders", schema={"price": float, "n": int}) as orders:
        orders.append({"price": 1, "n": 1})
        with pytest.raises(BadFrame, match="'n'"):
            orders.append({"price": 1, "n": 0.5})
        orders.send(pd.DataFrame({"price": [1, 2], "n": [1, 2]}))
        assert seen(orders)["price"] == [1.0, 2.0]


def test_names() -> None:
    with Publisher("orders") as orders, pytest.raises(NameTaken, match="by this process"):
        Publisher("orders")
    made = [Publisher("orders", key="id") for _ in range(2)]  # the same line
    assert made[1].name == "orders"
    with pytest.raises(PublisherClosed, match="taken over by a newer Publisher"):
        made[0].send({"id": [1]})
    made[1].send({"id": [1]})
    with Publisher("orders", taken="number") as second:
        assert second.name == "orders-2"
    with Publisher("orders", taken="replace") as third:
        third.send({"id": [2]})
        assert seen(third) == {"id": [2]}
        with pytest.raises(PublisherClosed):
            made[1].send({"id": [1]})
    assert orders.name == "orders"


def test_whole_numbers_of_128_bits_and_more_digits_than_their_type() -> None:
    import duckdb

    largest = 2**127 - 1
    for frame in (
        pl.DataFrame({"x": pl.Series([largest, -5, None], dtype=pl.Int128)}),
        pl.DataFrame({"x": pl.Series([2**100, -5, None], dtype=pl.Int128)}),
        duckdb.sql(f"select unnest([{largest}::hugeint, -5, null]) as x"),
    ):
        with Publisher("orders") as orders:
            orders.send(frame)
            values = seen(orders)["x"]
        assert [str(one) for one in values[:2]] in ([str(largest), "-5"], [str(2**100), "-5"])
        assert pd.isna(values[2])
    with Publisher("orders") as orders:
        orders.send(pl.Series("x", [7, None], dtype=pl.Int128))
        assert list(map(int, seen(orders)["x"][:1])) == [7]


def test_pythons_objects_in_polars_are_their_texts_not_their_addresses() -> None:
    with Publisher("orders") as orders:
        orders.send(pl.DataFrame({"x": pl.Series([{1}, None, "a"], dtype=pl.Object)}))
        assert seen(orders)["x"][::2] == ["{1}", "a"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "can't publish NoneType"),
        ("text", "can't publish str"),
        (1, "can't publish int"),
        ({"a": [1], "b": [1, 2]}, "can't read dict as a table"),
        ([1, object()], ""),
        (pl.LazyFrame({"a": [1]}), "lazy: send its .collect()"),
    ],
)
def test_no_tables(data: Any, says: str) -> None:
    if not says:
        there_and_back(data)  # a list of values is one column
        return
    with pytest.raises(BadFrame, match=says.replace("(", r"\(").replace(")", r"\)")):
        capture(data)


def test_the_caller_may_write_into_the_frame() -> None:
    frame = pd.DataFrame({"a": [1, 2], "s": ["x", "y"]})
    captured = capture(frame)
    frame.loc[0, "a"] = 99
    frame["s"] = "z"
    del frame["s"]
    decoded = Decoder()(Encoder()(captured).data)
    assert [column.to_pylist() for column in decoded.columns] == [[1, 2], ["x", "y"]]


@pytest.mark.parametrize("kind", ["block", "column", "bytearray"])
def test_the_caller_may_write_into_its_array(kind: str) -> None:
    if kind == "bytearray":
        memory = bytearray(16)
        array = np.frombuffer(memory, "int64").reshape(2, 1)
    else:
        array = np.zeros((2, 1), dtype="int64")
    frame = (
        pd.DataFrame({"a": array[:, 0]}, copy=False)
        if kind == "column"
        else pd.DataFrame(array, copy=False)
    )
    captured = capture(frame)
    array[:] = 7
    assert Decoder()(Encoder()(captured).data).columns[0].to_pylist() == [0, 0]


@needs_copy_on_write
def test_a_frame_of_pandas_own_is_not_copied() -> None:
    frame = pd.DataFrame(np.zeros((1000, 3)))
    sibling = frame[[0, 1]]
    held = capture(frame)
    assert np.shares_memory(held.frame[0].to_numpy(), frame[0].to_numpy())
    assert np.shares_memory(capture(frame).frame[0].to_numpy(), frame[0].to_numpy())
    del sibling


def test_another_pandas_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(np.zeros((1000, 3)))

    def gone(frame: Any) -> int:
        raise AttributeError("_mgr")

    monkeypatch.setattr(outside_references, "_outside_references", gone)
    monkeypatch.setattr(outside_references, "_offset", None)
    assert not np.shares_memory(capture(frame).frame[0].to_numpy(), frame[0].to_numpy())
