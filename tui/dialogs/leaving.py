"""Screens that close once, however often they are asked to close."""

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
    """A screen that closes only itself.

    Textual's `dismiss` closes the topmost screen, and calls back each time: two clicks in one
    packet would close two screens, or the last one, which ends the app. All screens inherit this,
    after Textual's own screen class: styles are inherited from the first base only.
    """

    def on_unmount(self) -> None:
        """Collect the garbage that the screen leaves."""
        tidy_soon(self.app)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the screen if it is open, with all screens on top of it."""
        if self not in self.app.screen_stack:
            nothing: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
            return nothing
        while self.app.screen is not self:
            self.app.pop_screen()
        return super().dismiss(result)


_LEAST: Final = 8  # cells; a narrow terminal leaves fewer, which Textual can't lay out


class Options(OptionList):
    """A list that survives any input at any time.

    Textual's fails if it is paged before it is laid out, if a removed option is clicked, and if
    there is no room for a single letter.
    """

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the height in lines; computed for a minimum width, as text needs some."""
        return super().get_content_height(container, viewport, max(width, _LEAST))

    def action_page_up(self) -> None:
        """Move up by a page."""
        with contextlib.suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down by a page."""
        with contextlib.suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]

    async def on_click(self, event: events.Click) -> None:
        """Ignore a click on an option that was removed."""
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked >= self.option_count:
            event.prevent_default()


class _Commands(command.CommandList, Options):
    """The palette's list."""


command.CommandList = _Commands  # type: ignore[misc]  # the palette instantiates this name


class Palette(CommandPalette, LeftOnce[None]):
    """All commands, or all themes."""

    def on_mount(self, event: events.Mount) -> None:
        """Start, unless it was closed before it was mounted: Textual then finds no screen below."""
        if self not in self.app.screen_stack[1:]:
            event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Ignore a click that hits no widget: before the first layout, or after closing."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()

    def run_worker(self, *work: Any, **options: Any) -> Worker[Any]:
        """Search for commands. A search that fails because the palette closed is ignored."""
        return super().run_worker(*work, **{**options, "exit_on_error": False})
