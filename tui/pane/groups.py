"""A table that can be grouped, and whose rows get a look by rules."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.view import ArrangedPane, following
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arrangement
    from livetable.tui.query.rules import Rule

_RULE_HINT = "price > 100 and d(price) < 0: red   (yellow, green, blue, bold, dim, reverse)"


class GroupedPane(ArrangedPane):
    """Groups rows, opens groups, and colours rows by rules."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("b", "group", "Group", tooltip="Group by this column; Enter opens a group"),
        Binding("B", "ungroup", "Ungroup", tooltip="Back from groups"),
        Binding("A", "total", "Totals", tooltip="Next total: mean, min, max, …"),
        Binding("r", "rule", "Rule", tooltip="Colour rows that meet a condition"),
        Binding("R", "unrule", "Remove a rule", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self._opened: list[tuple[Arrangement, int]] = []
        """What was shown before, each with the cursor's row."""

    # -- groups ------------------------------------------------------------------------------------

    @property
    def idle_actions(self) -> frozenset[str]:
        """Actions that have nothing to do now: their keys need no room."""
        # Not by `chosen`: this is asked at the first paint, and what that loads takes as long.
        arrangement = self.arrangement
        grouped = bool((arrangement is not None and arrangement.groups) or self._opened)
        return frozenset() if grouped else frozenset({"ungroup", "total"})

    def action_group(self) -> None:
        """Group by the cursor's column, too."""
        under, chosen = self.under_cursor(), self.chosen()
        if under is None or self.base is None:
            return
        ref = under[2]
        if chosen.groups:
            from livetable.tui.query.group import COUNT_TITLE, column_of

            found = column_of(self.base, ref)
            if ref in chosen.groups or ref[0] == COUNT_TITLE or found is None:
                self.app.notify("To group further, put the cursor on another column.", timeout=3)
                return
            ref = found[0]
        elif self.base.column_at(ref) is None:
            return
        self._opened.append((chosen, self.table_view.cursor_row))
        self.choose(replace(chosen, groups=(*chosen.groups, ref), sort=()))

    def action_ungroup(self) -> None:
        """Go back to what was shown before rows were grouped, or a group opened."""
        if self._opened:
            chosen, row = self._opened.pop()
            self.table_view.go_after_update(row)
            self.choose(chosen)
        elif self.chosen().groups:  # remembered from another day
            self.choose(replace(self.chosen(), groups=self.chosen().groups[:-1], sort=()))

    def forget_groups(self) -> None:
        """Go back to nothing any more."""
        self._opened.clear()

    def action_total(self) -> None:
        """Show the next total of the cursor's column."""
        from livetable.tui.query.group import TOTALS, column_of, total_of

        under, chosen = self.under_cursor(), self.chosen()
        if not chosen.groups or under is None or self.base is None:
            self.app.notify("Press b to group first, then A for other totals.", timeout=3)
            return
        found = column_of(self.base, under[2])
        if found is None:
            return
        ref, now = found
        at = self.base.column_at(ref)
        assert at is not None
        kind = self.base.types[at]
        total = following([one for one in TOTALS if total_of(kind, one) == one], now)
        totals = {**dict(chosen.totals), ref: total}
        self.choose(replace(chosen, totals=tuple(totals.items()), sort=()))

    def open_group(self) -> bool:
        """Show the rows of the cursor's group; tell whether there is one."""
        from livetable.tui.query.arrange import equals_filter

        table, row = self.table_view.table, self.table_view.cursor_row
        chosen = self.chosen()
        if not chosen.groups or table is None or row >= table.rows:
            return False
        filters = list(chosen.filters)
        for ref in chosen.groups:
            at = table.column_at(ref)
            same = None if at is None else equals_filter(table, at, row)
            if same is None:
                self.app.notify("No filter can match this group's rows.", timeout=3)
                return True
            filters.append(same)
        sort = next((one.sort for one, _ in reversed(self._opened) if not one.groups), ())
        self._opened.append((chosen, row))
        self.choose(replace(chosen, groups=(), sort=sort, filters=tuple(filters)))
        return True

    # -- rules -------------------------------------------------------------------------------------

    def action_rule(self) -> None:
        """Ask for a rule."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.query.nodes import BadExpression
        from livetable.tui.query.rules import read_rule
        from livetable.tui.widgets.prompt import Prompt

        before = self.rules
        prompt = Prompt("rule: ", hint=_RULE_HINT, words=table.titles)

        def tried(text: str | None) -> bool:
            prompt.say(None)
            if not text or not text.strip():
                self.choose_rules(before)
                return True
            everything = table.undressed
            try:
                rule = read_rule(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            self.choose_rules((*before, rule))
            return True

        self.ask(prompt, tried, tried)

    def action_unrule(self) -> None:
        """Remove the newest rule."""
        self.choose_rules(self.rules[:-1])

    def choose_rules(self, rules: tuple[Rule, ...]) -> None:
        """Give rows looks by other rules from now on."""
        if rules == self.rules:
            return
        self.rules = rules
        if rules:
            from livetable.tui.query.rules import levels

            self.table_view.rule_by(partial(levels, rules))
        else:
            self.table_view.rule_by(None)
        self.say_view(self.table_view.table)
