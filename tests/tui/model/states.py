"""States of one table, as a history holds them and as a line of them follows each other."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from livetable.tui.model.table import Table
from tests.tui.tables import Line, table_of


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


def state(sent: float, size: int = 0, **columns: list[object]) -> Table:
    frame = pd.DataFrame(columns or {"id": ["a"], "v": [sent]})
    return replace(table_of(frame, "id"), sent=sent, size=size)
