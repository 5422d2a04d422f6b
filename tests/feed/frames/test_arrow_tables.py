"""livetable.feed.frames.arrow_tables: Arrow's data as tables that every reader takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from livetable.feed.frames.arrow_tables import as_table, copied, without_overflow


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (pa.table({"a": [1]}), {"a": [1]}), (pa.array([1, 2]), {"0": [1, 2]}),
        (pa.chunked_array([[1], [2]]), {"0": [1, 2]}), (pl.Series("s", [1]), {"s": [1]}),
        (pl.DataFrame({"a": ["x"]}), {"a": ["x"]}),
        (pa.array([{"a": 1}, {"a": 2}]), {"a": [1, 2]}),
    ],
)  # fmt: skip
def test_what_becomes_a_table(data: Any, columns: dict[str, list[Any]]) -> None:
    assert as_table(data).to_pydict() == columns


def test_polars_own_types() -> None:
    objects = pl.DataFrame({"o": pl.Series([object, None], dtype=pl.Object)})
    assert as_table(objects).column("o").to_pylist() == ["<class 'object'>", None]
    wide = pl.DataFrame({"n": pl.Series([1 << 100], dtype=pl.Int128)})
    assert as_table(wide).column("n").to_pylist() == [Decimal(1 << 100)]
    wider = pl.DataFrame({"n": pl.Series([(1 << 127) - 1], dtype=pl.Int128)})
    assert as_table(wider).column("n").to_pylist() == [str((1 << 127) - 1)]


def test_what_can_not_be_read_is_a_sentence() -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise RuntimeError("no")

    with pytest.raises(BadFrame, match=r"can't read .*Broken as an Arrow table"):
        as_table(Broken())


def test_decimals_that_fit_stay_and_others_widen() -> None:
    fits = pa.table({"d": pa.array([Decimal(7)], type=pa.decimal128(38, 0)), "a": [1]})
    assert without_overflow(fits) is fits
    buffers = [None, pa.py_buffer((10**38).to_bytes(16, "little"))]
    over = pa.table({"d": pa.Array.from_buffers(pa.decimal128(38, 0), 1, buffers)})
    assert without_overflow(over).column("d").to_pylist() == [Decimal(10**38)]


def test_a_copy_has_memory_of_its_own() -> None:
    memory = bytearray(16)
    array = pa.Array.from_buffers(pa.int64(), 2, [None, pa.py_buffer(memory)])
    table = copied(pa.table({"a": array}))
    memory[0] = 7
    assert table.column("a").to_pylist() == [0, 0]
    assert array.to_pylist() == [7, 0]
