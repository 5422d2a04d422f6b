"""What a row showed last, and how values differ: from that, and from a mark."""

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
"""How long a changed cell shows that it changed."""

FADE_SECONDS: Final = 0.45
"""How long of that it does so faintly, if few cells change at once."""

UNKNOWN: Final = object()


@dataclass(slots=True)
class Seen:
    """What a row showed last.

    Attributes:
        columns: Which columns were in sight.
        values: Their values.
        line: The cells made of them.
        look: What all of them look like.
        cursor: Which column the cursor was in, -1 for none.
        flash_end: Until when none of the flashes ends.
        flashes: When which column's flash ends, and its look.
        then: What it held at the mark, None if it was not there, or there is no mark.
        known: Whether `then` was looked up for these columns.
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
    """End the flashes that have had their time, or go on faintly; return their columns."""
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
    """Return where a row's values differ from what it showed; None if that is not known."""
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
    """Return what rows shown now held in an earlier state, None for those that were not there."""
    import numpy as np

    from livetable.feed.arrow.arrays import missing
    from livetable.tui.query.row_match import places_in

    places = places_in(now, then, np.array([now.row_in_frame(row) for row in rows], dtype=np.int64))
    read = []
    for column in columns:
        there = then.column_at(now.refs[column])
        if there is None or then.types[there] != now.types[column]:
            read.append([UNKNOWN] * len(rows))
        else:
            form = layout.formats[column]
            read.append(form.values(then.values_of_rows(there, places)))
    gone = missing(places).tolist()
    return [None if gone[at] else values for at, values in enumerate(zip(*read, strict=True))]
