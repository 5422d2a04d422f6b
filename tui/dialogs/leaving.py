"""Screens that are left once, however often they are told to leave."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from textual import command, events
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.errors import NoWidget
from textual.geometry import Size
from textual.screen import Screen, ScreenResultType
from textual.widgets import OptionList
from textual.worker import Worker

from livetable.tui.terminal.gc_pause import tidy_soon


class LeftOnce(Screen[ScreenResultType]):
    """A screen that takes only itself off the screen.

    Textual's `dismiss` takes off whatever is on top, and calls back each time: two clicks in one
    packet then leave two screens, or the last one, which ends the app. All screens inherit this,
    behind Textual's own kinds of screens: styles are inherited from the first base only.
    """

    def on_unmount(self) -> None:
        """Let go of what it was made of."""
        tidy_soon(self.app)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave, if the screen is there; those that cover it leave with it."""
        if self not in self.app.screen_stack:
            nothing: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
            return nothing
        while self.app.screen is not self:
            self.app.pop_screen()
        return super().dismiss(result)


_LEAST: Final = 8  # cells: less is left of a list in a terminal of some columns


class Options(OptionList):
    """A list that may be told of anything at any time.

    Textual's fails where its pages are turned before there is a line for it, at clicks on an
    option that is no longer there, and where there is no room for a single letter.
    """

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines it takes: of no width at all a text has no lines."""
        return super().get_content_height(container, viewport, max(width, _LEAST))

    def action_page_up(self) -> None:
        """Go up by a page."""
        with contextlib.suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Go down by a page."""
        with contextlib.suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]

    async def on_click(self, event: events.Click) -> None:
        """Pass over a click on what is gone."""
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked >= self.option_count:
            event.prevent_default()


class _Commands(command.CommandList, Options):
    """The palette's list."""


command.CommandList = _Commands  # type: ignore[misc]  # a palette makes its list itself


class Palette(CommandPalette, LeftOnce[None]):
    """All commands, or all themes."""

    def on_mount(self, event: events.Mount) -> None:
        """Begin, unless it was left before it was there: the screen below it is looked for then."""
        if self not in self.app.screen_stack[1:]:
            event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Pass over a click where nothing is shown: before the first layout, or behind the last."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()

    def run_worker(self, *work: Any, **options: Any) -> Worker[Any]:
        """Look for commands; what fails as the palette is gone meanwhile does not end the app."""
        return super().run_worker(*work, **{**options, "exit_on_error": False})
