"""A screen whose table can be sorted, filtered and searched: the keys, and who does the work."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from livetable.feed.harmless import harmless
from livetable.tui.arranger import Arranger
from livetable.tui.messages import ArrangedNews
from livetable.tui.model import ColumnRef, Table
from livetable.tui.table import LiveTable
from livetable.tui.viewline import ViewLine

if TYPE_CHECKING:
    from livetable.tui.arrange import Arranged, Arrangement
    from livetable.tui.prompt import Prompt

_OF_THE_TABLE = frozenset(
    {
        "sort", "sort_mode", "filter", "filter_same", "unfilter", "search", "search_next", "leave",
        "hide", "unhide", "copy", "pause",
    }
)  # fmt: skip
_FILTER_HINT = "price > 100 and name == 'x'   or any text that a row contains"
_SEARCH_HINT = "Enter: keep, then n and N   Tab: this column or all"


class ArrangedScreen(Screen[None]):
    """Shows tables as the person arranged them.

    `offer` takes a table as it came; `paint_next` holds it once it is arranged, and `paint_soon` is
    called then.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort(False)", "Sort", tooltip="Sort by this column: up, down, not at all"),
        Binding("S", "sort(True)", "Sort further", show=False),
        Binding("o", "sort_mode", "Live/held order", show=False),
        Binding("f", "filter", "Filter", tooltip="Show only rows that meet a condition"),
        Binding("ampersand", "filter_same", "Filter by this cell", show=False),
        Binding("F", "unfilter", "Remove a filter", show=False),
        Binding("minus", "hide", "Hide column", show=False),
        Binding("plus", "unhide", "Show all columns", show=False),
        Binding("y", "copy(False)", "Copy", tooltip="Copy the cell, through SSH too"),
        Binding("Y", "copy(True)", "Copy row", show=False),
        Binding("slash", "search", "Search", key_display="/", tooltip="Find a text"),
        Binding("n", "search_next(1)", "Next match", show=False),
        Binding("N", "search_next(-1)", "Previous match", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.base: Table | None = None
        """The table as it came."""
        self.arrangement: Arrangement | None = None
        """What the person chose; None until something was."""
        self.paint_next: Table | None = None
        self.hidden: frozenset[ColumnRef] = frozenset()
        """Columns that are not shown. Filters and orders still know them."""
        self._problems: tuple[str, ...] = ()
        self._arranger = Arranger(lambda: self.post_message(ArrangedNews()))
        self._arranging = False
        self._prompt: Prompt | None = None
        self._before_prompt: Arrangement | None = None
        self._search = ""
        self._search_column: int | None = None
        self._search_from = (0, 0)

    @cached_property
    def live_table(self) -> LiveTable:
        """The widget. It stays as long as the screen does."""
        return self.query_one(LiveTable)

    def paint_soon(self) -> None:
        """Paint `paint_next` as soon as that is possible."""
        raise NotImplementedError

    def end_work(self) -> None:
        """End the worker."""
        self._arranger.stop()

    # -- from a table as it came to one to paint ---------------------------------------------------

    def offer(self, table: Table) -> None:
        """Take a table as it came; it is painted once it is arranged."""
        self.base = table
        if self.arrangement is None or self.arrangement.is_plain:
            self.paint_next = table
        else:
            self._arranger.ask(table, self.arrangement)

    def on_arranged_news(self, message: ArrangedNews) -> None:
        """Show what was worked out, unless something else is wanted by now."""
        done = self._arranger.take()
        if done is not None and done.arrangement == self.arrangement:
            self._accept(done)

    def _accept(self, done: Arranged) -> None:
        self.paint_next = done.table
        self._problems = done.problems
        self.paint_soon()

    def choose(self, chosen: Arrangement) -> None:
        """Arrange the table in another way from now on."""
        self.arrangement = chosen
        if not self._arranging:
            self._arranging = True
            self.run_worker(self._arranger.run, name="arranger", group="arranger", thread=True)
        if chosen.is_plain:
            self._problems = ()
            self.paint_next = self.base
            self._say_view(self.base)
            self.paint_soon()
        elif self.base is not None:
            self._arranger.ask(self.base, chosen)
            self._say_view(self.live_table.table)
        self._say_arrows()

    def _say_view(self, table: Table | None) -> None:
        rows = None if table is None else (table.rows, table.frame_rows)
        self.query_one(ViewLine).show(
            self.arrangement,
            rows=rows,
            busy=self._arranger.busy and table is not None and table.frame_rows > 100_000,
            problems=self._problems,
            search=self._search,
        )

    def _say_arrows(self) -> None:
        keys = self.arrangement.sort if self.arrangement is not None else ()
        self.live_table.arrows = {key.column: "↓" if key.descending else "↑" for key in keys}

    def _chosen(self) -> Arrangement:
        from livetable.tui.arrange import PLAIN  # late: what it loads takes as long as a paint

        return self.arrangement or PLAIN

    # -- sorting -----------------------------------------------------------------------------------

    def action_sort(self, further: bool) -> None:
        """Sort by the cursor's column: up, then down, then not at all."""
        self._sort_by(self.live_table.cursor_column, further)

    def _sort_by(self, column: int, further: bool) -> None:
        from livetable.tui.arrange import sorted_by

        table = self.live_table.table
        if table is not None and column < len(table.refs):
            self.choose(sorted_by(self._chosen(), table.refs[column], further=further))

    def on_live_table_header_selected(self, message: LiveTable.HeaderSelected) -> None:
        """Sort by the column whose header was clicked."""
        self._sort_by(message.column, message.further)

    def action_sort_mode(self) -> None:
        """Let rows move as values change, hold them, or sort them once."""
        from livetable.tui.arrange import Mode

        chosen = self._chosen()
        if not chosen.sort:
            self.app.notify("sort first, with s; then o holds the order", timeout=3)
            return
        modes = list(Mode)
        following = modes[(modes.index(chosen.mode) + 1) % len(modes)]
        asked = chosen.asked + (following is Mode.ONCE)
        self.choose(replace(chosen, mode=following, asked=asked))

    # -- filters -----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a condition that rows must meet."""
        table = self.live_table.table
        if table is None or self._prompt is not None:
            return
        from livetable.tui.prompt import Prompt  # late: what it loads is a tenth of the start

        self._before_prompt = self._chosen()
        self._ask(Prompt("filter: ", hint=_FILTER_HINT, words=table.titles))

    def action_filter_same(self) -> None:
        """Show only rows that have the cursor's value in its column."""
        from livetable.tui.arrange import equals_filter, with_filter

        widget = self.live_table
        table, row, column = widget.table, widget.cursor_row, widget.cursor_column
        if table is not None and row < table.rows and column < len(table.titles):
            self.choose(with_filter(self._chosen(), equals_filter(table, column, row)))

    def action_unfilter(self) -> None:
        """Remove the newest filter."""
        chosen = self._chosen()
        if chosen.filters:
            self.choose(replace(chosen, filters=chosen.filters[:-1]))

    def _try_filter(self, text: str) -> bool:
        """Show what a filter leaves; a wrong one is told and changes nothing."""
        from livetable.tui.arrange import check_filter, with_filter
        from livetable.tui.expression import BadExpression

        prompt, before, table = self._prompt, self._before_prompt, self.base
        assert prompt is not None
        assert before is not None
        chosen = before
        if text.strip() and table is not None:
            try:
                check_filter(text, table.titles)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            chosen = with_filter(before, text.strip())
        prompt.say(None)
        self.choose(chosen)
        return True

    # -- columns, and what is taken away -----------------------------------------------------------

    def action_hide(self) -> None:
        """Hide the cursor's column."""
        table, column = self.live_table.table, self.live_table.cursor_column
        if table is not None and 0 <= column < len(table.refs) and len(table.refs) > 1:
            self.hidden |= {table.refs[column]}
            self._dress_anew(table)

    def action_unhide(self) -> None:
        """Show all columns."""
        if self.hidden:
            self.hidden = frozenset()
            self._dress_anew(self.live_table.table)

    def _dress_anew(self, shown: Table | None) -> None:
        if shown is not None and self.base is not None:
            # The same frame's other columns: nothing need be arranged anew.
            whole = self.base if shown.position == self.base.position else shown
            self.paint_next = whole.arranged(shown.order)
            self.paint_soon()

    def dress(self, table: Table) -> Table:
        """Return a table as it is painted: without hidden columns."""
        return table.hiding(self.hidden)

    def action_copy(self, whole_row: bool) -> None:
        """Copy the cursor's cell, or its row with tabs between the values, to the clipboard."""
        widget = self.live_table
        table, row, column = widget.table, widget.cursor_row, widget.cursor_column
        if table is None or row >= table.rows or column >= len(table.titles):
            return
        from livetable.tui.once import plain_values

        columns = range(len(table.titles)) if whole_row else [column]
        values = [cells[0] for cells in plain_values(table, columns, row, row + 1)]
        text = "\t".join("" if value is None else str(value) for value in values)
        self.app.copy_to_clipboard(text)
        said = harmless(text if len(text) <= 40 else f"{text[:40]} …")
        self.app.notify(f"copied: {said}", timeout=2, markup=False)

    # -- searching ---------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Ask for a text, and go to where it is."""
        widget = self.live_table
        if widget.table is None or self._prompt is not None:
            return
        self._before_prompt = None
        self._search_from = (widget.cursor_row, widget.cursor_column)
        self._search_column = None
        from livetable.tui.prompt import Prompt

        self._ask(Prompt("search: ", hint=_SEARCH_HINT, toggles=True))

    def on_prompt_toggled(self, message: Prompt.Toggled) -> None:
        """Search in the cursor's column, or in all."""
        assert self._prompt is not None
        widget = self.live_table
        if self._search_column is None and widget.table is not None:
            self._search_column = widget.cursor_column
            title = widget.table.titles[widget.cursor_column]
            self._prompt.relabel(f"search in {title}: ")
        else:
            self._search_column = None
            self._prompt.relabel("search: ")
        self._find(self._search, 0)

    def action_search_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        if self._search:
            self._search_from = (self.live_table.cursor_row, self.live_table.cursor_column)
            self._find(self._search, step)

    def _find(self, text: str, step: int) -> None:
        self._search = text
        self.live_table.needle = text.lower()
        table = self.live_table.table
        self._say_view(table)
        if not text or table is None:
            return
        column = self._search_column

        def done(place: tuple[int, int] | None) -> None:
            if self._search != text or not self.is_attached:
                return
            if place is None:
                if self._prompt is not None:
                    self._prompt.say(f"nothing contains {text!r}", 0)
                else:
                    self.app.notify(f"nothing contains {text!r}", timeout=3, markup=False)
                return
            if self._prompt is not None:
                self._prompt.say(None)
            self.live_table.go_to_in(table, *place)

        def run() -> None:
            from livetable.tui.search import find

            place = find(table, text, self._search_from, step, column)
            self.app.call_from_thread(done, place)

        self.run_worker(run, group="search", thread=True, exclusive=True, exit_on_error=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the keys of the table while a text is typed."""
        return self._prompt is None or action not in _OF_THE_TABLE

    # -- the prompt --------------------------------------------------------------------------------

    def _ask(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self.mount(prompt, before="KeyLine")

    def take_ahead(self, event: events.Key) -> bool:
        """Take a key that was typed ahead of the prompt; tell whether it did."""
        return self._prompt is not None and self._prompt.take_ahead(event)

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Show at once what a text leads to."""
        if self._prompt is None:
            return
        if self._before_prompt is not None:
            self._try_filter(message.text)
        else:
            self._find(message.text, 0)

    def on_prompt_done(self, message: Prompt.Done) -> None:
        """Keep what was typed, or go back."""
        if self._prompt is None:
            return
        if self._before_prompt is not None:
            if not self._try_filter(message.text or ""):
                return
        elif message.text is None:
            self.live_table.go_to(*self._search_from)
            self._find("", 0)
        self._prompt.remove()
        self._prompt = None
        self.live_table.focus()
