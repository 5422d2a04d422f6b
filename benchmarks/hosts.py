"""Somebody's app that shows its own frames: `python -m benchmarks.hosts HOW ROWS … TIMES`.

HOW is `live` (`LiveTable.show`), `clear` (DataTable.clear and add_rows), `update`
(DataTable.update_cell on what is in sight) or `fast` (textual-fastdatatable, a new widget and
backend per frame). A thread of the app makes the frames; the other words are those of
`benchmarks.feed`. The key K counts.
"""

from __future__ import annotations

import gc
import sys
import threading
from typing import Any, ClassVar

import pandas as pd
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from benchmarks.feed import run
from livetable import LiveTable


class Host(App[None]):
    """A table, and a line that counts a key."""

    CSS = "Static { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("K", "count", "Count")]

    def __init__(self, how: str, words: list[str]) -> None:
        super().__init__()
        self._how, self._words = how, words
        self._keys = 0
        self._shown: list[list[Any]] = []
        self._newest: pd.DataFrame | None = None

    def compose(self) -> ComposeResult:
        """Yield the line and the table."""
        yield Static("", id="keys")
        if self._how == "live":
            yield LiveTable()
        elif self._how == "fast":
            from textual_fastdatatable import ArrowBackend
            from textual_fastdatatable import DataTable as FastTable

            yield FastTable(backend=ArrowBackend.from_pydict({"mark": ["-"]}))
        else:
            yield DataTable()

    def on_mount(self) -> None:
        """Start to make frames."""
        show = self.query_one(LiveTable).show if self._how == "live" else self._take
        threading.Thread(target=run, args=(show, self._words), daemon=True).start()
        self.screen.focus_next()
        # As docs/widget.md advises, whichever widget it is: else Python's collector looks through
        # all of Textual's and pandas' objects again and again, 60 ms each time.
        gc.collect()
        gc.freeze()

    def action_count(self) -> None:
        """Say how often the key was pressed: another letter each time, that no number holds."""
        self._keys += 1
        self.query_one("#keys", Static).update("Key " + "ghjklmz"[self._keys % 7] * 9)

    def _take(self, frame: pd.DataFrame) -> None:
        """Have the newest frame shown, once for all that came until then."""
        waits, self._newest = self._newest is not None, frame
        if not waits:
            self.call_from_thread(self.call_later, self._show)

    async def _show(self) -> None:
        frame, self._newest = self._newest, None
        if frame is None:
            return
        if self._how == "fast":
            import pyarrow as pa
            from textual_fastdatatable import ArrowBackend
            from textual_fastdatatable import DataTable as FastTable

            await self.query(FastTable).remove()
            await self.mount(FastTable(backend=ArrowBackend(pa.Table.from_pandas(frame))))
        else:
            self._show_in(self.query_one(DataTable), frame)

    def _show_in(self, table: DataTable[Any], frame: pd.DataFrame) -> None:
        if not table.columns:
            table.add_columns(*map(str, frame.columns))
        if self._how == "clear" or not table.row_count:
            rows = frame.to_numpy().tolist()
            table.clear()
            table.add_rows(rows)
            self._shown = rows[:60]
            return
        for row, values in enumerate(frame.iloc[:60].to_numpy().tolist()):
            for column, value in enumerate(values):
                if self._shown[row][column] != value:
                    table.update_cell_at(Coordinate(row, column), value)
            self._shown[row] = values


if __name__ == "__main__":
    Host(sys.argv[1], sys.argv[2:]).run()
