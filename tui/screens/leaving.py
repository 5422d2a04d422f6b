"""Screens that are left once, however often they are told to leave."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import Screen, ScreenResultType


class LeftOnce(Screen[ScreenResultType]):
    """A screen that takes only itself off the screen.

    Textual's `dismiss` takes off whatever is on top, and calls back each time: two clicks in one
    packet then leave two screens, or the last one, which ends the app. All screens inherit this,
    behind Textual's own kinds of screens: styles are inherited from the first base only.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave, if the screen is there; those that cover it leave with it."""
        if self not in self.app.screen_stack:
            nothing: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
            return nothing
        while self.app.screen is not self:
            self.app.pop_screen()
        return super().dismiss(result)


class Palette(CommandPalette, LeftOnce[None]):
    """All commands, or all themes."""
