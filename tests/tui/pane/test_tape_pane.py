"""tui.pane.tape_pane: a tape's keys beside those of a table."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.binding import Binding

from livetable.tui.pane import tape_player
from livetable.tui.pane.tape_pane import TapePane
from tests.tui.tape_stage import stage
from tests.tui.tapes import PRICES, record


async def test_every_command_of_tapes_is_in_the_palette(tmp_path: Path) -> None:
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        app = on.pane.app
        titles = {one.title.partition("  (")[0] for one in app.get_system_commands(app.screen)}
        assert {"Play/stop", "Slower", "Faster", "Loop", "Next moment", "Sort"} <= titles
        await on.press("question_mark")
        await on.press("escape")


async def test_esc_ends_a_search_then_closes_a_panel_then_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def never(*_: object) -> None:
        assert go_on.wait(10)

    monkeypatch.setattr(tape_player, "moment_when", never)
    left: list[object] = []
    async with stage(record(tmp_path / "x.tape", PRICES, 1000)) as on:
        monkeypatch.setattr(TapePane.Left, "__init__", lambda self, pane: left.append(pane))
        await on.press("enter", "exclamation_mark")
        await on.pilot.press(*"price>4", "enter")
        seen = [("searching" in on.says, on.pane.panels.is_open)]
        for _ in range(2):
            await on.press("escape")
            seen.append(("searching" in on.says, on.pane.panels.is_open))
        assert seen == [(True, True), (False, True), (False, False)]
        assert not left
        monkeypatch.undo()
        go_on.set()


def test_space_is_for_the_player() -> None:
    descriptions = [
        one.description
        for one in TapePane.BINDINGS
        if isinstance(one, Binding) and "space" in one.key.split(",")
    ]
    assert descriptions == ["Play/stop"]
