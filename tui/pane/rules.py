"""Colour rows that match a condition."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

_HINT = "price > 100 and d(price) < 0: red   (yellow, green, blue, bold, dim, reverse)"


class Rules(Feature):
    """Adds rules, which apply while they are typed, and removes them."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("r", "rule", "Rule", tooltip="Colour rows that match a condition"),
        Binding("R", "unrule", "Remove a rule", show=False),
    )

    def action_rule(self) -> None:
        """Ask for a rule."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.query.nodes import BadExpression
        from livetable.tui.query.rules import read_rule
        from livetable.tui.widgets.prompt import Prompt

        before, view = self.state.rules, self.pane.view
        prompt = Prompt("rule: ", hint=_HINT, words=table.titles)

        def tried(text: str | None) -> bool:
            prompt.say(None)
            if not text or not text.strip():
                view.choose_rules(before)
                return True
            everything = table.undressed
            try:
                rule = read_rule(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            view.choose_rules((*before, rule))
            return True

        self.pane.ask(prompt, tried, tried)

    def action_unrule(self) -> None:
        """Remove the newest rule."""
        self.pane.view.choose_rules(self.state.rules[:-1])
