"""livetable.feed.sources.parquet, and Feather: bounded before they are unpacked."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from livetable.feed.errors import BodyError
from livetable.feed.sources.parquet import read_parquet
from livetable.feed.sources.payloads import Unreadable, recognise

MOST = 64 << 20
OFTEN = 100_000
LONG = pa.DictionaryArray.from_arrays(
    pa.array([0] * OFTEN, pa.int32()), pa.array(["x" * 1_000_000])
)
PAIR = pa.DictionaryArray.from_arrays(
    pa.array(range(OFTEN), pa.int32()), pa.array(map(str, range(OFTEN)))
)


def written(table: pa.Table, **how: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


EACH = pa.table(
    {
        "text": ["x", None] * 5,
        "category": pa.array(["u", "v"] * 5).dictionary_encode(),
        "list": [["p", "q"], []] * 5,
        "bytes": [b"1", b"2"] * 5,
        "view": pa.array(["s"] * 10, pa.string_view()),
        "large": pa.array(["s"] * 10, pa.large_string()),
        "map": pa.array([[("k", "v")]] * 10, pa.map_(pa.string(), pa.string())),
        "struct": [{"z": "y", "n": 1}] * 10,
        "time": pd.date_range("2020", periods=10),
        "x.y": ["1"] * 10,
        "number": [1.5] * 10,
    }
)


@pytest.mark.parametrize("rows", [10, 3])
def test_what_is_no_bomb_comes_as_it_is(rows: int) -> None:
    data = written(EACH, row_group_size=rows)
    read = read_parquet(data, MOST)
    assert read.schema == pq.read_schema(io.BytesIO(data))
    assert read.to_pydict() == EACH.to_pydict()
    assert read_parquet(written(EACH.slice(0, 0)), MOST).to_pydict() == EACH.slice(0, 0).to_pydict()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1] * 20_000_000, pa.int8()),
        LONG.cast(pa.dictionary(pa.int32(), pa.string())),
        pa.ListArray.from_arrays(pa.array(range(0, OFTEN + 1, 1000), pa.int32()), LONG),
        pa.StructArray.from_arrays([LONG], ["text"]),
        pa.MapArray.from_arrays(pa.array(range(0, OFTEN + 1, 1000), pa.int32()), PAIR, LONG),
    ],
    ids=["numbers", "texts", "list", "struct", "map"],
)
def test_bombs(column: pa.Array) -> None:
    table = pa.table({"bomb": column})
    # As one who hides that it is a category.
    data = written(table, compression="zstd", store_schema=False)
    assert len(data) < 1 << 20
    with pytest.raises(BodyError, match=r"unpacks to|would take"):
        read_parquet(data, MOST)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_feather_unpacks_no_further_than_it_may(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livetable.feed.sources.payloads.MAX_UNPACKED", 1 << 20)
    for zeros in (1000, 1_000_000):
        file = io.BytesIO()
        table = pa.table({"zeros": pa.nulls(zeros, pa.int64()).fill_null(0)})
        pa.feather.write_feather(table, file, compression=compression)
        if zeros == 1000:
            assert recognise(file.getvalue(), pickles=False).num_rows == zeros
        else:
            with pytest.raises(Unreadable, match="unpack"):
                recognise(file.getvalue(), pickles=False)
