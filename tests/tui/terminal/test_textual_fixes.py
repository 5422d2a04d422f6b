"""tui.terminal.textual_fixes: what is closed is gone, and what Textual remembers is bounded."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.strip import Strip
from textual.widget import Widget

from livetable.tui.terminal import textual_fixes
from tests.tui.viewer import Stage, stage

pytestmark = pytest.mark.usefixtures("orders", "thawed")


def all_widgets(on: Stage) -> set[Widget]:
    return {
        widget
        for screen in on.app.screen_stack
        for widget in (screen, *screen.query(Widget))
        if isinstance(widget, Widget)
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("key", "leave"),
    [(key, "escape") for key in ("i", "enter", "p", "question_mark", "C", "ctrl+p", "f")]
    + [("t", "ctrl+w")],
)
async def test_what_is_closed_is_gone_and_its_lines_with_it(key: str, leave: str) -> None:
    async with stage("orders") as on:
        await on.press("t", "ctrl+w")  # a line of tabs stays
        usual = all_widgets(on)
        held: list[weakref.ref[Any]] = []
        for turn in range(8):
            await on.press(key)
            await on.until(lambda: len(all_widgets(on)) > len(usual))
            if turn < 3:  # Textual remembers the last four ways to lay out what they stood in
                opened = all_widgets(on) - usual
                held += [weakref.ref(widget) for widget in opened]
                held += [weakref.ref(widget._styles_cache) for widget in opened]
                del opened
            await on.press(leave)
            await on.until(lambda: all_widgets(on) <= usual)
        assert held

        def is_gone() -> bool:
            gc.collect()
            return not [one for one in held if one() is not None]

        for _ in range(50):
            if is_gone():
                break
            await asyncio.sleep(0.05)
        assert not [one for one in held if one() is not None]


def test_what_textual_remembers_is_bounded() -> None:
    for _ in range(2):
        textual_fixes.mend()
        for owner, name in ((Strip, "render_ansi"), (Segment, "_split_cells")):
            parameters = getattr(owner, name).cache_parameters()
            assert parameters["maxsize"] <= 1024
        assert isinstance(vars(StylesCache)["get_inner_outer"], classmethod)
