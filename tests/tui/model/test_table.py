"""livetable.tui.model.table and view: rows found again by what they are held by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder, Delta
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.replica import Follower, followed
from livetable.tui.grid.anchor import View, follow, move, show
from livetable.tui.model.table import Table, build
from livetable.tui.text.column_format import ColumnFormat
from tests.ugly import ugly_frames


def table_of(frame: Any, *key: Any, seq: int = 1) -> Table:
    decoded = Decoder()(Encoder()(capture(frame)).data)
    return build(followed(decoded), tuple(map(to_json, key)), Position("e", seq))


class Line:
    """A table that is followed: whole at first, then by what changed, as a viewer follows it."""

    def __init__(self, *key: Any) -> None:
        self._key = tuple(map(to_json, key))
        self._follower = Follower()
        self._before: pd.DataFrame | None = None
        self._ids: list[Any] = []
        self.deltas = 0

    def table(self, frame: pd.DataFrame, ids: list[Any], seq: int = 1) -> Table:
        """Return a state of the table.

        Args:
            frame: The table.
            ids: What its rows are told apart by here, whatever the viewer tells them apart by.
            seq: Its number.
        """
        before, old = self._before, self._ids
        self._before, self._ids = frame, list(ids)
        kept = [one for one in old if one in set(ids)]
        if before is None or ids[: len(kept)] != kept or not _alike(before, frame):
            decoded = Decoder()(Encoder()(capture(frame)).data)
            state = self._follower.snapshot(decoded, 100)
        else:
            gone = tuple((at, 1) for at, one in enumerate(old) if one not in set(ids))
            was = dict(zip(old, before.itertuples(), strict=True))
            now = list(zip(ids, frame.itertuples(), strict=True))
            rows = [at for at, (one, row) in enumerate(now) if one not in was or row != was[one]]
            part = frame.iloc[rows]
            if isinstance(frame.index, pd.RangeIndex):
                part = part.reset_index(drop=True)
            decoded = Decoder()(Encoder()(capture(part)).data)
            delta = Delta(np.array(rows, dtype=np.int64), decoded)
            state = self._follower.delta(delta, gone, len(frame))
            self.deltas += 1
        return build(state, self._key, Position("e", seq))


def _alike(before: pd.DataFrame, frame: pd.DataFrame) -> bool:
    types = [list(map(str, one.dtypes)) for one in (before, frame)]
    return (
        list(before.columns) == list(frame.columns)
        and types[0] == types[1]
        and type(before.index) is type(frame.index)
        and len(frame) > 0  # without rows a column of text has no type of text
        and len(before) > 0
    )


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


# -- the view -----------------------------------------------------------------------------------


def keyed(keys: list[int], seq: int = 1) -> Table:
    return table_of({"id": pd.Series(keys, dtype="int64"), "v": [0.0] * len(keys)}, "id", seq=seq)


keys = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(keys, keys, st.integers(0, 19), st.integers(0, 19), st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_the_view_never_moves_under_you(
    before: list[int], after: list[int], top: int, row: int, height: int
) -> None:
    old, new = keyed(before), keyed(after)
    top = min(top, max(0, len(before) - height))
    row = min(row, max(0, len(before) - 1))
    view = View(top, row, 1)
    now = follow(view, old, new, height)
    assert 0 <= now.top <= max(0, len(after) - height)
    assert 0 <= now.row <= max(0, len(after) - 1)
    at_top = top == 0 and row == 0
    at_end = bool(before) and row >= len(before) - 1 and top + height >= len(before)
    if at_top:
        assert (now.top, now.row) == (0, 0)
    elif at_end:
        assert now.row == max(0, len(after) - 1)
        assert now.top == max(0, len(after) - height)
    elif before and before[row] in after:
        assert after[now.row] == before[row]
    held = [key for key in before[top : top + height] if key in after]
    if held and not at_top and not at_end:
        line = before.index(held[0]) - top
        wanted = max(0, after.index(held[0]) - line)
        assert now.top == min(wanted, max(0, len(after) - height))


def test_columns_are_held_by_title() -> None:
    old = table_of(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))
    new = table_of(pd.DataFrame([[1, 2, 3, 4]], columns=["n", "a", "b", "a"]))
    places = [follow(View(0, 0, column), old, new, 5).column for column in range(4)]
    assert places == [0, 2, 3, 4]
    gone = table_of(pd.DataFrame([[1]], columns=["z"]))
    assert follow(View(0, 0, 3), old, gone, 5).column == 1


def test_moving() -> None:
    table = keyed(list(range(20)))
    assert move(View(), table, 5, rows=7) == View(3, 7, 0)
    assert move(View(3, 7, 0), table, 5, rows=-99) == View(0, 0, 0)
    assert move(View(), table, 5, rows=99, columns=99) == View(15, 19, 1)
    assert move(View(), keyed([]), 5, rows=1) == View()
    assert show(View(9, 2, 0), 5).top == 2


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
