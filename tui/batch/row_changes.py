"""`livetable FILE.tape --changes-of KEY`: every change of one row, as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import rows_array, texts, without_dictionary
from livetable.feed.errors import LivetableError
from livetable.feed.frames.decoder import Labels
from livetable.feed.protocol.labels import to_text
from livetable.feed.rows.replica import Followed
from livetable.feed.rows.values import Arrays
from livetable.feed.tape.player import Playback, Played
from livetable.tui.model.table import Table, build


class NoSuchRow(LivetableError):
    """The row is in no state of the tape."""


def changes_of(playback: Playback, key: str) -> Table:
    """Return a table of a row's states that differ from the one before, with their times.

    Args:
        playback: The tape.
        key: The row's key as printed; several key columns are joined by ``,``.

    Raises:
        NoSuchRow: the row is in no state of the tape.
    """
    times: list[float] = []
    rows: list[Followed] = []
    before: str | None = None
    last: Played | None = None
    near = 0
    for number in range(len(playback)):
        played = playback.at(number)
        table = _table(played)
        near = _find(table, key, near)
        values = None
        if near >= 0:
            fields = range(len(played.state.types))
            values = repr([  # as text, or NaN would differ from NaN
                (str(label), str(played.state.values.stretch(at, near, near + 1)))
                for at, label in zip(fields, _labels(played.state), strict=True)
            ])  # fmt: skip
            if values != before:
                times.append(played.time)
                rows.append(_row(played.state, near))
                last = played
        before = values
        near = max(near, 0)
    if last is None:
        raise NoSuchRow(f"No row {key!r} in {playback.tape.path}")
    return _joined(last, times, rows)


def _table(played: Played) -> Table:
    header = played.header
    assert header.position is not None
    return build(played.state, header.key, header.position, header.columns)


def _find(table: Table, key: str, near: int) -> int:
    """Return the row's position, -1 if it is missing; `near` is tried first: rows seldom move."""
    if 0 <= near < table.rows and table.name_of(near) == key:
        return near
    return next((row for row in range(table.rows) if table.name_of(row) == key), -1)


def _labels(state: Followed) -> list[object]:
    """Return the fields' labels: the index's levels, then the columns."""
    labels = state.labels
    return [*(labels.index if labels.range is None else ()), *labels.columns]


def _row(state: Followed, row: int) -> Followed:
    """Return a state of one row, which holds no memory of the others."""
    at = rows_array(np.array([row]))
    fields = range(len(state.types))
    arrays = [without_dictionary(state.values.at(field, at)) for field in fields]
    return replace(state, values=Arrays(arrays), count=1, rows=None)


def _joined(last: Played, times: list[float], rows: list[Followed]) -> Table:
    moments = (np.array(times) * 1e6).astype(np.int64)
    time = pa.Array.from_buffers(
        pa.timestamp("us", "UTC"), len(times), [None, pa.py_buffer(moments)]
    )  # fmt: skip
    # Columns may have come and gone: keep all of them, duplicates as often as one state has them.
    places: dict[tuple[str, int], list[pa.Array | None]] = {}
    for number, row in enumerate(rows):
        seen: dict[str, int] = {}
        for field, label in enumerate(map(to_text, _labels(row))):
            seen[label] = seen.get(label, -1) + 1
            column = places.setdefault((label, seen[label]), [None] * len(rows))
            column[number] = row.values.whole(field)
    arrays = [_column(values) for values in places.values()]
    labels = Labels(
        columns=("time", *(label for label, _ in places)),
        column_names=(None,),
        index=(None,),
        range=(0, 1),
        dtypes=("",) * (1 + len(arrays)),
        text=frozenset(),
    )
    every = [time, *arrays]
    types = tuple(one.type for one in every)
    state = Followed(labels, Arrays(every), types, len(times), 0, 0, object())
    assert last.header.position is not None
    return build(state, ("time",), last.header.position)


def _column(values: list[pa.Array | None]) -> pa.Array:
    """Return the values as one column, as text if their types differ."""
    kinds = {value.type for value in values if value is not None and value.type != pa.null()}
    if len(kinds) > 1:
        return texts([None if value is None or not value[0].is_valid else str(value[0].as_py())
                      for value in values])  # fmt: skip
    kind = kinds.pop() if kinds else pa.null()
    parts = [
        pa.nulls(1, kind) if value is None or value.type != kind else value for value in values
    ]
    return pa.concat_arrays(parts)
