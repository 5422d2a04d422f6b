"""livetable.tui.model.history, rowhistory and timeline: what was shown, and when."""

from __future__ import annotations

import datetime
import math
import re
import time
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.tui.model.budget import Budget, HistorySize, history_size
from livetable.tui.model.history import History, size_of
from livetable.tui.model.row_history import RowHistory, sparkline
from livetable.tui.model.table import Table
from livetable.tui.text.ages import span_text
from livetable.tui.text.clock import read_moment, wall_text
from livetable.tui.widgets.time_line import Moment
from tests.tui.tables import table_of


def state(sent: float, size: int = 0, **columns: list[object]) -> Table:
    frame = pd.DataFrame(columns or {"id": ["a"], "v": [sent]})
    return replace(table_of(frame, "id"), sent=sent, size=size)


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


def test_a_row_over_time() -> None:
    history = History(Budget(1 << 20))
    history.add(state(1, id=["a", "b"], v=[1, 2], w=[0.5, None], s=["x", "y"]))
    history.add(state(2, id=["b", "a"], v=[3, 4], s=["x", "y"]))
    history.add(state(3, id=["b"], v=[5], w=[math.inf], s=["x"]))
    rows = RowHistory(history, points=10)
    v, w = ("v", 0), ("w", 0)
    newest = history.at(2)
    times, values = rows.read(newest, 0, (v, w))
    assert times == [1, 2, 3]
    assert values[v] == [2, 3, 5]
    assert values[w][2] == math.inf
    assert all(map(math.isnan, values[w][:2]))
    times, values = rows.read(history.at(1), 1, (v,), until=2.5)
    assert (times, values[v]) == ([1, 2], [1, 4])
    times, values = RowHistory(history, points=2).read(history.at(0), 0, (v,))
    assert times == [2, 3]
    assert values[v][0] == 4
    assert math.isnan(values[v][1])
    history.add(state(4, id=["b"], v=["text"], s=["x"]))
    assert math.isnan(rows.read(newest, 0, (v,))[1][v][-1])


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, 7], 5) == " ▁▂▃█"
    assert sparkline([math.nan, 3, 3], 3) == " ▁▁"
    assert sparkline([math.inf, 0, 1], 3) == " ▁█"
    assert sparkline([], 2) == "  "
    assert sparkline(list(range(100)), 4) == "▁▃▆█"


NOW = datetime.datetime(2026, 11, 24, 14, 3, 7).timestamp()


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("14:03", 7),
        ("14:03:07", 0),
        ("14:03:05.5", 1.5),
        ("-30", 30),
        ("30 s", 30),
        ("-30 seconds", 30),
        ("2 min ago", 120),
        ("1.5h", 5400),
        ("3 x", None),
        ("0", 0),
        ("15:00", 24 * 3600 - 3600 + 187),
        ("25:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_moments_are_read(text: str, ago: float | None) -> None:
    moment = read_moment(text, NOW)
    assert moment is None if ago is None else moment == pytest.approx(NOW - ago)


def test_moments_are_written() -> None:
    hour = time.strftime("%H:", time.localtime(time.time() - 1)), time.strftime("%H:")
    assert wall_text(time.time())[:3] in hour
    assert [span_text(span) for span in (-1, 0.44, 12.9, 187, 7387)] == [
        "0.0 s", "0.4 s", "12 s", "3:07", "2:03:07",
    ]  # fmt: skip
    moment = Moment(at=5, wall=0, first=0, last=10, frame=1, frames=2, bytes=0, limit=1)
    assert moment.share == 0.5
    assert replace(moment, last=0, at=0).share == 1.0
