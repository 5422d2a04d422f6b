"""livetable.feed.sources.column_types: `--types` as it is written, or a sentence."""

from __future__ import annotations

import pyarrow as pa
import pytest

from livetable.feed.sources.column_types import BadTypes, read_types


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("zip=text", {"zip": pa.string()}),
        ("a=int, b=float ,c = bool", {"a": pa.int64(), "b": pa.float64(), "c": pa.bool_()}),
        ("day=date,at=time", {"day": pa.date32(), "at": pa.timestamp("us")}),
        ("a=b=int", {"a=b": pa.int64()}),  # a column may have a sign in its name
        ("köln=int,köln=text", {"köln": pa.string()}),
    ],
)
def test_types_are_read(text: str, types: dict[str, pa.DataType]) -> None:
    assert read_types(text) == types


@pytest.mark.parametrize("text", ["", "zip", "=int", "zip=", "zip=word", "a=int,", "a=INT"])
def test_what_is_not_written_so_is_a_sentence(text: str) -> None:
    with pytest.raises(
        BadTypes, match="write COLUMN=TYPE with one of text, int, float, bool, date"
    ):
        read_types(text)
