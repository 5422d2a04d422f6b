"""Which styles a look consists of, the last one on top. They are defined in livetable.tcss."""

from __future__ import annotations

from typing import Final

from livetable.tui.grid.cells import HEAT_LEVELS, RULE_LEVELS, Look
from livetable.tui.query.rules import RULE_NAMES

_HEADER: Final = ((Look.HEADER, "header"), (Look.CURSOR_COLUMN, "header-cursor"))
_BELOW: Final = ((Look.FIXED, "fixed"), (Look.CURSOR_ROW, "cursor-row"))
_ABOVE: Final = (
    (Look.NEW, "new"),
    (Look.MARKED, "marked"),
    (Look.NULL, "null"),
    (Look.UP, "up"),
    (Look.DOWN, "down"),
    (Look.CHANGED, "changed"),
    (Look.STALE, "stale"),
    (Look.MATCH, "match"),
    (Look.PICKED, "picked"),
    (Look.CURSOR, "cursor"),
)
_HEAT: Final = int(Look.HEAT_1 | Look.HEAT_2 | Look.HEAT_4)
_RULE: Final = int(Look.RULE_1 | Look.RULE_2 | Look.RULE_4)

_FADING: Final = ("up", "down", "changed")

NAMES: Final = (
    *(name for _, name in (*_HEADER, *_BELOW, *_ABOVE)),
    *(f"{name}-faint" for name in _FADING),
    *(f"heat-{level}" for level in range(1, HEAT_LEVELS + 1)),
    *(f"rule-{name}" for name in RULE_NAMES),
)
"""All names of styles."""

assert len(RULE_NAMES) == RULE_LEVELS


def names_of(look: Look) -> list[str]:
    """Return the names of a look's styles, without the prefix ``livetable--``."""
    if Look.HEADER in look:
        return [name for flag, name in _HEADER if flag in look]
    names = [name for flag, name in _BELOW if flag in look]
    if Look.CURSOR in look:  # or a reversed row would reverse the cursor as well
        names = [name for name in names if name != "cursor-row"]
    if rule := (int(look) & _RULE) // int(Look.RULE_1):
        names.append(f"rule-{RULE_NAMES[rule - 1]}")
    if heat := (int(look) & _HEAT) // int(Look.HEAT_1):
        names.append(f"heat-{heat}")
    above = [name for flag, name in _ABOVE if flag in look]
    if Look.FAINT in look:  # replaced, not added: a later style can't undo bold
        above = [f"{name}-faint" if name in _FADING else name for name in above]
    return names + above
