"""Add computed columns: a formula, or the changes of a column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature, following
from livetable.tui.query.column_choice import ColumnChoice, Computed, free_title
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.widgets.prompt import Prompt

_HINT = "mid = (bid + ask) / 2   d(x): change since the frame before, d(x, 10): since 10 s"
_CHANGES = (("Δ {}", "d({})"), ("%Δ {}", "pct({})"), ("{}/s", "rate({})"))


class ComputedColumns(Feature):
    """Adds computed columns. `Columns` removes them: hiding a computed column removes it."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("equals_sign", "compute", "New column", show=False),
        Binding("d", "change", "Column of changes", show=False),
    )

    def action_compute(self) -> None:
        """Ask for the formula of a new column."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("new column: ", hint=_HINT, words=table.titles)

        def done(text: str | None) -> bool:
            if text is None or not text.strip():
                return True
            computed = self._read(prompt, text)
            if computed is not None:
                self._add(computed)
            return computed is not None

        self.pane.ask(prompt, done, lambda text: self._read(prompt, text))

    def _read(self, prompt: Prompt, text: str) -> Computed | None:
        """Return the column that a text describes. If the text is wrong, the prompt says why."""
        from livetable.tui.query.computed import check_type
        from livetable.tui.query.expression import parse
        from livetable.tui.query.nodes import BadExpression

        base = self.state.base
        prompt.say(None)
        if base is None or not text.strip():
            return None
        name, equals, rest = text.partition("=")
        named = bool(equals) and not rest.startswith("=") and name[-1:] not in "<>!="
        title, formula = (name.strip(" `"), rest) if named else ("", text)
        try:
            everything = base.undressed
            read = parse(formula, everything.titles)
            check_type(read, everything.titles, everything.types)
        except BadExpression as error:
            prompt.say(error.sentence, error.start + len(text) - len(formula))
            return None
        return Computed(title or formula.strip()[:40], formula.strip())

    def _add(self, computed: Computed) -> None:
        base, columns = self.state.base, self.state.columns
        if base is None:
            return
        same = {one.title for one in columns.computed}
        taken = [title for title in base.undressed.titles if title not in same]
        title = free_title(computed.title, taken)
        kept = tuple(one for one in columns.computed if one.title != title)
        computed = replace(computed, title=title)
        self.pane.choose_columns(replace(columns, computed=(*kept, computed)))

    def action_change(self) -> None:
        """Add a column of changes. Pressed again: percent, then per second, then none."""
        from livetable.tui.query.quoting import quote

        under = self.under_cursor()
        if under is None or not self.pane.looks.is_numeric():
            return
        if under[0].grouped:
            self.say("Changes are shown for rows, not for groups. Press B to ungroup.")
            return
        title, columns = under[2][0], self.state.columns
        names = {template.format(title): text.format(quote(title)) for template, text in _CHANGES}
        now = next((one.title for one in columns.computed if one.title in names), None)
        new = following([None, *names], now)
        computed = [one for one in columns.computed if one.title != now]
        if new is not None:
            computed.append(Computed(new, names[new]))
        columns = replace(columns, computed=tuple(computed))
        if new is not None and self.state.base is not None:
            columns = _beside(columns, self.state.base, under[2], (new, 0))
        self.pane.choose_columns(columns)


def _beside(columns: ColumnChoice, table: Table, column: ColumnRef, new: ColumnRef) -> ColumnChoice:
    """Return the column choice with a new column to the right of another."""
    from livetable.tui.query.column_choice import in_order

    order = [ref for ref in in_order(table.refs, columns.order) if ref != new]
    order.insert(order.index(column) + 1 if column in order else len(order), new)
    return replace(columns, order=tuple(order))
