"""Lines of cells: text, position and look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple


class Look(IntFlag):
    """The parts of a cell's style."""

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


# Plain ints: the operators of an IntFlag take longer than the rest of a paint.
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
    """A part of a line.

    Attributes:
        x: Where it starts, in cells from the table's left edge.
        width: Its width in terminal cells.
        text: Its text, exactly `width` cells wide.
        look: Its style, a combination of `Look`.
    """

    x: int
    width: int
    text: str
    look: int


Line = tuple[Cell, ...]


Flashes = dict[int, tuple[float, int, bool]]
"""Flashes by column: when each ends, its look, and whether a faint flash follows."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """The visible part of a table.

    Attributes:
        top: The first row.
        height: Number of rows, without the header.
        left: How far the columns are scrolled, in cells.
        width: Width in cells.
    """

    top: int
    height: int
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The cursor.

    Attributes:
        row: Its row, -1 for none.
        column: Its column.
        whole_row: Whether it marks the whole row instead of a cell.
    """

    row: int = -1
    column: int = -1
    whole_row: bool = False
