"""Turns the feed's table into the one that is painted: computes, filters, sorts and styles it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.pane.messages import ArrangedNews
from livetable.tui.query.column_choice import (
    ColumnChoice,
    dressed,
    problems_of,
    troubles_of,
    with_computed,
    without_computed,
)
from livetable.tui.widgets.view_line import ViewLine
from livetable.tui.workers.arranger import Arranger

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.query.arrange import Arranged, Arrangement
    from livetable.tui.query.rules import Rule

_LARGE = 100_000  # rows: with fewer, arranging ends before anybody could read a "busy" notice


class View:
    """Applies the user's choices. `offer` takes a table, `take_next` returns the result.

    Args:
        pane: The pane whose choices are applied. Its `paint_soon` is called when there is a result.
    """

    def __init__(self, pane: FeaturePane) -> None:
        self._pane = pane
        self._state = pane.state
        self._next: Table | None = None
        self._problems: tuple[str, ...] = ()
        self._unapplied: dict[str, str] = {}
        self._told_unapplied: set[str] = set()
        self._rules_checked: tuple[object, ...] = ()
        self._bad_rules: dict[str, str] = {}
        self._arranger = self._new_arranger()
        self._is_arranging = False

    def _new_arranger(self) -> Arranger:
        return Arranger(lambda: self._pane.post_message(ArrangedNews()))

    def close(self) -> None:
        """End the worker."""
        self._arranger.stop()

    def restart(self) -> None:
        """Start again after `close`, with the same choices."""
        self._arranger = self._new_arranger()
        self._is_arranging = False
        if self._state.arrangement is not None:
            self.start_arranging()

    # -- a table -----------------------------------------------------------------------------------

    def offer(self, table: Table) -> None:
        """Take a table from the feed. Once it is arranged, `take_next` returns it."""
        state = self._state
        state.base = table = with_computed(table, state.columns)
        if state.arrangement is None or state.arrangement.is_plain:
            state.arranged = self._next = table
        else:
            self._arrange(table, state.arrangement)

    def take_next(self) -> Table | None:
        """Return the table to paint next, with all its columns; None if it was taken already."""
        table, self._next = self._next, None
        return table

    def dress(self, table: Table) -> Table:
        """Return a table with the columns that are shown, in their order."""
        return dressed(table, self._state.columns)

    def _arrange(self, table: Table, chosen: Arrangement) -> bool:
        """Arrange a table now if that is fast, else in the worker. Return whether it is done."""
        done = self._arranger.arrange_now(table, chosen)
        if done is None:
            self._arranger.ask(table, chosen)
            return False
        self._accept(done)
        return True

    def take_arranged(self) -> None:
        """Show the worker's result, unless the user changed the choices meanwhile."""
        done = self._arranger.take()
        if done is not None and done.arrangement == self._state.arrangement:
            self._accept(done)
            self._pane.paint_soon()

    def _accept(self, done: Arranged) -> None:
        self._state.arranged = self._next = done.table
        self._problems = done.problems[len(done.unapplied) :]
        self._unapplied = dict(done.unapplied)

    # -- choices -----------------------------------------------------------------------------------

    def choose(self, chosen: Arrangement) -> None:
        """Change the filters, the sort and the groups."""
        state, pane = self._state, self._pane
        if pane.is_attached and chosen.groups != state.chosen().groups:
            pane.screen.refresh_bindings()  # groups have keys of their own
        state.arrangement = chosen
        self.start_arranging()
        if chosen.is_plain:
            self._problems = ()
            self._unapplied = {}
            state.arranged = self._next = state.base
            self.say(state.base)
            pane.paint_soon()
        elif state.base is not None:
            if self._arrange(state.base, chosen):
                self.say(state.arranged)
                pane.paint_soon()
            else:
                self.say(pane.table_view.table)

    def start_arranging(self) -> None:
        """Start the worker unless it runs, and show the sort in the headers."""
        if not self._is_arranging:
            self._is_arranging = True
            self._pane.start_thread(self._arranger.run, "arranger")
        arrangement = self._state.arrangement
        keys = arrangement.sort if arrangement is not None else ()
        self._pane.table_view.arrows = {key.column: "↓" if key.descending else "↑" for key in keys}

    def choose_columns(self, columns: ColumnChoice) -> None:
        """Change which columns are shown, and how."""
        state = self._state
        before, state.columns = state.columns, columns
        self._pane.table_view.styles_of_columns = columns.style_of
        if columns.computed != before.computed and state.base is not None:
            self.offer(without_computed(state.base))
            self._pane.paint_soon()
        elif state.arranged is not None:  # the rows are the same: nothing to arrange
            self._next = state.arranged
            self._pane.paint_soon()

    def choose_rules(self, rules: tuple[Rule, ...]) -> None:
        """Change the rules that colour rows."""
        if rules == self._state.rules:
            return
        self._state.rules = rules
        table = self._pane.table_view
        if rules:
            from livetable.tui.query.rules import levels

            table.rule_by(partial(levels, rules))
        else:
            table.rule_by(None)
        self.say(table.table)

    # -- the view line -----------------------------------------------------------------------------

    def say(self, table: Table | None) -> None:
        """Update the view line.

        Args:
            table: The table on the screen, whose rows are counted.
        """
        state = self._state
        rows = None if table is None else (table.rows, table.frame_rows)
        unapplied = self._unapplied | self._rules_unapplied()
        self._tell_unapplied(unapplied)
        self._pane.query_one(ViewLine).show(
            state.arrangement,
            rows=rows,
            busy=self._arranger.busy and table is not None and table.frame_rows > _LARGE,
            problems=(*self._problems, *self._column_problems(), *self._pane.problems()),
            search=state.needle,
            rules=state.rules,
            unapplied=unapplied,
            mark=state.since_mark,
        )

    def _column_problems(self) -> list[str]:
        """Return why columns can't be computed, a sentence for each."""
        state = self._state
        if state.base is None or not state.columns.computed:
            return []
        shown = self._pane.table_view.table
        return [
            *problems_of(without_computed(state.base), state.columns),
            *(() if shown is None else troubles_of(shown)),
        ]

    def _tell_unapplied(self, unapplied: dict[str, str]) -> None:
        """Notify once of each filter or rule that can't be applied: the view line may be cut."""
        if self._pane.prompting.is_open:  # the prompt already says what is wrong
            return
        for text, why in unapplied.items():
            if text not in self._told_unapplied:
                self._told_unapplied.add(text)
                says = harmless(f"Not applied: {text[:80]} — {why}")
                self._pane.app.notify(says, severity="warning", timeout=8, markup=False)

    def _rules_unapplied(self) -> dict[str, str]:
        """Return the rules that can't be applied. Checks again only when types or rules change."""
        state = self._state
        if state.base is None or not state.rules:
            return {}
        everything = state.base.undressed
        checked = (state.rules, everything.titles, everything.types)
        if checked != self._rules_checked:
            from livetable.tui.query.rules import unapplied

            self._rules_checked = checked
            self._bad_rules = unapplied(state.rules, state.base)
        return self._bad_rules
