"""Lines of cells: text, place and look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple


class Look(IntFlag):
    """What a cell's style is made of."""

    PLAIN = 0
    FIXED = 1
    NULL = 2
    UP = 4
    DOWN = 8
    CHANGED = 16
    CURSOR = 32
    CURSOR_ROW = 64
    STALE = 128
    HEADER = 256
    CURSOR_COLUMN = 512
    MATCH = 1024
    MARKED = 2048
    NEW = 4096
    PICKED = 1 << 19
    FAINT = 1 << 20
    HEAT_1 = 1 << 13
    HEAT_2 = 2 << 13
    HEAT_4 = 4 << 13
    RULE_1 = 1 << 16
    RULE_2 = 2 << 16
    RULE_4 = 4 << 16


HEAT_LEVELS: Final = 7


RULE_LEVELS: Final = 7


# Plain numbers: the operators of an IntFlag take longer than all the rest of a paint.
FIXED: Final = int(Look.FIXED)


NULL: Final = int(Look.NULL)


UP: Final = int(Look.UP)


DOWN: Final = int(Look.DOWN)


CHANGED: Final = int(Look.CHANGED)


CURSOR: Final = int(Look.CURSOR)


CURSOR_ROW: Final = int(Look.CURSOR_ROW)


STALE: Final = int(Look.STALE)


HEADER: Final = int(Look.HEADER)


CURSOR_COLUMN: Final = int(Look.CURSOR_COLUMN)


MATCH: Final = int(Look.MATCH)


MARKED: Final = int(Look.MARKED)


NEW: Final = int(Look.NEW)


PICKED: Final = int(Look.PICKED)


FAINT: Final = int(Look.FAINT)


HEAT_SHIFT: Final = 13


RULE_SHIFT: Final = 16


class Cell(NamedTuple):
    """A stretch of a line.

    Attributes:
        x: Where it starts, in cells from the table's left edge.
        width: How many cells it takes.
        text: What stands there, exactly `width` cells.
        look: Its style.
    """

    x: int
    width: int
    text: str
    look: int


Line = tuple[Cell, ...]


Flashes = dict[int, tuple[float, int, bool]]
"""By column: when it ends, its look, and whether a faint one follows."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """The part of a table that is in sight.

    Attributes:
        top: The first row.
        height: Rows in sight, the header not counted.
        left: Cells that the scrolling columns are scrolled by.
        width: Cells in sight.
    """

    top: int
    height: int
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the cursor is.

    Attributes:
        row: Its row, -1 for none.
        column: Its column.
        whole_row: Whether it marks the row alone.
    """

    row: int = -1
    column: int = -1
    whole_row: bool = False
