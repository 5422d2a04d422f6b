"""tui.app: what the application makes of settings, commands and sizes."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
from rich.table import Table as Grid
from textual import events
from textual.geometry import Size
from textual.widgets import Static

from livetable.tui.app import all_bindings
from livetable.tui.config.settings import Settings
from tests.tui.orders import stage
from tests.tui.viewer import Stage
from tests.tui.viewer import stage as showing


def test_the_viewer_loads_no_pandas() -> None:
    code = (
        "import sys, threading\n"
        "from livetable.feed import Publisher\n"
        "import pyarrow as pa, numpy as np\n"
        "from livetable.tui.app import LivetableApp\n"
        "from livetable.tui.workers.feed import FeedReader\n"
        "from livetable.tui.workers.listing import as_table\n"
        "from livetable.tui.target import Target\n"
        "from livetable.tui.grid.composer import Composer, Viewport, Cursor\n"
        "array = pa.Array.from_buffers(pa.int64(), 3, [None, pa.py_buffer(np.arange(3))])\n"
        "zoned = array.view(pa.timestamp('ns', 'UTC'))\n"
        "p = Publisher('x'); p.send(pa.Table.from_arrays([array, zoned], ['a', 't']))\n"
        "news = threading.Event(); s = FeedReader(Target(p.endpoint, 'x'), news.set)\n"
        "threading.Thread(target=s.run, daemon=True).start()\n"
        "while s.take().table is None: news.wait(5)\n"
        "t = s.take().table; c = Composer(); c.load(t)\n"
        "c.compose(Viewport(0, 5, 0, 80), Cursor(), 0.0)\n"
        "t.find(t, 1, 0); as_table([], 1); s.stop()\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.stderr) == ("False\n", "")


async def test_keys_and_theme_of_ones_own() -> None:
    chosen = Settings(theme="nord", keys={"sort": "ctrl+t"})
    async with stage(chosen=chosen) as on:
        assert on.app.theme == "nord"
        await on.pilot.press("s")
        await on.pilot.press("ctrl+t")
        await on.until(lambda: on.values == [1, 2, 3])
        await on.pilot.press("question_mark")
        outer = on.app.screen.query_one("#help Static", Static).content
        assert isinstance(outer, Grid)
        (grid,) = outer.columns[0].cells
        assert isinstance(grid, Grid)
        assert "ctrl+t" in [str(cell) for cell in grid.columns[0].cells]
    for wrong in (Settings(theme="none"), Settings(keys={"sort": "f"})):
        async with stage(chosen=wrong) as on:
            await on.until(lambda: on.app._notifications)


async def test_every_command_is_in_the_palette() -> None:
    async with stage() as on:
        commands = {one.title: one for one in on.app.get_system_commands(on.app.screen)}
        expected = {binding.description for binding in all_bindings(tapes=False)}
        expected.discard("Interrupt")
        assert expected <= {title.partition("  (")[0] for title in commands}
        commands["Sort  (s)"].callback()
        await on.until(lambda: on.values == [1, 2, 3])


def is_as_large(on: Stage, size: Size) -> bool:
    return on.app.screen.size == size


@pytest.mark.usefixtures("orders")
async def test_a_terminal_that_was_another_size_meanwhile_is_painted_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with showing("orders") as on:
        painted: list[bool] = []
        monkeypatch.setattr(on.app, "refresh", lambda *_, **__: painted.append(True))
        await on.pilot.resize_terminal(70, 12)
        painted.clear()
        size = on.app.size
        on.app.post_message(events.Resize(size, size))
        await on.until(lambda: painted)


@pytest.mark.usefixtures("orders")
async def test_a_size_is_taken_though_textuals_timer_never_fires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with showing("orders") as on:
        never = SimpleNamespace(stop=lambda: None)
        monkeypatch.setattr(on.app, "set_timer", lambda *_, **__: never)
        for size in (Size(70, 12), Size(90, 22)):
            on.app.post_message(events.Resize(size, size))
            await on.until(partial(is_as_large, on, size))
