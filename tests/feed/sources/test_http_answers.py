"""livetable.feed.sources.http_answers: a table as the body of an answer, with exact values."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.sources.http_answers import WRITERS, frame_of

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


def body_of(frame: Any) -> memoryview:
    return memoryview(Encoder()(capture(frame)).data)


@pytest.mark.parametrize("form", WRITERS)
def test_each_form_has_all_values(form: str) -> None:
    _, write = WRITERS[form]
    data = write(body_of(FRAME))
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    if form == "json":
        assert json.loads(data) == rows
        assert data.endswith(b"\n")
    elif form == "csv":
        assert data == b"a,b\n1,x\n2,\n"
    elif form == "arrow":
        assert pa.ipc.open_stream(data).read_all().select(["a", "b"]).to_pylist() == rows
    else:
        assert pq.read_table(io.BytesIO(data)).select(["a", "b"]).to_pylist() == rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, 0.1), (float("nan"), None), (float("inf"), None), (True, True), (2**60, 2**60),
        (date(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
        (Decimal("1.50"), "1.50"), (b"\x01\xff", "01ff"), ([1, None], [1, None]),
        ({"x": [0.5], "y": "z"}, {"x": [0.5], "y": "z"}),
    ],
    ids=str,
)  # fmt: skip
def test_values_as_json_knows_them(value: Any, text: Any) -> None:
    table = pa.table({"a": pa.array([value])})
    _, write = WRITERS["json"]
    assert json.loads(write(body_of(table))) == [{"a": text}]


def test_an_index_that_only_counts_is_no_column_and_any_other_is() -> None:
    assert list(frame_of(body_of(FRAME)).columns) == ["a", "b"]
    named = FRAME.set_axis(pd.Index(["p", "q"], name="id"))
    assert list(frame_of(body_of(named)).columns) == ["id", "a", "b"]
