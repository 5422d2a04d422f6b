"""tui.query.rules: which rows a rule gives a look, and rules that can't be read."""

from __future__ import annotations

import pytest

from livetable.tui.query.arrange import PLAIN, arrange
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.rules import Rule, levels, read_rule
from tests.tui.query.tables import DEAL_TABLE as TABLE


def test_rules() -> None:
    titles = TABLE.titles
    rule = read_rule("price > 2 and sector == 'tech': red", titles)
    assert (rule, str(rule)) == (
        Rule("price > 2 and sector == 'tech'", "red"), "price > 2 and sector == 'tech': red",
    )  # fmt: skip
    dim = Rule("size == 3", "dim")
    table = arrange(TABLE, PLAIN).table.select(["id"])
    assert levels([rule], table, 0, 6) == [0, 0, 1, 0, 0, 1]
    assert levels([rule, dim, Rule("gone > 1", "red"), Rule("size", "red")], table, 2, 4) == [6, 0]
    for text in ("price > 2", "price > 2: pink", "none > 1: red", "price >: red"):
        with pytest.raises(BadExpression):
            read_rule(text, titles)
