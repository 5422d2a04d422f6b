"""livetable.feed.frames.decoder: bodies are read as they are, or refused."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.errors import BodyError
from livetable.feed.frames.decoder import Decoder


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
