"""tui.grid.styles: each look has names, which themes give colours."""

from __future__ import annotations

from livetable.tui.grid.cells import Look
from livetable.tui.grid.styles import NAMES, names_of
from livetable.tui.query.rules import RULE_NAMES


def test_looks_have_names() -> None:
    assert names_of(Look.HEADER | Look.CURSOR_COLUMN) == ["header", "header-cursor"]
    assert names_of(Look.RULE_1 | Look.RULE_2 | Look.HEAT_4 | Look.UP) == [
        "rule-green",
        "heat-4",
        "up",
    ]
    assert len(set(NAMES)) == len(NAMES)
    assert set(RULE_NAMES) <= {name.removeprefix("rule-") for name in NAMES}
