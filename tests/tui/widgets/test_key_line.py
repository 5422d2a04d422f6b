"""widgets.key_line: as many keys as there is room for, and help and the way out always."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from livetable.tui.widgets.key_line import KeyLine


class KeyApp(App[None]):
    """An app with more keys than a narrow screen shows."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "KeyLine { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "press('a')", "Alpha"),
        Binding("b", "press('b')", "Beta [x]"),
        Binding("x", "press('x')", "Hidden", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def compose(self) -> ComposeResult:
        yield KeyLine()

    def action_press(self, key: str) -> None:
        self.title = key

    def action_help(self) -> None:
        self.title = "help"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (50, " a Alpha  b Beta [x] " + " " * 13 + " ? Help  q Quit "),
        (30, " a Alpha       ? Help  q Quit "),
        (16, " ? Help  q Quit "),
        (8, " ? Help "),
    ],
)
async def test_what_there_is_room_for(width: int, line: str) -> None:
    app = KeyApp()
    async with app.run_test(size=(width, 3)) as pilot:
        await pilot.pause()
        keys = app.query_one(KeyLine)
        assert keys.render_line(0).text.rstrip() == line.rstrip()


async def test_a_click_presses_the_key() -> None:
    app = KeyApp()
    async with app.run_test(size=(50, 3)) as pilot:
        await pilot.pause()
        await pilot.click(KeyLine, offset=(12, 0))
        await pilot.pause()
        assert app.title == "b"
