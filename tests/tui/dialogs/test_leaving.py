"""tui.dialogs.leaving: what comes twice, or to what is just being removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import events
from textual.screen import Screen
from textual.widgets import OptionList

from livetable.tui.app import LivetableApp
from livetable.tui.dialogs.choice import ChoiceScreen
from livetable.tui.dialogs.leaving import LeftOnce, Palette
from livetable.tui.screens.help import HelpScreen
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target
from livetable.tui.widgets.panels.panel import Panel
from tests.tui.stage import stage as pane_stage
from tests.tui.viewer import Stage, alive, press, stage

pytestmark = pytest.mark.usefixtures("orders")


def every(kind: type) -> Iterator[type]:
    one: type
    for one in kind.__subclasses__():
        yield one
        yield from every(one)


def test_every_screen_is_left_once() -> None:
    LivetableApp()
    ours = [one for one in every(Screen) if one.__module__.startswith("livetable.")]
    assert len(ours) > 6
    assert [one for one in ours if not issubclass(one, LeftOnce)] == []


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_clicks_beside_the_palette(times: int) -> None:
    async with stage("orders") as on:
        await on.press("ctrl+p")
        await on.until(lambda: isinstance(on.app.screen, Palette))
        press(on.app, 2, 18, times)
        await alive(on)


async def test_a_click_on_the_palette_where_nothing_is_laid_out() -> None:
    async with stage("orders") as on:
        await on.press("ctrl+p")
        await on.until(lambda: isinstance(on.app.screen, Palette))
        palette = on.app.screen
        at = 4000, 4000  # as all of it is, before the first layout
        palette.post_message(events.Click(palette, *at, 0, 0, 1, False, False, False, *at, None))
        await on.press("escape")
        await alive(on)


@pytest.mark.parametrize(
    ("key", "leave"),
    [("question_mark", "escape"), ("C", "escape"), ("C", "enter"), ("ctrl+p", "escape")],
)
async def test_what_leaves_a_screen_typed_twice(key: str, leave: str) -> None:
    async with stage("orders") as on:
        await on.press(key)
        await on.until(lambda: not isinstance(on.app.screen, TablesScreen))
        screen = on.app.screen
        for _ in range(3):
            screen.post_message(events.Key(leave, None))
            on.app.post_message(events.Key(leave, None))
        await alive(on)


@pytest.mark.parametrize("key", ["C", "ctrl+y", "ctrl+p", "question_mark", "f", "i"])
@pytest.mark.parametrize("size", [(3, 20), (1, 1), (12, 3)])
async def test_what_opens_where_there_is_hardly_any_room(key: str, size: tuple[int, int]) -> None:
    async with stage("orders") as on:
        await on.pilot.resize_terminal(*size)
        await on.press(key)
        for page in ("pageup", "pagedown", "end"):
            await on.press(page)
        await on.pilot.resize_terminal(100, 20)
        while not isinstance(on.app.screen, TablesScreen):
            await on.press("escape")
        await on.press("escape", "escape")
        await alive(on)


async def test_the_palette_shows_commands() -> None:
    async with stage("orders") as on:
        await on.press("ctrl+p", *"sort")
        await on.until(lambda: isinstance(on.app.screen, Palette))
        found = on.app.screen.query_one(OptionList)
        await on.until(lambda: found.visible and found.region.height and found.option_count)


async def test_the_palette_opens_while_it_still_leaves() -> None:
    async with stage("orders") as on:
        for key in ("ctrl+p", "escape", "ctrl+p", "escape", "ctrl+p"):
            on.app.post_message(events.Key(key, None))
        await on.until(lambda: isinstance(on.app.screen, Palette))
        await on.press("escape")
        await alive(on)


async def test_a_choice_is_given_once() -> None:
    async with stage("orders") as on:
        given: list[str | None] = []
        screen = ChoiceScreen("one of", {"a": "A", "b": "B"})
        on.app.push_screen(screen, given.append)
        await on.until(lambda: screen.is_mounted)
        for _ in range(2):
            screen.query_one(OptionList).action_select()
        await alive(on)
        assert given == ["a"]


async def test_a_screen_that_is_covered_leaves_with_what_covers_it() -> None:
    async with stage("orders") as on:
        lower, upper = ChoiceScreen("one of", {"a": "A"}), HelpScreen()
        on.app.push_screen(lower)
        on.app.push_screen(upper)
        await on.until(lambda: upper.is_mounted)
        lower.dismiss(None)
        upper.dismiss(None)
        await alive(on)


@pytest.mark.parametrize("key", ["i", "enter", "p"])
async def test_clicks_at_a_panel_that_is_being_removed(key: str) -> None:
    async with stage("orders") as on:
        await on.press("right", key)
        await on.until(lambda: list(on.screen.query(Panel)))
        x, y = on.screen.query_one(Panel).region.center
        on.app.post_message(events.Key("escape", None))
        press(on.app, int(x), int(y), 2)
        await alive(on)
        assert not on.screen.query(Panel)


@pytest.mark.parametrize("key", ["f", "/", "="])
async def test_clicks_at_a_prompt_that_is_being_removed(key: str) -> None:
    async with pane_stage() as on:
        name = {"/": "slash", "=": "equals_sign"}.get(key, key)
        await on.press(name)
        prompt = on.pane.prompt
        assert prompt is not None
        x, y = prompt.region.center
        on.burst("escape")
        press(on.pilot.app, int(x), int(y), 2)
        press(on.pilot.app, int(x), int(y) + 1, 2)
        await on.until(lambda: on.pane.prompt is None)
        await on.press("down", "s")
        await on.until(lambda: "sort" in on.says)


async def test_clicks_at_a_notice_that_is_being_removed() -> None:
    app = LivetableApp(Target(None, "orders"))
    async with app.run_test(size=(100, 20), notifications=True) as pilot:
        on = Stage(pilot, app)
        await on.until(lambda: on.values(on.screen.pane))
        app.notify("this is told", timeout=60)
        await on.until(lambda: any(one.region.area for one in on.screen.query("Toast")))
        x, y = on.screen.query("Toast").first().region.center
        press(on.app, int(x), int(y), 4)
        await on.until(lambda: not on.screen.query("Toast"))
        press(on.app, int(x), int(y), 2)
        await alive(on)


async def test_a_press_at_what_is_going_does_not_take_the_focus() -> None:
    async with stage("orders", "orders") as on:
        await on.press("vertical_line")
        await on.until(lambda: len(on.shown) == 2)
        going = on.screen.pane
        x, y = going.table_view.region.center
        on.app.post_message(events.Key("ctrl+w", None))
        press(on.app, int(x), int(y), 2)
        await on.until(lambda: len(on.screen.panes) == 1 and not going.is_attached)
        await alive(on)
