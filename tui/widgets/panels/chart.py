"""A chart below the table, drawn by plotext: columns by row, or a row's numbers over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from rich.text import Text

from livetable.feed.arrow.arrays import as_numpy
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.history import History
from livetable.tui.model.row_history import RowHistory
from livetable.tui.model.table import Table
from livetable.tui.query.group import is_numeric
from livetable.tui.widgets.panels.panel import Panel, column_name, row_name

POINTS = 600
"""How many frames back a chart over time goes."""

_ROWS = 2000
_COLOURS = ("cyan", "orange", "green", "magenta", "red", "blue")


class ChartPanel(Panel):
    """Shows columns of numbers.

    Args:
        history: The earlier states.
        columns: Which columns.
        over_time: Whether to show the cursor's row over time instead of the columns by row.
    """

    DEFAULT_CSS = """
    ChartPanel { width: 1fr; height: 45%; min-height: 9; border: none; border-top: solid $primary; }
    """

    def __init__(self, history: History, columns: Sequence[ColumnRef], over_time: bool) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.over_time = over_time
        self._rows = RowHistory(history, POINTS)

    def draw(self, table: Table, row: int, column: int) -> None:
        """Draw the columns."""
        columns = [
            ref
            for ref in self.columns
            if (index := table.column_at(ref)) is not None and is_numeric(table.types[index])
        ]
        names = ", ".join(map(column_name, columns))
        width, height = self.size.width - 2, self.size.height - 1
        if not columns or width < 10 or height < 4 or row >= table.rows:
            self.say("chart", Text("No numbers to draw"), 1)
        elif self.over_time:
            times, values = self._rows.read(table, row, columns, table.sent)
            self.is_whole = self._rows.whole
            ago = [moment - table.sent for moment in times]
            lines = {column_name(ref): (ago, values[ref]) for ref in columns}
            self.say(
                f"{names} of row {row_name(table, row)}, by seconds ago",
                drawing(lines, width, height),
                1,
            )
        else:
            step = max(1, table.rows // _ROWS)
            lines = {column_name(ref): _line(table, ref, step) for ref in columns}
            self.say(f"{names} by row", drawing(lines, width, height), 1)


def _line(table: Table, ref: ColumnRef, step: int) -> tuple[list[float], list[float]]:
    import numpy as np
    import pyarrow as pa

    from livetable.feed.arrow.arrays import missing, rows_array

    column = table.column_at(ref)
    assert column is not None
    rows = np.arange(0, table.rows, step, dtype=np.int64)
    values = table.values_at(column)
    values = values.take(rows_array(rows if table.order is None else table.order[rows]))
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    numbers = np.where(missing(values), math.nan, as_numpy(values).astype(float))
    places: list[float] = rows.astype(float).tolist()
    heights: list[float] = numbers.tolist()
    return places, heights


def drawing(lines: dict[str, tuple[list[float], list[float]]], width: int, height: int) -> Text:
    """Return a chart.

    Args:
        lines: x and y values by name; values that are not finite are left out.
        width: The chart's width in cells.
        height: The chart's height in lines.
    """
    plot: Any = _plotext()
    plot.clear_figure()
    plot.limit_size(False, False)  # or plotext asks the terminal, which a browser does not have
    plot.plotsize(width, height)
    plot.theme("clear")
    for (name, (places, values)), colour in zip(lines.items(), cycle(_COLOURS), strict=False):
        known = [
            (place, value)
            for place, value in zip(places, values, strict=True)
            if math.isfinite(value)
        ]
        if known:
            label = name if len(lines) > 1 else None
            plot.plot(
                *map(list, zip(*known, strict=True)), label=label, marker="braille", color=colour
            )
    return Text.from_ansi(plot.build().rstrip("\n"))


def _plotext() -> Any:
    import plotext  # type: ignore[import-untyped]

    return plotext


def available() -> bool:
    """Tell whether plotext is installed."""
    from importlib.util import find_spec

    return find_spec("plotext") is not None
