"""tui.model.table: rows found again by what they are held by, columns and their headings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.tui.text.column_format import ColumnFormat
from tests.tui.tables import table_of
from tests.ugly import ugly_frames


def test_key_columns_come_first() -> None:
    table = table_of({"a": [1, 2], "id": ["x", "y"]}, "id")
    assert table.titles == ("id", "a")
    assert table.fixed == 1
    assert table.identity(1) == ("y",)
    assert table.find(table, 1, 0) == 1
    others = table_of({"id": ["y", "z", None]}, "id")
    assert [table.find(others, row, 0) for row in range(3)] == [1, None, None]
    assert table.find(table_of({"id": ["x"], "b": ["y"]}, "id", "b"), 0, 0) is None
    assert table.find(table_of({"id": [1.5]}, "id"), 0, 0) is None
    assert table.find(table_of({"id": [[1]]}, "id"), 0, 1) is None
    assert table.find(table_of({"a": [1]}), 0, 0) is None


def test_index_comes_first() -> None:
    table = table_of(ugly_frames()["multi"])
    assert table.fixed == 2
    assert table.titles == ("letter", "", "x · 1", "x · 2")
    assert table.identities(0, 2) == [("a", 1), ("a", 2)]
    assert table.find(table, 2, 0) == 2


def test_an_index_that_counts() -> None:
    table = table_of(ugly_frames()["range index"])
    assert table.window(0, 1, 3).to_pylist() == [8, 6]
    assert not table.is_keyed
    assert table.identity(2) == (2,)
    assert table.find(table, 2, 0) == 2
    assert table.find(table, 99, 0) is None
    assert table_of({"a": [1]}, "a").is_keyed


def test_of_rows_with_one_label_the_nearest() -> None:
    frame = pd.DataFrame({"a": range(6)}, index=list("xyxyxy"))
    table, before = table_of(frame), table_of(frame)
    assert table.find(before, 0, 3) in (2, 4)
    assert table.find(before, 0, 5) == 4
    assert table.find(before, 1, 3) == 3
    assert table.find(table, 1, 3) == 1  # of one state it is the row itself


@pytest.mark.parametrize("name", ugly_frames())
def test_every_row_of_every_ugly_frame_is_found(name: str) -> None:
    table = table_of(ugly_frames()[name])
    for row in range(table.rows):
        assert table.find(table, row, row) == row
    keyed = [at for at, one in enumerate(table.headings.columns) if one.source is not None]
    if keyed:
        labels = Decoder()(Encoder()(capture(ugly_frames()[name])).data).labels
        again = table_of(ugly_frames()[name], *labels.columns[:1])
        for row in range(again.rows):
            found = again.find(again, row, 0)
            assert found in (None, row) or again.identity(found) == again.identity(row)


def test_missing_keys() -> None:
    table = table_of({"id": [None, "x", None], "a": [1, 2, 3]}, "id")
    before = table_of({"id": [None, "x", None], "a": [1, 2, 3]}, "id")
    assert table.find(before, 0, 2) == 2
    assert table.find(table, 0, 1) in (0, 2)


def test_select() -> None:
    table = table_of({"a": [1], "id": ["x"], "b": [2]}, "id")
    chosen = table.select(["b", "nope", "a"])
    assert chosen.titles == ("id", "b", "a")
    assert table.missing(["b", "nope"]) == ["nope"]
    assert table.select(["a", "id"]).titles == ("a", "id")
    assert chosen.identity(0) == ("x",)


def test_any_column_can_be_shown_in_another_order() -> None:
    for name, frame in ugly_frames().items():
        table = table_of(frame)
        if table.rows > 1000:
            continue
        turned = table.arranged(np.arange(table.rows, dtype=np.int64)[::-1])
        for at, kind in enumerate(table.types):
            form = ColumnFormat(kind)
            plain, found = (form.values(one.window(at, 0, table.rows)) for one in (table, turned))
            assert form.texts(found) == form.texts(plain)[::-1], name
