"""Make the pictures in the documentation from the real app: `python docs/pictures.py`.

Each picture is a real feed process and a real viewer, without a terminal: what the viewer would
paint is written as SVG.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from livetable.tui.app import LivetableApp
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.widgets.table_view import TableView
from livetable.tui.workers.feed_process import FeedProcess

FOLDER = Path(__file__).parent


async def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `condition` holds."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("the viewer did not get there")


async def picture(
    name: str, feed: tuple[str, ...], size: tuple[int, int], keys: tuple[str, ...] = ()
) -> None:
    """Write ``NAME.svg``: a feed's table at a terminal size, after some keys."""
    with FeedProcess(*feed) as process:
        app = LivetableApp(process.target)
        async with app.run_test(size=size) as pilot:

            def is_moving() -> bool:
                screen = app.screen_stack[0]
                assert isinstance(screen, TablesScreen)
                table = screen.query_one(TableView).table
                return table is not None and table.position.seq >= 4

            await wait_for(is_moving)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.1)
            await asyncio.sleep(1)
            svg = app.export_screenshot(title="livetable")
            (FOLDER / f"{name}.svg").write_text(svg)


async def main() -> None:
    """Make all pictures, or those that are named."""
    pictures = {
        "market": (("demo", "market", "--rows", "1000", "--hz", "4"), (110, 26), ("down",) * 4),
        "processes": (("processes", "processes"), (110, 26), ()),
        "sorted": (
            ("demo", "market", "--rows", "1000", "--hz", "4"), (110, 26),
            ("right", "right", "right", "s", "s", "f", *"sector == 'tech' and last > 100"),
        ),
        "panels": (
            ("demo", "market", "--rows", "1000", "--hz", "4"), (120, 36),
            ("right", "right", "v", "right", "right", "p", "enter"),
        ),
        "groups": (
            ("demo", "market", "--rows", "1000", "--hz", "4"), (110, 16),
            ("right", "b", "right", "right", "right", "right", "A"),
        ),
        "rewound": (
            ("demo", "market", "--rows", "1000", "--hz", "4"), (110, 26),
            ("m", "comma", "comma", "comma"),
        ),
        "help": (("demo", "market", "--hz", "4"), (110, 40), ("question_mark",)),
    }  # fmt: skip
    # What most terminals are, whatever this is run in: with sixteen colours it looks otherwise.
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    for name in sys.argv[1:] or pictures:
        os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()  # nobody's own view
        feed, size, keys = pictures[name]
        await picture(name, feed, size, keys)


if __name__ == "__main__":
    asyncio.run(main())
