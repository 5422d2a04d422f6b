"""A table in which a text can be looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.keys import named
from livetable.tui.model import Table
from livetable.tui.panes.arranged import ArrangedPane

if TYPE_CHECKING:
    from livetable.tui.prompt import Prompt

_SEARCH_HINT = "Enter: keep, then n and N   Tab: this column or all"


class SearchingPane(ArrangedPane):
    """Looks for a text off the event loop, and goes to where it is."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("slash", "search", "Search", key_display="/", tooltip="Find a text"),
        Binding("n", "search_next(1)", "Next match", show=False),
        Binding("N", "search_next(-1)", "Previous match", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self._search_column: int | None = None
        self._search_from = (0, 0)
        self._search_in: Table | None = None

    def action_search(self) -> None:
        """Ask for a text, and go to where it is."""
        widget = self.live_table
        if widget.table is None:
            return
        self._search_from = (widget.cursor_row, widget.cursor_column)
        self._search_in = widget.table
        self._search_column = None
        from livetable.tui.prompt import Prompt

        prompt = Prompt("search: ", hint=_SEARCH_HINT, toggles=True)
        self.ask(
            prompt,
            self._searched,
            lambda text: self._find(text, 0),
            lambda: self._toggle_column(prompt),
        )

    def _searched(self, text: str | None) -> bool:
        if text is None:
            if self._search_in is not None:
                self.live_table.go_to_in(self._search_in, *self._search_from)
            self._find("", 0)
        elif text != self.needle:  # Enter came before what was typed last was looked for
            self._find(text, 0)
        return True

    def _toggle_column(self, prompt: Prompt) -> None:
        widget = self.live_table
        if self._search_column is None and widget.table is not None:
            self._search_column = widget.cursor_column
            title = widget.table.titles[widget.cursor_column]
            prompt.relabel(f"search in {title}: ")
        else:
            self._search_column = None
            prompt.relabel("search: ")
        self._find(self.needle, 0)

    def action_search_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        if self.needle:
            self._search_from = (self.live_table.cursor_row, self.live_table.cursor_column)
            self._find(self.needle, step)

    def _find(self, text: str, step: int) -> None:
        self.needle = text
        self.live_table.needle = text.lower()
        table = self.live_table.table
        self.say_view(table)
        if not text or table is None:
            return
        column = self._search_column

        def done(place: tuple[int, int] | None) -> None:
            if self.needle != text or not self.is_attached:
                return
            prompt = self.asked.prompt if self.asked is not None else None
            if place is None:
                if prompt is not None:
                    prompt.say(f"nothing contains {text!r}", 0)
                else:
                    self.app.notify(f"nothing contains {text!r}", timeout=3, markup=False)
                return
            if prompt is not None:
                prompt.say(None)
            self.live_table.go_to_in(table, *place)

        def run() -> None:
            from livetable.tui.search import find

            place = find(table, text, self._search_from, step, column)
            self.app.call_from_thread(done, place)

        self.run_worker(run, group="search", thread=True, exclusive=True, exit_on_error=False)
