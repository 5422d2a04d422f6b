"""livetable.tui.terminal.timer: a timer that fires, however short and however late."""

from __future__ import annotations

import asyncio
import time

import pytest
from textual.app import App

from livetable.tui.terminal.timer import later


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.001])
async def test_it_fires_however_late(seconds: float) -> None:
    app: App[None] = App()
    async with app.run_test():
        fired: list[float] = []
        for _ in range(50):
            later(app, seconds, lambda: fired.append(seconds))
            time.sleep(0.0005)  # what another thread that holds the interpreter does
        for _ in range(400):
            if len(fired) == 50:
                break
            await asyncio.sleep(0.005)
        assert len(fired) == 50


async def test_it_can_be_cancelled() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        fired: list[bool] = []
        later(app, 0.0, lambda: fired.append(True)).cancel()
        await pilot.pause(0.02)
        assert fired == []
