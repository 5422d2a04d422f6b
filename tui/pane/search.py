"""Search for a text in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.widgets.prompt import Prompt

_HINT = "Enter: keep, then n and N   Tab: this column or all"


class Search(Feature):
    """Searches in a thread, and puts the cursor on the match."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("slash", "search", "Search", key_display="/", tooltip="Find a text"),
        Binding("n", "search_next(1)", "Next match", show=False),
        Binding("N", "search_next(-1)", "Previous match", show=False),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self._column: ColumnRef | None = None
        """The only column that is searched; None for all."""
        self._start = (0, 0)
        """Row and column of the cell where the search starts."""
        self._table_before: Table | None = None
        """The table on the screen when the prompt was opened, which `_start` belongs to."""
        self._running: object = None
        """The running search. The results of earlier ones are dropped."""
        self._steps_ahead = 0
        """How often the user pressed n (or N, negative) while a search ran."""

    def action_search(self) -> None:
        """Ask for a text, and go to its first match while it is typed."""
        widget = self.table_view
        if widget.table is None:
            return
        self._start = (widget.cursor_row, widget.cursor_column)
        self._table_before = widget.table
        self._column = None
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("search: ", hint=_HINT, toggles=True)
        self.pane.ask(
            prompt,
            self._done,
            lambda text: self._find(text, 0),
            lambda: self._toggle_column(prompt),
        )

    def _done(self, text: str | None) -> bool:
        if text is None:
            if self._table_before is not None:
                self.table_view.go_to_in(self._table_before, *self._start)
            self._find("", 0)
        elif text != self.state.needle:  # Enter came before the last letters were searched for
            self._find(text, 0)
        return True

    def _toggle_column(self, prompt: Prompt) -> None:
        under = self.under_cursor()
        if self._column is None and under is not None:
            self._column = under[2]
            prompt.relabel(f"search in {under[2][0]}: ")
        else:
            self._column = None
            prompt.relabel("search: ")
        self._find(self.state.needle, 0)

    def action_search_next(self, step: int) -> None:
        """Go to the next match, or to the previous one."""
        if self.state.needle and self._running is not None:
            self._steps_ahead += step  # counted from the match that the running search finds
        elif self.state.needle:
            self._next(step)

    def _next(self, steps: int) -> None:
        self._start = (self.table_view.cursor_row, self.table_view.cursor_column)
        self._find(self.state.needle, steps)

    def _find(self, text: str, steps: int) -> None:
        """Go to the match that is `steps` matches after the first one from the start."""
        # Long, because it holds two functions: one runs in a thread, the other one after it.
        self._steps_ahead = 0
        self.state.needle = text
        self.table_view.needle = text.lower()
        table = self.table_view.table
        self.pane.view.say(table)
        if not text or table is None:
            self._running = None
            return
        ref, start = self._column, self._start
        column = None if ref is None else table.column_at(ref)
        if ref is not None and column is None:
            self._running = None  # the column is gone: don't search another one in its place
            return
        self._running = this = object()

        def done(place: tuple[int, int] | None, sentence: str | None) -> None:
            if self._running is not this or not self.pane.is_attached:
                return
            self._running = None
            prompt = self.pane.prompt
            if prompt is not None:
                prompt.say(sentence, 0, wrong=False)
            elif sentence is not None:
                self.say(sentence)
            if place is not None:
                self.table_view.go_to_in(table, *place)
                if steps_ahead := self._steps_ahead:
                    self._next(steps_ahead)

        form_of = self.table_view.format_of

        def run() -> None:
            from livetable.tui.query.find import Matches

            place, sentence = None, None
            try:
                place = Matches(table, text, column, form_of).find(start, steps)
                if place is None:
                    sentence = f"No match for {text!r}"
            except Exception as error:  # from Arrow, for an unexpected type
                sentence = harmless(f"Can't search this table: {error!r:.100}")
            self.pane.app.call_from_thread(done, place, sentence)

        self.pane.run_worker(run, group="search", thread=True, exclusive=True, exit_on_error=False)
