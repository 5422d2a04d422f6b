"""livetable.feed.sources.json_columns: values of JSON in one column, exactly or as text."""

from __future__ import annotations

import pyarrow as pa

from livetable.feed.sources.json_columns import wider_type


def test_wider_types() -> None:
    assert wider_type(pa.int64(), pa.float64()) == pa.float64()
    assert wider_type(pa.null(), pa.bool_()) == pa.bool_()
    assert wider_type(pa.int64(), pa.string()) is None
    assert wider_type(pa.struct([("a", pa.int64())]), pa.struct([("b", pa.int64())])) is None
