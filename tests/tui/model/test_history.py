"""tui.model.history: what was shown, and when; the oldest is forgotten first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.tui.model.budget import Budget
from livetable.tui.model.history import History, size_of
from tests.tui.model.states import frame, state
from tests.tui.tables import Line


def test_the_oldest_are_forgotten_first_and_the_newest_never() -> None:
    budget = Budget(3 * size_of(state(0, 100)))
    history = History(budget)
    assert (history.first, history.last, history.seconds, len(history)) == (0, -1, 0.0, 0)
    with pytest.raises(LookupError):
        history.at(0)
    for second in range(5):
        history.add(state(second, 100))
    assert (history.first, history.last, history.seconds, len(history)) == (2, 4, 2.0, 3)
    assert history.bytes == budget.bytes == budget.limit
    assert [history.at(number).sent for number in (-1, 2, 3, 4, 9)] == [2, 2, 3, 4, 4]
    history.add(state(9, 10**9))
    assert (history.first, history.last) == (5, 5)
    assert history.at(5).sent == 9


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50_000)), min_size=1))
def test_it_never_takes_more_than_it_may(added: list[tuple[float, int]]) -> None:
    history = History(Budget(60_000))
    for sent, size in added:
        history.add(state(sent, size))
        tables = history.tables()
        assert history.bytes == sum(map(size_of, tables))
        assert history.bytes <= history.budget.limit or len(tables) == 1
        assert tables[-1].sent == sent


def test_places_in_time() -> None:
    history = History()
    for sent in (10, 12, 14):
        history.add(state(sent))
    assert [history.number_at(moment) for moment in (0, 10, 11.9, 12, 99)] == [0, 0, 0, 1, 2]
    newest = history.at(2)
    assert [
        then and then.sent for then in (history.before(newest, span) for span in (0, 1, 2, 4, 5))
    ] == [12, 12, 12, 10, None]
    assert history.before(history.at(0), 0) is None
    assert history.before(newest, "mark") is None
    history.marked = newest
    assert history.before(newest, "mark") is newest
    assert [table.sent for table in history.tables(11)] == [12, 14]
    history.add(state(3))  # a clock that goes back: it was shown last nevertheless
    assert history.at(history.last).sent == 3
    assert history.number_at(99) == 3


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
