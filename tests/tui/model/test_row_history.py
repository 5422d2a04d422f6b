"""tui.model.row_history: one row's numbers over time, and the line of blocks they make."""

from __future__ import annotations

import math

from livetable.tui.model.budget import Budget
from livetable.tui.model.history import History
from livetable.tui.model.row_history import RowHistory, sparkline
from tests.tui.model.states import state


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
