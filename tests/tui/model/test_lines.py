"""States of one line: rows keep their numbers: what came, went and changed is told exactly."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from livetable.tui.model.budget import Budget
from livetable.tui.model.history import History, size_of
from livetable.tui.model.table import Table
from livetable.tui.query.arrange import PLAIN, Mode, arrange, sorted_by
from livetable.tui.query.row_match import came_and_went, changed_rows, places_in
from tests.tui.tables import Line


def frame(rows: dict[int, float], *, keyed: bool) -> pd.DataFrame:
    data = {"id": list(rows), "x": list(rows.values()), "s": [f"s{key}" for key in rows]}
    return pd.DataFrame(data if keyed else {"x": data["x"], "s": data["s"]})


def states(*, keyed: bool) -> tuple[Table, Table]:
    line = Line("id") if keyed else Line()
    rows = {key: key / 2 for key in range(6)}
    before = line.table(frame(rows, keyed=keyed), list(rows))
    del rows[0], rows[3]
    rows[4] = 9.0
    rows[7] = 0.5
    after = line.table(frame(rows, keyed=keyed), list(rows), seq=2)
    assert line.deltas == 1
    return before, after


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


@pytest.mark.parametrize("keyed", [True, False])
def test_what_came_went_and_changed_is_told_exactly(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    assert places_in(after, before).to_pylist() == [1, 2, 4, 5, None]
    assert places_in(before, after).to_pylist() == [None, 0, 1, None, 2, 3]
    some = np.array([4, 0], dtype=np.int64)
    assert places_in(after, before, some).to_pylist() == [None, 1]
    came, gone, names = came_and_went(after, before, 5)
    assert (came, gone) == (1, 2)
    assert names == ["0", "3"]
    # Where the index only counts, it too is another one for rows that moved.
    assert len(changed_rows(after, before)) == (1 if keyed else 4)


def test_a_key_that_comes_again_is_the_same_row() -> None:
    line = Line("id")
    before = line.table(frame({1: 0.5, 2: 1.0}, keyed=True), [1, 2])
    line.table(frame({1: 0.5}, keyed=True), [1])
    after = line.table(frame({1: 0.5, 2: 3.0}, keyed=True), [1, 2])
    assert line.deltas == 2
    assert after.find(before, 1, 0) == 1
    assert places_in(after, before).to_pylist() == [0, 1]


@pytest.mark.parametrize("keyed", [True, False])
def test_a_held_order_follows_rows_that_move(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    held = replace(sorted_by(PLAIN, ("x", 0)), mode=Mode.HELD)
    held = sorted_by(held, ("x", 0))  # descending
    first = arrange(before, held)
    assert first.table.window(1, 0, 6).to_pylist() == [2.5, 2.0, 1.5, 1.0, 0.5, 0.0]
    then = arrange(after, held, first)
    assert then.table.window(1, 0, 5).to_pylist() == [2.5, 9.0, 1.0, 0.5, 0.5]


def test_a_history_counts_what_its_states_share_once() -> None:
    line, history = Line("id"), History(Budget(1 << 30))
    rows = {key: key / 2 for key in range(800)}
    for number in range(20):
        rows[number] = -1.0
        history.add(line.table(frame(rows, keyed=True), list(rows), seq=number))
    newest = history.at(history.last)
    assert newest.size < newest.held / 4
    assert newest.held < history.bytes < 8 * newest.held
    small = History(Budget(newest.held + 5 * size_of(newest)))
    for table in history.tables():
        small.add(table)
    assert 1 < len(small) < 10
    assert small.bytes <= small.budget.limit


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
