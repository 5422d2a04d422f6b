"""The widget alone, in a terminal: `python -m benchmarks.repaint ROWS plain|sort PAINTS REPORT`.

Two states of a table, decoded already, are shown in turn; writes the median milliseconds from one
to the other's bytes having been written.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from textual.app import App, ComposeResult

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.replica import followed
from livetable.tui.model.table import Table, build
from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.terminal.driver import driver_for_terminal
from livetable.tui.widgets.table_view import TableView


def tables(rows: int, *, ordered: bool) -> list[Table]:
    """Return two states that differ in a tenth of the cells."""
    random = np.random.default_rng(1)
    values = random.normal(100, 20, (rows, 10)).round(2)
    states: list[Table] = []
    for number in range(2):
        values = np.where(random.random(values.shape) < 0.1, values + 1, values)
        frame = pd.DataFrame(values, columns=[f"c{n}" for n in range(10)])
        decoded = Decoder()(Encoder()(capture(frame)).data)
        table = build(followed(decoded), (), Position("bench", number + 1))
        if ordered:
            before = arrange(table, Arrangement(sort=(SortKey(("c3", 0)),)))
            table = before.table if not states else table.arranged(states[0].order)
        states.append(table)
    return states


class RepaintApp(App[None]):
    """Shows the two states in turn."""

    def __init__(self, states: list[Table], paints: int, report: Path) -> None:
        super().__init__(driver_class=driver_for_terminal())
        self._states = states
        self._paints = paints
        self._report = report
        self._took: list[float] = []
        self._painted = 0

    def compose(self) -> ComposeResult:
        """Yield the widget."""
        yield TableView()

    def on_mount(self) -> None:
        """Start."""
        self.query_one(TableView).update(self._states[0])
        self.set_interval(0.03, self._next)

    def _next(self) -> None:
        self._painted += 1
        began = time.perf_counter()
        done = self.query_one(TableView).update(self._states[self._painted % 2])
        if done and self._painted > 20:
            self._took.append((time.perf_counter() - began) * 1000)
        if len(self._took) == self._paints:
            self._report.write_text(json.dumps(statistics.median(self._took)))
            self.exit()


if __name__ == "__main__":
    states = tables(int(sys.argv[1]), ordered=sys.argv[2] == "sort")
    RepaintApp(states, int(sys.argv[3]), Path(sys.argv[4])).run()
