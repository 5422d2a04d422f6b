"""`livetable SOURCE --follow`: prints each changed row as it changes, for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TextIO

import numpy as np

from livetable.feed.base.command_line import quieten
from livetable.tui.batch.read_loop import NoTable, Reading, asked, lacking, shown_of
from livetable.tui.target import Target, ViewOptions

if TYPE_CHECKING:
    from livetable.tui.model.table import Table

FORMATS: Final = ("jsonl", "csv")

GONE: Final = "_gone"
"""In JSON lines, the field that is true for a removed row; only its key is printed with it."""


def follow(target: Target, options: ViewOptions, form: str, out: TextIO) -> int:
    """Print all rows, then each added or changed row, until the table ends; return the exit code.

    A row is identified by its key, or by its position without one. If frames arrive faster than
    they can be written, the ones in between are skipped.

    Args:
        target: The table.
        options: Which columns and rows, and how long to wait for the table.
        form: One of `FORMATS`.
        out: Where to write.

    Raises:
        NoTable: it did not arrive in time, or it lacks a column.
    """
    from livetable.tui.model.feed_state import Link

    reading = Reading(target, options.timeout, conditions=asked(options))
    reading.end_by_signals()
    watch = None
    if options.until is not None:
        from livetable.tui.query.conditions import Watch

        watch = Watch(options.until)
    from livetable.tui.output.text_formats import safe_out

    lines = _Lines(form, safe_out(out))
    before: Table | None = None
    seen = None
    try:
        for state in reading:
            table = state.table
            if table is not None and table is not seen:
                reading.satisfied = watch is None
                seen = table
                now = shown_of(table, options)
                lines.changes(now, before)
                before = now
                if watch is not None and len(watch.check(table)):
                    return 0
                if watch is not None and watch.problem is not None:
                    raise NoTable(watch.problem)
            if state.link is Link.ENDED:
                if (lacks := lacking(state.source)) is not None:
                    raise NoTable(lacks)
                break
    except BrokenPipeError:
        quieten()
    return reading.code


class _Lines:
    """Writes the changed rows of one table."""

    def __init__(self, form: str, out: TextIO) -> None:
        self._form = form
        self._out = out
        self._titles: list[str] = []

    def changes(self, now: Table, before: Table | None) -> None:
        """Write the rows that differ from the state before; all of the first state."""
        from livetable.feed.arrow.arrays import as_numpy, missing
        from livetable.tui.query.row_match import changed_rows, places_in

        shown = _shown_rows(now)
        if before is None:
            self._rows(now, shown)
        else:
            earlier = _shown_rows(before)
            found = places_in(before, now, earlier)
            places = np.where(missing(found), -1, as_numpy(found.fill_null(-1)))
            alike = before.types == now.types and before.refs == now.refs
            changed = np.isin(shown, changed_rows(now, before)) if alike else True
            self._rows(now, shown[changed | ~np.isin(shown, places)])
            if self._form == "jsonl":
                gone = earlier[~np.isin(places, shown)]
                if not before.is_keyed and before.unfinished is not None:
                    # Its last line was incomplete: it is now another row, not a removed one.
                    gone = gone[gone != before.unfinished]
                self._gone(before, gone)
        self._out.flush()

    def _rows(self, table: Table, rows: np.ndarray[Any, Any]) -> None:
        from livetable.tui.output.text_formats import WRITERS, data_columns, names_of

        chosen = table.arranged(rows)
        header: dict[str, Any] = {}
        if self._form == "csv":  # the header comes first, and again when columns change
            names = names_of(chosen, data_columns(chosen))
            header = {"header": names if names != self._titles else ()}
            self._titles = names
        WRITERS[self._form](chosen, self._out, more_to_come=True, **header)

    def _gone(self, table: Table, rows: np.ndarray[Any, Any]) -> None:
        from livetable.tui.workers.alerts import row_values

        for row in rows.tolist():
            values = row_values(table, row)
            key = dict(list(values.items())[: max(1, table.fixed)])
            self._out.write(json.dumps({**key, GONE: True}, ensure_ascii=False) + "\n")


def _shown_rows(table: Table) -> np.ndarray[Any, Any]:
    rows: np.ndarray[Any, Any] = np.asarray(table.frame_rows_of(0, table.rows), dtype=np.int64)
    return rows
