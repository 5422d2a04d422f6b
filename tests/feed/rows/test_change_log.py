"""livetable.feed.rows.change_log: what changed between two states, as long as it is remembered."""

from __future__ import annotations

import numpy as np
import pytest

from livetable.feed.rows import change_log
from livetable.feed.rows.change_log import ChangeLog
from livetable.feed.rows.row_map import Numbers, Rows
from livetable.feed.rows.schema import Shape
from livetable.feed.rows.state import Change, State
from livetable.feed.rows.store import Store


def rows(*numbers: int) -> Numbers:
    return np.array(numbers, dtype=np.int64)


def state_of(there: Rows) -> State:
    return State(Shape({"range": [0, 1]}, (), ()), there, Store(()), 0)


def test_changes_since_a_seq_are_joined() -> None:
    there = Rows.of(np.arange(5, dtype=np.int64))
    log = ChangeLog()
    log.remember(Change(2, 5, rows(1), rows()), 5)
    there = there.without(rows(0))
    log.remember(Change(3, 5, rows(), rows(0)), 4)
    there = there.with_more(rows(9))
    log.remember(Change(4, 5, rows(), rows()), 5)
    difference = log.since(1, state_of(there), 4)
    assert difference is not None
    assert difference.gone.tolist() == [0]
    assert difference.changed.tolist() == [0, 4]  # number 1, now first, and the new row
    assert difference.stored.tolist() == [1, 9]
    latest = log.since(3, state_of(there), 4)
    assert latest is not None
    assert latest.changed.tolist() == [4]


def test_what_is_not_remembered_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    there = state_of(Rows.of(np.arange(500, dtype=np.int64)))
    log = ChangeLog()
    assert log.since(0, there, 1) is None
    monkeypatch.setattr(change_log, "MOST_CHANGES", 2)
    for seq in (1, 2, 3):
        log.remember(Change(seq, 500, rows(seq), rows()), 500)
    assert log.since(0, there, 3) is None  # the first was dropped
    assert log.since(1, there, 3) is not None
    assert log.since(1, there, 4) is None  # not there yet
    log.forget()
    assert log.since(1, there, 3) is None


def test_too_much_is_sent_whole() -> None:
    log = ChangeLog()
    there = state_of(Rows.of(np.arange(1000, dtype=np.int64)))
    log.remember(Change(1, 1000, np.arange(601, dtype=np.int64), rows()), 1000)
    assert log.since(0, there, 1) is None
