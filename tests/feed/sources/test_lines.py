"""livetable.feed.sources.lines: lines that come in any pieces become rows."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.sources.fitting_types import OtherTypes
from livetable.feed.sources.lines import Lines
from tests.feed.sources.following import Rows


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 60))
def test_text_in_any_pieces(texts: list[bytes], piece: int) -> None:
    rows = [json.dumps({"a": at, "s": repr(text)}) for at, text in enumerate(texts)]
    data = ("\n".join(rows) + "\n").encode() if rows else b""
    lines = Lines("jsonl")
    found: Rows = []
    for start in range(0, len(data), piece):
        table = lines.add(data[start : start + piece])
        found += table.to_pylist() if table is not None else []
    assert found == [json.loads(row) for row in rows]


def test_line_breaks_between_quotes() -> None:
    lines = Lines("csv")
    assert lines.add(b'a,b\n1,"x\n') is None
    table = lines.add(b'y"\n2,z\n3')
    assert table is not None
    assert table.to_pydict() == {"a": [1, 2], "b": ["x\ny", "z"]}
    table = lines.add(b",w", last=True)
    assert table is not None
    assert table.to_pydict() == {"a": [3], "b": ["w"]}
    with pytest.raises(OtherTypes) as error:
        lines.add(b"x,1\n")
    assert [kind.type for kind in error.value.known] == [pa.string(), pa.string()]
