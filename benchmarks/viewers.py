"""What a user would pick instead: `python -m benchmarks.viewers HOW NAME`, on livetable's own wire.

HOW is `clear` (DataTable.clear and add_rows), `update` (DataTable.update_cell on what is in sight),
`fast` (textual-fastdatatable, a new widget and backend per frame) or `empty` (an app with nothing
in it).
"""

from __future__ import annotations

import sys
from typing import Any

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import DataTable, Static

from livetable.feed.client.connection import Client
from livetable.feed.client.requests import News
from livetable.feed.frames.decoder import Decoded, Decoder
from livetable.feed.local import directory


class Frame(Message):
    """A decoded frame."""

    def __init__(self, decoded: Decoded) -> None:
        self.decoded = decoded
        super().__init__()


class Viewer(App[None]):
    """A stock widget that shows a table."""

    def __init__(self, how: str, name: str) -> None:
        super().__init__()
        self.how, self.table_name = how, name
        self.shown: list[list[Any]] = []

    def compose(self) -> ComposeResult:
        """Yield the widget."""
        if self.how == "empty":
            yield Static("EMPTY-APP")
        elif self.how == "fast":
            from textual_fastdatatable import ArrowBackend
            from textual_fastdatatable import DataTable as FastTable

            yield FastTable(backend=ArrowBackend.from_pydict({"mark": ["-"]}))
        else:
            yield DataTable()

    def on_mount(self) -> None:
        """Start reading."""
        if self.how != "empty":
            self.run_worker(self.read, thread=True)

    def read(self) -> None:
        """Post each frame; ask for the next when it was handled."""
        self.client = Client(directory.find(self.table_name)[0].endpoint)
        decode = Decoder()
        self.client.ask(self.table_name)
        for event in self.client.events():
            if isinstance(event, News):
                if event.body is not None:
                    self.post_message(Frame(decode(event.body)))
                else:
                    self.client.ask(self.table_name)

    async def on_frame(self, message: Frame) -> None:
        """Show a frame in the stock way."""
        decoded = message.decoded
        labels = list(map(str, decoded.labels.columns))
        if self.how == "fast":
            import pyarrow as pa
            from textual_fastdatatable import ArrowBackend
            from textual_fastdatatable import DataTable as FastTable

            table = pa.Table.from_arrays(list(decoded.columns), names=labels)
            # Its backend can't be exchanged: the public way is a new widget.
            await self.query(FastTable).remove()
            await self.mount(FastTable(backend=ArrowBackend(table)))
        else:
            self._show(self.query_one(DataTable), decoded, labels)
        self.call_after_refresh(self.client.ask, self.table_name)

    def _show(self, table: DataTable[Any], decoded: Decoded, labels: list[str]) -> None:
        if not table.columns:
            table.add_columns(*labels)
        if self.how == "clear" or not table.row_count:
            rows = list(zip(*(column.to_pylist() for column in decoded.columns), strict=True))
            table.clear()
            table.add_rows(rows)
            self.shown = [list(row) for row in rows[:60]]
            return
        from textual.coordinate import Coordinate

        rows = list(
            zip(*(column.slice(0, 60).to_pylist() for column in decoded.columns), strict=True)
        )
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if self.shown[at][column] != value:
                    table.update_cell_at(Coordinate(at, column), value)
                    self.shown[at][column] = value


if __name__ == "__main__":
    Viewer(sys.argv[1], sys.argv[2]).run()
