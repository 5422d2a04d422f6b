"""What a row showed last, and how its values differ from that and from the mark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import compress
from operator import ne
from typing import Any, Final

from livetable.tui.grid.cells import (
    CHANGED,
    DOWN,
    FAINT,
    UP,
    Flashes,
    Line,
)
from livetable.tui.grid.layout import Layout
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import ColumnFormat

FLASH_SECONDS: Final = 0.9
"""How long a changed cell flashes."""

FADE_SECONDS: Final = 0.45
"""How much of that is a faint flash, if few cells change at once."""

UNKNOWN: Final = object()


@dataclass(slots=True)
class Seen:
    """What a row showed last.

    Attributes:
        columns: The columns in sight.
        values: Their values.
        line: Their cells.
        look: The look that all cells share, -1: format them again.
        cursor: The cursor's column, -1 if it is in another row.
        flash_end: When the next flash ends.
        flashes: The flashes, by column.
        then: Its values at the mark; None if the row did not exist or nothing is marked.
        known: The columns for which `then` was looked up; None if it was not.
    """

    columns: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    line: Line = ()
    look: int = -1
    cursor: int = -1
    flash_end: float = math.inf
    flashes: Flashes = field(default_factory=dict)
    then: tuple[Any, ...] | None = None
    known: tuple[int, ...] | None = None


def end_flashes(row: Seen, now: float) -> list[int]:
    """End the flashes that are over, or make them faint; return their columns."""
    flashes = row.flashes
    ended = [one for one in flashes.items() if one[1][0] <= now]
    for column, (end, look, fades) in ended:
        if fades and end + FADE_SECONDS > now:
            flashes[column] = (end + FADE_SECONDS, look | FAINT, False)
        else:
            del flashes[column]
    row.flash_end = min((end for end, _, _ in flashes.values()), default=math.inf)
    return [column for column, _ in ended]


def differences(
    row: Seen | None, columns: tuple[int, ...], values: tuple[Any, ...]
) -> list[int] | None:
    """Return the indices of a row's changed values; None if its last values are unknown."""
    if row is None or row.columns != columns:
        return None
    if row.values == values:
        return []
    return list(compress(range(len(values)), map(ne, row.values, values)))


def direction(old: Any, value: Any, form: ColumnFormat) -> int:
    if form.numeric and old is not None and value is not None:
        if value > old:
            return UP
        if value < old:
            return DOWN
    return CHANGED


def then_of(
    now: Table, then: Table, layout: Layout, columns: tuple[int, ...], rows: list[int]
) -> list[tuple[Any, ...] | None]:
    """Return the values of rows in an earlier state, None for rows that did not exist then."""
    import numpy as np

    from livetable.feed.arrow.arrays import missing
    from livetable.tui.query.row_match import places_in

    places = places_in(now, then, np.array([now.row_in_frame(row) for row in rows], dtype=np.int64))
    read = []
    for column in columns:
        column_then = then.column_at(now.refs[column])
        if column_then is None or then.types[column_then] != now.types[column]:
            read.append([UNKNOWN] * len(rows))
        else:
            form = layout.formats[column]
            read.append(form.values(then.values_of_rows(column_then, places)))
    gone = missing(places).tolist()
    rows_then = zip(*read, strict=True)
    return [None if is_gone else values for is_gone, values in zip(gone, rows_then, strict=False)]
