"""A table in which a text can be looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.view import ArrangedPane
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.widgets.prompt import Prompt

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
        self._search_column: ColumnRef | None = None
        self._search_from = (0, 0)
        self._search_in: Table | None = None
        self._looking: object = None  # the search that is under way
        self._steps_ahead = 0

    def action_search(self) -> None:
        """Ask for a text, and go to where it is."""
        widget = self.table_view
        if widget.table is None:
            return
        self._search_from = (widget.cursor_row, widget.cursor_column)
        self._search_in = widget.table
        self._search_column = None
        from livetable.tui.widgets.prompt import Prompt

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
                self.table_view.go_to_in(self._search_in, *self._search_from)
            self._find("", 0)
        elif text != self.needle:  # Enter came before what was typed last was looked for
            self._find(text, 0)
        return True

    def _toggle_column(self, prompt: Prompt) -> None:
        under = self.under_cursor()
        if self._search_column is None and under is not None:
            self._search_column = under[2]
            prompt.relabel(f"search in {under[2][0]}: ")
        else:
            self._search_column = None
            prompt.relabel("search: ")
        self._find(self.needle, 0)

    def action_search_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        if self.needle and self._looking is not None:
            self._steps_ahead += step  # from where the match is that is being looked for
        elif self.needle:
            self._search_next(step)

    def _search_next(self, steps: int) -> None:
        self._search_from = (self.table_view.cursor_row, self.table_view.cursor_column)
        self._find(self.needle, steps)

    def _find(self, text: str, steps: int) -> None:
        self._steps_ahead = 0
        self.needle = text
        self.table_view.needle = text.lower()
        table = self.table_view.table
        self.say_view(table)
        if not text or table is None:
            self._looking = None
            return
        ref, start = self._search_column, self._search_from
        column = None if ref is None else table.column_at(ref)
        if ref is not None and column is None:
            self._looking = None  # gone meanwhile: where another one is now is not searched instead
            return
        self._looking = this = object()

        def done(place: tuple[int, int] | None, sentence: str | None) -> None:
            if self._looking is not this or not self.is_attached:
                return
            self._looking = None
            prompt = self.asked.prompt if self.asked is not None else None
            if prompt is not None:
                prompt.say(sentence, 0, wrong=False)
            elif sentence is not None:
                self.app.notify(sentence, timeout=3, markup=False)
            if place is not None:
                self.table_view.go_to_in(table, *place)
                if steps_ahead := self._steps_ahead:
                    self._search_next(steps_ahead)

        form_of = self.table_view.format_of if table is self.table_view.table else lambda at: None

        def run() -> None:
            from livetable.tui.query.find import Matches

            place, sentence = None, None
            try:
                place = Matches(table, text, column, form_of).find(start, steps)
                if place is None:
                    sentence = f"nothing contains {text!r}"
            except Exception as error:  # of Arrow, for a type nobody thought of
                sentence = harmless(f"this can't be searched: {error!r:.100}")
            self.app.call_from_thread(done, place, sentence)

        self.run_worker(run, group="search", thread=True, exclusive=True, exit_on_error=False)
