"""tui.terminal.gc_pause: what is closed is let go of soon, and memory is tidied up seldom."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from livetable.tui.screens.tabs import TablesScreen
from tests.tui.viewer import stage


@pytest.mark.long
@pytest.mark.usefixtures("orders", "thawed")
async def test_it_is_let_go_of_soon() -> None:
    async with stage("orders") as on:
        held: list[weakref.ref[Any]] = []
        gc.disable()
        try:
            # Of what is closed on a busy machine Textual may still hold some when it is tidied up.
            while not held or held[0]() is not None:
                assert len(held) < 10
                await on.press("question_mark")
                await on.until(lambda: not isinstance(on.app.screen, TablesScreen))
                held.append(weakref.ref(on.app.screen))
                await on.press("escape")
                await on.until(lambda: isinstance(on.app.screen, TablesScreen))
                await asyncio.sleep(0.4)
        finally:
            gc.enable()
