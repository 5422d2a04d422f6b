"""No row takes another's place, and no value becomes another, on its way into a table."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from livetable.feed import BadEndpoint, BadFrame, Publisher, Subscriber

DAY = dt.date(2020, 1, 1)
NOON = dt.datetime(2020, 1, 1, 12)


@pytest.fixture(autouse=True)
def _folder(runtime_folder: Path) -> None:
    pass


def seen(publisher: Publisher) -> pd.DataFrame:
    with Subscriber(publisher.name, timeout=20) as reader:
        return reader.get()


def values(publisher: Publisher, name: str = "a") -> list[Any]:
    return [None if pd.api.types.is_scalar(one) and pd.isna(one) else one
            for one in seen(publisher)[name].tolist()]  # fmt: skip


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_a_time_is_no_key_of_a_day(kind: pa.DataType) -> None:
    with Publisher("t", key="id") as table:
        table.send(pa.table({"id": pa.array([DAY], kind), "v": [1]}))
        with pytest.raises(BadFrame):
            table.upsert({"id": NOON, "v": 2})
        assert table.delete(NOON) == 0
        assert table.delete([NOON, DAY]) == 1


def test_a_finer_key_is_another_one() -> None:
    finer = pd.Timestamp("2020-01-01 00:00:00.000000005")
    with Publisher("t", key="id") as table:
        table.upsert({"id": dt.datetime(2020, 1, 1), "v": 1})
        assert table.delete(finer) == 0
        assert table.delete([finer, dt.datetime(2020, 1, 1)]) == 1
        table.upsert({"id": dt.datetime(2020, 1, 1), "v": 1})
    with Publisher("spans", key="id") as table:
        table.upsert({"id": dt.timedelta(seconds=1), "v": 1})
        assert table.delete(pd.Timedelta("1s") + pd.Timedelta("5ns")) == 0


def test_half_floats_widen_where_a_number_does_not_fit() -> None:
    with Publisher("t") as table:
        table.append(pd.DataFrame({"a": np.array([0.5], "f2")}))
        table.append({"a": 100_000})
        table.append({"a": 2049})
        assert values(table) == [0.5, 100_000, 2049]


@pytest.mark.parametrize(
    ("kind", "sent", "shown"),
    [
        ("float32", [1e300], None),
        ("float32", [2**24 + 1], [2**24]),
        ("float32", [0.5, None], [0.5, None]),
        ("float16", [100_000.0], None),
        (str, [5, None], ["5", None]),
        (int, [5, None], [5, None]),
        (int, [5.5, None], None),
        (Decimal, [5, None], [Decimal(5), None]),
        (dt.date, [NOON], None),
        (dt.date, [DAY, None], [DAY, None]),
        (dt.datetime, [NOON.replace(tzinfo=dt.UTC)], None),
    ],
)
@pytest.mark.parametrize("how", ["send", "append", "rows"])
def test_a_type_that_was_asked_for(kind: Any, sent: list[Any], shown: Any, how: str) -> None:
    with Publisher("t", schema={"a": kind}) as table:
        do: Callable[[Any], Any] = table.append if how == "append" else table.send
        data: Any = [{"a": one} for one in sent] if how == "rows" else {"a": sent}
        if shown is None:
            with pytest.raises(BadFrame):
                do(data)
        elif sent == [2**24 + 1]:
            with pytest.raises(BadFrame):  # a whole number is not rounded
                do(data)
        else:
            do(data)
            assert values(table) == shown


@pytest.mark.parametrize(
    "empty",
    [
        pd.DataFrame(columns=["id", "a"]),
        pl.DataFrame(schema={"id": pl.Null, "a": pl.Null}),
        {"id": [], "a": []},
        pd.DataFrame({"id": pd.Series(dtype=object), "a": pd.Series(dtype=float)}),
    ],
    ids=["pandas", "polars", "dict", "object"],
)
@pytest.mark.parametrize("key", [1, "x", NOON])
def test_a_table_may_begin_empty(empty: Any, key: Any) -> None:
    with Publisher("t", key="id") as table:
        table.send(empty)
        table.upsert({"id": key, "a": 2})
        table.upsert({"id": key, "a": 3})
        assert values(table, "id") == [key]
        assert values(table) == [3]


def test_an_index_may_begin_empty() -> None:
    with Publisher("t") as table:
        table.send(pd.DataFrame(columns=["a"]))
        table.upsert(pd.DataFrame({"a": [1]}, index=["x"]))
        assert seen(table).index.tolist() == ["x"]


def test_numbers_in_cells_stay_whole_beside_what_is_missing() -> None:
    large = 2**53 + 1
    with Publisher("t") as table:
        table.send(pl.DataFrame({"a": [{"x": large}, None], "b": [[large, None], None]}))
        frame = seen(table)
        assert frame["a"][0] == {"x": large}
        assert list(frame["b"][0]) == [large, None]


def test_levels_of_an_index_are_told_apart_by_name() -> None:
    def frame(rows: list[tuple[int, int]], *names: str) -> pd.DataFrame:
        index = pd.MultiIndex.from_tuples(rows, names=names)
        return pd.DataFrame({"v": range(len(rows))}, index=index)

    with Publisher("t") as table:
        table.send(frame([(1, 2), (2, 1)], "x", "y"))
        other = frame([(2, 1)], "y", "x")
        other["v"] = 9
        table.upsert(other)
        assert seen(table)["v"].to_dict() == {(1, 2): 9, (2, 1): 1}
        with pytest.raises(BadFrame, match="levels"):
            table.upsert(frame([(1, 2)], "x", "z"))


def test_bytes_of_any_kind_are_one_cell() -> None:
    with Publisher("t") as table:
        for one in (bytearray(b"ab"), memoryview(b"cd"), b"ef"):
            table.append({"n": 1, "a": one})
        assert [bytes(one) for one in values(table)] == [b"ab", b"cd", b"ef"]


def test_what_is_masked_is_missing() -> None:
    with Publisher("t") as table:
        table.send({"a": [np.ma.masked, 2]})
        table.append({"a": np.ma.masked})
        assert values(table) == [None, 2, None]


def test_an_empty_list_beside_a_value_is_a_cell() -> None:
    with Publisher("t") as table:
        table.append({"t": 1, "tags": []})
        assert len(seen(table)) == 1


def test_whole_numbers_that_are_keys_widen() -> None:
    with Publisher("t", key="id") as table:
        table.send(pd.DataFrame({"id": np.array([1, 2], "int8"), "a": [1, 2]}))
        table.upsert([{"id": 1000, "a": 3}, {"id": 2, "a": 4}])
        assert seen(table).to_dict("list") == {"id": [1, 2, 1000], "a": [1, 4, 3]}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"limit": float("inf")}, ValueError), ({"limit": [1]}, ValueError),
        ({"limit": "x"}, ValueError), ({"ttl": "5"}, ValueError), ({"ttl": -1}, ValueError),
        ({"ttl": dt.timedelta(1)}, ValueError), ({"schema": "x"}, BadFrame),
        ({"endpoint": 5}, BadEndpoint), ({"key": {"a"}}, ValueError),
        ({"key": {}}, ValueError), ({"key": [["a"]]}, ValueError),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_at_once(words: dict[str, Any], error: Any) -> None:
    with pytest.raises(error) as refused:
        Publisher("t", **words)
    assert next(iter(words)) in str(refused.value) or "endpoint" in str(refused.value)


def test_rows_may_stay_as_long_as_one_likes() -> None:
    with Publisher("t", ttl=10**400) as table:
        table.append({"a": 1})
        assert values(table) == [1]


AT_THE_END = """
import sys
from livetable.feed import Publisher
p = Publisher("ex", key="id"); p.upsert({"id": 1, "v": 0})
class X:
    def __del__(self, p=p):
        DO
sys.modules["keep"] = X()
"""


@pytest.mark.parametrize(
    "do", ["p.upsert({'id': 1, 'v': 7})", "p.send({'id': [1]})", "p.delete([1])", "p.flush(1)",
           "p.append({'id': 3, 'v': 7})", "p.end()", "p.close()"],
)  # fmt: skip
def test_the_very_end_of_a_process_is_no_place_to_hang(do: str, runtime_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END.replace("DO", do)], capture_output=True, text=True,
        timeout=30, env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )  # fmt: skip
    assert done.returncode == 0
