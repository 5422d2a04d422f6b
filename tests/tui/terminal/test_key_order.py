"""tui.terminal.key_order: what is typed takes effect in the order in which it was typed."""

from __future__ import annotations

import pytest
from textual import events

from livetable.tui.terminal import key_order
from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import stage
from tests.tui.viewer import alive, press
from tests.tui.viewer import stage as showing


async def test_keys_behind_enter_are_for_the_table() -> None:
    async with stage() as on:
        on.burst("slash", "b")
        await on.until(lambda: on.pane.table_view.cursor_column == 0)
        on.burst("enter", "s", "s")
        await on.becomes("cba")
        assert on.says == "sort id ↓ · live   search b"
        on.burst("f", "(", "enter", "escape", "s")
        await on.until(lambda: on.pane.chosen().sort == ())
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.chosen().filters == ()


@pytest.mark.parametrize(
    "keys",
    [
        ("price > 19", "backspace"),
        ("price 1", "left", "> ", "right"),
        ("rice > 1", "home", "p"),
        ("pprice > 1", "home", "delete"),
        ("nothing", "ctrl+u", "price > 1"),
        ("pr", "tab", " > 1"),
        (
            "pr",
            events.Paste("ice >\x1b 1\rnot this"),
        ),
        (events.Paste("price > 1"),),
        ("(", "enter", "backspace", "price > 1"),  # it says what is wrong, and goes on
    ],
    ids=str,
)
@pytest.mark.parametrize("opened", [False, True])
async def test_what_is_typed_in_one_go(keys: tuple[str | events.Paste, ...], opened: bool) -> None:
    async with stage() as on:
        if opened:
            await on.press("f")
            await on.until(lambda: on.pane.query(Prompt))
        on.burst(*(() if opened else "f"), *keys, "enter" if opened else "ctrl+j", "k", "j")
        await on.until(lambda: on.pane.table_view.cursor_row == 1)
        assert on.pane.chosen().filters == ("price > 1",)
        await on.becomes("ac")


async def test_keys_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_PATIENCE", 0.01)
    async with stage() as on:
        await on.press("f")
        on.pane.query_one(Prompt).settled.clear()  # as if its end were never dealt with
        await on.press("b", "enter")
        await on.until(lambda: on.pane.asked is None)
        await on.becomes("b")


@pytest.mark.usefixtures("orders")
async def test_what_is_typed_behind_q() -> None:
    async with showing("orders") as on:
        for key in ("q", "t", "vertical_line", "i", "p", "f", "x", "enter", "T", "ctrl+p", "space"):
            on.app.post_message(events.Key(key, key if len(key) == 1 else None))
        press(on.app, 5, 0, 2)
        await on.until(lambda: not on.app.is_running)
    assert on.app.return_code == 0


@pytest.mark.usefixtures("orders")
async def test_keys_have_a_table_again_after_a_click_beside_all_widgets() -> None:
    async with showing("orders") as on:
        press(on.app, 500, 500)  # the terminal has grown, and is not laid out yet
        await on.until(lambda: on.app.focused is None)
        await alive(on)
        assert on.app.focused is on.screen.pane.table_view
