"""tui.model.table: rows found again by what they are held by, columns and their headings."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.tui.query.row_match import places_in
from livetable.tui.text.column_format import ColumnFormat
from tests.tui.model.states import frame, states
from tests.tui.tables import Line, table_of
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
    for name, ugly in ugly_frames().items():
        table = table_of(ugly)
        if table.rows > 1000:
            continue
        turned = table.arranged(np.arange(table.rows, dtype=np.int64)[::-1])
        for at, kind in enumerate(table.types):
            form = ColumnFormat(kind)
            plain, found = (form.values(one.window(at, 0, table.rows)) for one in (table, turned))
            assert form.texts(found) == form.texts(plain)[::-1], name


@pytest.mark.parametrize("keyed", [True, False])
def test_rows_are_found_wherever_they_are_now(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    assert [after.find(before, row, 0) for row in range(6)] == [None, 0, 1, None, 2, 3]
    assert [before.find(after, row, 0) for row in range(5)] == [1, 2, 4, 5, None]
    held = after.identities(0, after.rows)
    assert held == [after.identity(row) for row in range(after.rows)]
    assert held == [(key,) for key in ([1, 2, 4, 5, 7] if keyed else [1, 2, 4, 5, 6])]
    assert after.rows_of([held[3], held[1], (99,)]).tolist() == [1, 3]
    turned = after.arranged(np.array([4, 2, 0]))
    assert turned.identities(0, 3) == [held[4], held[2], held[0]]
    assert [turned.identity(row) for row in range(3)] == [held[4], held[2], held[0]]
    assert turned.rows_of([held[2], held[3]]).tolist() == [2]
    assert turned.find(before, 4, 0) == 1


def test_a_key_that_comes_again_is_the_same_row() -> None:
    line = Line("id")
    before = line.table(frame({1: 0.5, 2: 1.0}, keyed=True), [1, 2])
    line.table(frame({1: 0.5}, keyed=True), [1])
    after = line.table(frame({1: 0.5, 2: 3.0}, keyed=True), [1, 2])
    assert line.deltas == 2
    assert after.find(before, 1, 0) == 1
    assert places_in(after, before).to_pylist() == [0, 1]


def test_an_order_is_let_go_of_while_its_rows_are_kept() -> None:
    line = Line("id")
    rows = {key: key / 2 for key in range(50)}
    line.table(frame(rows, keyed=True), list(rows))
    rows[3] = 7.0
    kept = line.table(frame(rows, keyed=True), list(rows), seq=2)
    order = np.arange(49, -1, -1)
    shown = kept.arranged(order)
    assert shown.window(1, 0, 3).to_pylist() == [24.5, 24.0, 23.5]
    held = weakref.ref(order)
    del order, shown
    gc.collect()
    assert held() is None
    assert kept.rows == 50
