"""Somebody's app with a LiveTable, and what its messages say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pandas as pd
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot

from livetable import LiveTable
from tests.waiting import wait_until

FRAME = pd.DataFrame({"id": ["a", "b", "c"], "price": [3.5, 1.5, 2.5], "n": [1, 2, 3]})


class Host(App[None]):
    """Has keys of its own, of which the table must take none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"own({key!r})", key) for key in (*"sjkhlgGcyqxp", "escape")
    ]

    def __init__(self, *tables: LiveTable) -> None:
        super().__init__()
        self.tables = tables
        self.pressed: list[str] = []
        self.said: list[Any] = []

    def compose(self) -> ComposeResult:
        yield from self.tables

    def action_own(self, key: str) -> None:
        self.pressed.append(key)

    def on_live_table_row_highlighted(self, message: LiveTable.RowHighlighted) -> None:
        assert message.control is message.live_table
        self.said.append(("highlighted", message.row_key, message.row, message.cursor_row))

    def on_live_table_row_selected(self, message: LiveTable.RowSelected) -> None:
        self.said.append(("selected", message.row_key, message.row, message.cursor_row))

    def on_live_table_cell_selected(self, message: LiveTable.CellSelected) -> None:
        self.said.append(("cell", message.column, message.value, tuple(message.coordinate)))

    def on_live_table_header_selected(self, message: LiveTable.HeaderSelected) -> None:
        assert message.control is message.live_table
        self.said.append(("header", message.column, message.column_index, message.label))


class Guest:
    """The app in a test."""

    def __init__(self, app: Host, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.table = app.tables[0]

    def column(self, column: int = 0, table: LiveTable | None = None) -> list[Any]:
        shown = (table or self.table).table_view.table
        return [] if shown is None else shown.window(column, 0, shown.rows).to_pylist()

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: (self.column(), self.app.said, self.app.pressed))

    async def shows(self, ids: str) -> None:
        await self.until(lambda: "".join(map(str, self.column())) == ids)


@asynccontextmanager
async def host(*tables: LiveTable) -> AsyncIterator[Guest]:
    app = Host(*tables)
    async with app.run_test(size=(80, 24)) as pilot:
        app.tables[0].focus()
        await pilot.pause()
        yield Guest(app, pilot)
