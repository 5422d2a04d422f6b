"""terminal.painter: what it writes is what Textual would have painted, cell by cell."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyte
import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.widget import Widget
from textual.widgets import Footer

from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.table import Table
from livetable.tui.screens.help import HelpScreen
from livetable.tui.terminal.painter import Painter
from livetable.tui.text.column_style import ColumnStyle, NumberForm, Shade
from livetable.tui.widgets.status_line import StatusLine
from livetable.tui.widgets.table_view import TableView
from tests.terminal import _UNKNOWN
from tests.tui.stage import TableApp
from tests.tui.tables import table_of

SIZE = (70, 18)


class RecordingDriver(HeadlessDriver):
    """A driver whose output is a terminal emulator."""

    written: bytearray

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        RecordingDriver.written += data.encode()


class SceneApp(TableApp):
    """The table between other widgets."""

    CSS = (
        TableApp.CSS
        + "StatusLine { height: 1; background: $panel; } HelpScreen { align: center middle; } "
        + "#help { width: 30; height: 8; }"
    )

    def compose(self) -> Any:
        yield StatusLine()
        yield Footer()
        yield from super().compose()


class Stage:
    """A running app and the screen that its output makes."""

    def __init__(self, app: SceneApp) -> None:
        self.app = app
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self.screen)

    def look(self) -> list[list[Any]]:
        self._stream.feed(_UNKNOWN.sub(b"", bytes(RecordingDriver.written)))
        RecordingDriver.written.clear()
        return [[_seen(self.screen.buffer[y][x]) for x in range(SIZE[0])] for y in range(SIZE[1])]

    async def do(self, action: Callable[[], object]) -> None:
        done = asyncio.get_running_loop().create_future()

        async def run() -> None:
            action()
            done.set_result(None)

        self.app.call_later(run)
        await done
        await self.settle()

    async def settle(self) -> None:
        """Wait until Textual has nothing left to paint."""
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0.012)
            quiet = 0 if self._is_busy() else quiet + 1

    def _is_busy(self) -> bool:
        app: Any = self.app
        screen = app.screen
        queued = screen._message_queue.qsize() + app._message_queue.qsize()
        waits = screen._layout_required or screen._repaint_required
        return bool(queued or waits or screen._dirty_widgets or screen._compositor._dirty_regions)


def _seen(cell: Any) -> Any:
    if cell.data == " ":  # of a space, only this can be seen
        return (" ", cell.bg if not cell.reverse else cell.fg, cell.underscore, cell.reverse)
    return cell


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    RecordingDriver.written = bytearray()
    app = SceneApp()
    app.driver_class = RecordingDriver
    running = asyncio.create_task(app.run_async(headless=False, size=SIZE, mouse=False))
    try:
        one = Stage(app)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if app._running and app.is_running and app.screen_stack and app.query(TableView):
                break
        await one.settle()
        yield one
    finally:
        app.exit()
        await asyncio.wait_for(running, 10)


def frame(values: np.ndarray[Any, Any], names: list[str]) -> Any:
    texts = ["中文", "é", "x", "👩", "long " * 9, "שלום"]
    data = pd.DataFrame({"id": names} | {f"c{n}": values[:, n] for n in range(values.shape[1])})
    data["text"] = [texts[int(abs(v) * 10) % len(texts)] for v in values[:, 0]]
    return table_of(data, "id")


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))]
)
async def test_the_painted_screen_is_the_repainted_screen(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_ = random.Random(seed)
    numbers = np.random.default_rng(seed)
    painted: list[bool] = []
    paint = Painter.paint

    def spy(self: Painter, *arguments: Any) -> bool:
        painted.append(paint(self, *arguments))
        return painted[-1]

    monkeypatch.setattr(Painter, "paint", spy)
    async with stage() as one:
        app, table = one.app, one.app.table
        values = numbers.normal(0, 3, (40, 6)).round(2)
        names = [f"row{n}" for n in range(40)]
        await one.do(lambda: table.update(frame(values, names)))

        def change() -> None:
            nonlocal values
            who = numbers.random(values.shape) < 0.2
            values = np.where(who, numbers.normal(0, 3, values.shape).round(2), values)
            app.now += 0.2
            table.update(frame(values, names))

        def shuffle() -> None:
            random_.shuffle(names)
            change()

        def grow() -> None:
            values[random_.randrange(40), random_.randrange(6)] *= 1000
            change()

        def striped(table: Table, start: int, stop: int) -> list[int]:
            return [1, 5] * ((stop - start + 1) // 2)

        def restyle() -> None:
            style = ColumnStyle(
                shade=random_.choice(list(Shade)), form=random_.choice(list(NumberForm))
            )
            table.styles_of_columns = {("c1", 0): style}
            change()

        actions: list[Callable[[], object]] = [
            change,
            change,
            change,
            shuffle,
            grow,
            lambda: table.action_cursor(random_.choice([-1, 1]), random_.choice([-1, 0, 1])),
            lambda: table.action_page(random_.choice([-1, 1])),
            lambda: table.action_toggle_cursor(),
            lambda: table.scroll_to(random_.randrange(20), random_.randrange(20), animate=False),
            lambda: setattr(table, "stale", not table.stale),
            lambda: setattr(table, "needle", random_.choice(["", "x", "5", "文"])),
            lambda: setattr(
                table, "arrows", random_.choice([{}, {("c1", 0): "↑"}, {("text", 0): "↓"}])
            ),
            lambda: setattr(
                app, "theme", random_.choice(["textual-light", "nord", "textual-dark"])
            ),
            lambda: (
                app.push_screen(HelpScreen()) if len(app.screen_stack) == 1 else app.pop_screen()
            ),
            lambda: app.notify("a toast over the table", timeout=600),
            *[lambda: app.clear_notifications()] * 4,
            lambda: table._end_flashes(),
            lambda: setattr(table, "marked", random_.choice([table.table, None])),
            lambda: setattr(table, "picked", frozenset({(random_.choice(names),)})),
            lambda: table.rule_by(random_.choice([None, striped])),
            restyle,
            lambda: app.query_one(StatusLine).show(
                FeedState(Link.LIVE, table.table, "名 name", rate=random_.random()), 1.0, False
            ),
        ]
        for number in range(34):
            action = random_.choice(actions)
            await one.do(action)
            now = one.look()
            await one.do(lambda: [widget.refresh() for widget in app.screen.query("*")])
            await one.do(lambda: app.screen.refresh(layout=True))
            full = one.look()
            differs = [
                (x, y, now[y][x], full[y][x])
                for y in range(SIZE[1])
                for x in range(SIZE[0])
                if now[y][x] != full[y][x]
            ]
            assert not differs, (number, actions.index(action), differs[:3], len(differs))
    assert any(painted)  # the direct way was taken


async def test_without_textuals_private_names_the_public_way_is_taken() -> None:
    async with stage() as one:
        table = one.app.table
        values = np.zeros((5, 2))
        names = [f"row{n}" for n in range(5)]
        await one.do(lambda: table.update(frame(values, names)))

        class Nothing:
            """A screen of another Textual."""

            is_current = True

        class Other(Widget):
            screen = Nothing()  # type: ignore[assignment]

        other = Painter(Other())
        assert await _paints(one, other) is False
        values[2, 1] = 5.0
        table._painter = other
        await one.do(lambda: table.update(frame(values, names)))
        now = one.look()
        assert any("5.0" in "".join(cell[0] for cell in line) for line in now)


async def _paints(one: Stage, painter: Painter) -> bool:
    result: list[bool] = []
    await one.do(lambda: result.append(painter.paint([], 0, None)))
    return result[0]
