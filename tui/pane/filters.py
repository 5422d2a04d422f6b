"""Show only rows that match a condition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arrangement
    from livetable.tui.widgets.prompt import Prompt


class Filters(Feature):
    """Adds filters, which apply while they are typed, and removes them."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("f", "filter", "Filter", tooltip="Show only rows that match a condition"),
        Binding("ampersand", "filter_same", "Filter by this cell", show=False),
        Binding("F", "unfilter", "Remove a filter", show=False),
        Binding("V", "show_all", "Show all rows and columns", show=False),
    )

    def action_filter(self) -> None:
        """Ask for a condition that rows must match."""
        table = self.table_view.table
        if table is None:
            return
        # Late: what it loads is a tenth of the start.
        from livetable.tui.widgets.prompt import Prompt, begins_title

        before = self.state.chosen()
        prompt = Prompt("filter: ", hint=_filter_hint(table), words=table.titles)

        def done(text: str | None) -> bool:
            return self._try(prompt, before, text or "")

        def changed(text: str) -> None:
            if begins_title(text, table.titles):  # likely the start of a condition, not a text
                prompt.say(None)
                self.pane.choose(before)
            else:
                self._try(prompt, before, text)

        self.pane.ask(prompt, done, changed)

    def _try(self, prompt: Prompt, before: Arrangement, text: str) -> bool:
        """Apply a filter; one that is wrong changes nothing, and the prompt says why."""
        from livetable.tui.query.arrange import check_filter, with_filter
        from livetable.tui.query.nodes import BadExpression

        base, chosen = self.state.base, before
        if text.strip() and base is not None:
            everything = base.undressed
            try:
                check_filter(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            chosen = with_filter(before, text.strip())
        prompt.say(None)
        self.pane.choose(chosen)
        return True

    def action_filter_same(self) -> None:
        """Show only rows that have the cursor's value in its column."""
        from livetable.tui.query.arrange import equals_filter, with_filter

        under, row = self.under_cursor(), self.table_view.cursor_row
        if under is not None and row < under[0].rows:
            same = equals_filter(under[0], under[1], row)
            if same is None:
                self.say("No filter can match this value.")
            else:
                self.pane.choose(with_filter(self.state.chosen(), same))

    def action_unfilter(self) -> None:
        """Remove the newest filter."""
        chosen = self.state.chosen()
        if chosen.filters:
            self.pane.choose(replace(chosen, filters=chosen.filters[:-1]))

    def action_show_all(self) -> None:
        """Show all rows and columns. Their sort and their styles stay."""
        self.pane.groups.forget()
        self.pane.choose(replace(self.state.chosen(), filters=(), groups=()))
        self.pane.choose_columns(replace(self.state.columns, hidden=frozenset()))


def _filter_hint(table: Table) -> str:
    """Return an example that works with this table."""
    from livetable.tui.query.group import is_numeric
    from livetable.tui.query.quoting import quote

    numbers = [at for at, kind in enumerate(table.types) if is_numeric(kind)]
    texts = [at for at, kind in enumerate(table.types) if "string" in str(kind)]
    parts = [f"{quote(table.titles[at])} > 0" for at in numbers[-1:]]
    parts += [f"{quote(table.titles[at])} == 'x'" for at in texts[-1:]]
    return f"{' and '.join(parts)}   or any text that a row contains".strip()
