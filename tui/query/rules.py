"""Rules that colour rows: ``price > 100 and d(price) < 0: red``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from livetable.tui.model.table import Table
from livetable.tui.query.nodes import BadExpression

RULE_NAMES: Final = ("red", "yellow", "green", "blue", "bold", "dim", "reverse")
"""The looks of rules, in the order of their levels."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        text: The condition.
        look: One of `RULE_NAMES`.
    """

    text: str
    look: str

    def __str__(self) -> str:
        return f"{self.text}: {self.look}"


def read_rule(text: str, titles: tuple[str, ...], types: tuple[Any, ...] | None = None) -> Rule:
    """Parse a rule for a table with these columns.

    Raises:
        BadExpression: it is not a rule, or can't be applied to the table.
    """
    from livetable.tui.query.arrange import check_condition

    condition, colon, look = text.rpartition(":")
    look = look.strip()
    if not colon or look not in RULE_NAMES:
        at = len(condition) + 1 if colon else len(text)
        raise BadExpression(f"End the rule with a colon and one of {', '.join(RULE_NAMES)}", at)
    check_condition(condition.strip(), titles, types)
    return Rule(condition.strip(), look)


def unapplied(rules: Sequence[Rule], table: Table) -> dict[str, str]:
    """Return the rules that can't be applied, each with the reason."""
    from livetable.tui.query.arrange import check_condition

    reasons = {}
    everything = table.undressed
    for rule in rules:
        try:
            check_condition(rule.text, everything.titles, everything.types)
        except BadExpression as error:
            reasons[str(rule)] = error.sentence
    return reasons


def levels(rules: Sequence[Rule], table: Table, start: int, stop: int) -> list[int]:
    """Return the levels of the rows shown from `start` to before `stop`; 0 for no look.

    The last rule that a row matches wins. A rule that can't be applied matches no row.
    """
    from livetable.tui.query.arrange import parsed
    from livetable.tui.query.evaluate import mask_of
    from livetable.tui.query.table_columns import shown

    levels_of_rows = [0] * (stop - start)
    titles = table.undressed.titles
    columns = shown(table, start, stop)
    for rule in rules:
        try:
            mask = mask_of(parsed(rule.text, titles), columns, stop - start)
        except BadExpression:
            continue
        level = RULE_NAMES.index(rule.look) + 1
        for row in mask.nonzero()[0].tolist():
            levels_of_rows[row] = level
    return levels_of_rows
