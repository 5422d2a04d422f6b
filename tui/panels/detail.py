"""The cursor's row in full: each value whole, and each number's way over time."""

from __future__ import annotations

from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text

from livetable.feed.harmless import harmless
from livetable.tui.grouping import is_numeric
from livetable.tui.history import History
from livetable.tui.model import Table
from livetable.tui.panels.panel import Panel
from livetable.tui.rowhistory import RowHistory, sparkline
from livetable.tui.writing import plain_values

POINTS = 120
"""Frames that a sparkline looks back."""

_LONGEST = 4000
_SPARK = 16
_WIDE = 56


class DetailPanel(Panel):
    """Shows a row.

    Args:
        history: Where the row's earlier values are.
    """

    def __init__(self, history: History) -> None:
        super().__init__()
        self._rows = RowHistory(history, POINTS)

    def draw(self, table: Table, row: int, column: int) -> None:
        """Show a row of a table as it is painted: all columns, the hidden ones too."""
        if row >= table.rows:
            self.say("row", Text("no row here"), 1)
            return
        everything = table.undressed
        numeric = [
            ref
            for ref, kind, heading in zip(
                everything.refs, everything.types, everything.headings.columns, strict=True
            )
            if is_numeric(kind) and heading.expression is None
        ]
        _, over_time = self._rows.read(table, row, numeric, table.sent)
        grid = Grid.grid(padding=(0, 1), expand=True)
        grid.add_column(style="bold", max_width=24, overflow="ellipsis", no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        spark = _SPARK if self.size.width >= _WIDE else _SPARK // 2
        grid.add_column(width=spark, no_wrap=True)
        columns = range(len(everything.titles))
        cells = plain_values(everything, columns, row, row + 1)
        width = 0
        here = table.refs[column] if column < len(table.refs) else None
        for at, ref in enumerate(everything.refs):
            value = cells[at][0]
            text = "–" if value is None else str(value)
            if value is None and is_numeric(everything.types[at]):
                scalar = everything.window(at, row, row + 1)[0]
                text = str(scalar.as_py()) if scalar.is_valid else "–"  # NaN and infinity
            if len(text) > _LONGEST:
                text = f"{text[:_LONGEST]} … {len(text):,} characters"
            width += cell_len(text) // 20  # roughly: whether it takes another line
            line = sparkline(over_time[ref], spark) if ref in over_time else ""
            grid.add_row(
                Text(harmless(ref[0]) or "(index)", "reverse" if ref == here else ""),
                Text(harmless(text)),
                Text(line, "dim"),
            )
        named = " ".join(harmless(str(part))[:40] for part in table.identity(row))
        self.say(f"row {named}", grid, 1000 * len(everything.refs) + width)
