"""tui.pane.prompting: one line of text is asked for at a time, and the table rests meanwhile."""

from __future__ import annotations

from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import stage


async def test_a_prompt_stays_until_its_text_is_accepted() -> None:
    async with stage() as on:
        answers: list[str | None] = []
        changes: list[str] = []

        def done(text: str | None) -> bool:
            answers.append(text)
            return text == "yes" or text is None

        on.pane.ask(Prompt("really? ", toggles=True), done, changes.append)
        await on.pilot.pause()
        focusable = [on.pane.table_view.can_focus]
        await on.type("no")
        await on.press("enter")
        assert on.pane.prompt is not None
        await on.press("backspace", "backspace")
        await on.type("yes")
        await on.press("enter")
        await on.until(lambda: on.pane.prompt is None)
        assert answers == ["no", "yes"]
        assert changes[0] == "n"
        assert changes[-1] == "yes"
        assert [*focusable, on.pane.table_view.can_focus] == [False, True]
        assert on.pane.app.focused is on.pane.table_view


async def test_what_comes_without_a_prompt_is_dropped() -> None:
    async with stage() as on:
        on.pane.prompting.change("a")
        on.pane.prompting.toggle()
        on.pane.prompting.finish("a")
        assert not on.pane.prompting.is_open
