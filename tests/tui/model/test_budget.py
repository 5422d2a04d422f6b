"""tui.model.budget: what tables may keep together, and how a person says it."""

from __future__ import annotations

import re

import pytest

from livetable.tui.model.budget import Budget, HistorySize, history_size
from livetable.tui.model.history import History, size_of
from tests.tui.model.states import state


def test_tables_share_a_budget_and_who_takes_most_gives_first() -> None:
    size = size_of(state(0))
    small, large = History(budget := Budget(10 * size)), History(budget)
    for second in range(4):
        small.add(state(second))
    for second in range(100):
        large.add(state(second, size))
        assert budget.bytes == small.bytes + large.bytes <= budget.limit
    assert (len(small), len(large)) == (4, 3)
    large.add(state(100, 100 * size))  # beyond all bounds: what is newest stays nevertheless
    assert (len(small), len(large)) == (1, 1)
    large.clear()
    assert (len(large), large.bytes, large.first, large.last) == (0, 0, 101, 100)
    for second in range(20):
        small.add(state(200 + second))
    assert len(small) == 10


def test_what_is_gone_takes_nothing() -> None:
    budget = Budget(1 << 20)
    history = History(budget)
    history.add(state(0))
    assert budget.bytes
    del history
    assert not budget.bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("64", HistorySize(64.0)), ("0.5", HistorySize(0.5)), ("64/table", HistorySize(64.0, True))],
)
def test_how_much_may_be_kept(text: str, size: HistorySize) -> None:
    assert history_size(text) == size == history_size(str(size))
    assert size.budget().limit == size.megabytes * (1 << 20)


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "/table", "64/", "64 /tab", "1e9"])
def test_what_says_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="could not convert|^" + re.escape(text)):
        history_size(text)
