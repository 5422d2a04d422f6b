"""A pane in a running app, whose tables a test offers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.screen import Screen

from livetable.tui.app import LivetableApp
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import bindings_of
from livetable.tui.pane.feature_pane import FEATURES, FeaturePane
from livetable.tui.terminal.key_order import TypedInOrder
from livetable.tui.widgets.key_line import KeyLine
from livetable.tui.widgets.panels.panel import Panel
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.table_view import TableView
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.tables import table_of
from tests.waiting import wait_until

_NAMED = ("backspace", "delete", "enter", "escape", "home", "left", "right", "slash", "tab")


class OfferedPane(FeaturePane):
    """A pane whose tables a test offers; it paints at once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(*FEATURES)
    number = 0

    @property
    def newest(self) -> Table | None:
        tables = self.history.tables()
        return tables[-1] if tables else None

    def compose(self) -> ComposeResult:
        yield ViewLine()
        with Horizontal(classes="livetable--body"):
            yield TableView()

    def on_unmount(self) -> None:
        self.end_work()

    def paint_soon(self) -> None:
        table = self.view.take_next()
        if table is not None:
            self.table_view.update(self.view.dress(table))
            self.view.say(table)
            self.painted(table)

    def show(self, table: Table) -> None:
        self.number += 1
        position = replace(table.position, seq=self.number)
        kept = self.keep(replace(table, position=position, sent=float(self.number)))
        if self.state.paused_at is None:
            self.offer(kept)
            self.paint_soon()


class OfferedApp(TypedInOrder[None]):
    """An app with that pane."""

    CSS_PATH = LivetableApp.CSS_PATH

    def compose(self) -> ComposeResult:
        yield OfferedPane()
        yield KeyLine()

    @property
    def prompt(self) -> Prompt | None:
        return self.query_one(OfferedPane).prompt if type(self.screen) is Screen else None


def frame(prices: dict[str, float], sector: str = "xyxyxy") -> Table:
    data = {"id": list(prices), "price": list(prices.values()), "cpu %": 1}
    return table_of(pd.DataFrame(data | {"sector": list(sector[: len(prices)])}), "id")


class Stage:
    """A running app, its keys and what it shows."""

    def __init__(self, pilot: Pilot[None], pane: OfferedPane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def ids(self) -> str:
        table = self.pane.table_view.table
        assert table is not None
        return "".join(table.window(0, 0, table.rows).to_pylist())

    @property
    def says(self) -> str:
        return str(self.pane.query_one(ViewLine).render()).strip()

    @property
    def hint(self) -> str:
        return str(list(self.pane.query_one(Prompt).query("_Line"))[-1].render())

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: (self.ids, self.says))

    async def becomes(self, ids: str) -> None:
        await self.until(lambda: self.ids == ids)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def burst(self, *typed: str | events.Paste) -> None:
        """Type all this before any of it is looked at: keys by name, texts, what is pasted."""
        for one in typed:
            if isinstance(one, events.Paste):
                self.pilot.app.post_message(one)
                continue
            named = one in _NAMED or "+" in one
            for key in (one,) if named else one:
                character = key if len(key) == 1 else None
                self.pilot.app.post_message(events.Key(key, character))

    async def type(self, text: str) -> None:
        await self.press(*("space" if key == " " else key for key in text))


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    app = OfferedApp()
    async with app.run_test(size=(90, 16)) as pilot:
        await pilot.pause()
        pane = app.query_one(OfferedPane)
        pane.table_view.focus()
        pane.show(frame({"a": 3, "b": 1, "c": 2}))
        await pilot.pause()
        yield Stage(pilot, pane)


class TableApp(App[None]):
    """A table and nothing else, with a clock that stands still."""

    CSS = "TableView { height: 1fr; scrollbar-size: 1 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.selected: list[int] = []

    def compose(self) -> ComposeResult:
        yield TableView(id="table", clock=lambda: self.now)

    def on_table_view_selected(self, message: TableView.Selected) -> None:
        assert message.control is message.table
        self.selected.append(message.row)

    @property
    def table(self) -> TableView:
        return self.query_one(TableView)


def priced(values: list[object]) -> Table:
    ids = list("abc")[: len(values)]
    return table_of(pd.DataFrame({"id": ids, "price": values}), "id")


def titles(on: Stage) -> tuple[str, ...]:
    table = on.pane.table_view.table
    assert table is not None
    return table.titles


def cells(on: Stage, column: int) -> list[Any]:
    table = on.pane.table_view.table
    assert table is not None
    found: list[Any] = table.window(column, 0, table.rows).to_pylist()
    return found


def line(on: Stage, y: int) -> str:
    return on.pane.table_view.render_line(y).text


def body(panel: Panel) -> str:
    from rich.console import Console

    console = Console(width=60, record=True, file=io.StringIO())
    console.print(panel._body.content)
    return console.export_text()


def last_note(on: Stage) -> str:
    return next(reversed([note.message for note in on.pane.app._notifications]), "")


async def nothing_shown(on: Stage) -> None:
    await on.press("f")
    await on.type("price < 0")
    await on.press("enter")
    await on.becomes("")
