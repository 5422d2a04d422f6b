"""tui.dialogs.choice: one thing is chosen from a list, or none."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.widgets import OptionList

from livetable.tui.dialogs.choice import ChoiceScreen

CHOICES = {"csv": "as CSV", "[red]": "[red]a title[/red] with brackets", "json": "as JSON"}


class ChoosingApp(App[None]):
    """An app that asks at once."""

    def __init__(self, choices: dict[str, str], wide: bool = False) -> None:
        super().__init__()
        self.given: list[str | None] = []
        self.choice = ChoiceScreen("Copy [what]", choices, wide=wide)

    def on_mount(self) -> None:
        self.push_screen(self.choice, self.given.append)


@pytest.mark.parametrize(
    ("keys", "given"),
    [
        (("enter",), "csv"),
        (("j", "enter"), "[red]"),
        (("down", "j", "enter"), "json"),
        (("j", "j", "k", "enter"), "[red]"),
        (("k", "enter"), "json"),  # round the end
        (("j", "escape"), None),
        (("q",), None),
    ],
)
async def test_what_is_chosen_by_keys(keys: tuple[str, ...], given: str | None) -> None:
    app = ChoosingApp(CHOICES)
    async with app.run_test() as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert app.given == [given]
        assert app.screen is not app.choice


async def test_what_is_chosen_by_a_click_and_titles_are_no_markup() -> None:
    app = ChoosingApp(CHOICES)
    async with app.run_test() as pilot:
        options = app.choice.query_one(OptionList)
        says = [str(option.prompt) for option in options.options]
        assert says == list(CHOICES.values())
        assert "[red]a title[/red]" in options.render_line(1).text
        await pilot.click(OptionList, offset=(3, 1))
        await pilot.pause()
        assert app.given == ["[red]"]


async def test_nothing_to_choose_from_is_left_with_nothing() -> None:
    app = ChoosingApp({}, wide=True)
    async with app.run_test(size=(24, 6)) as pilot:
        await pilot.press("j", "k", "enter")
        assert app.given == []
        await pilot.press("escape")
        await pilot.pause()
        assert app.given == [None]
