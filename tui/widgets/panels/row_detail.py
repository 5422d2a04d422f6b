"""The cursor's row in full: complete values, and a sparkline for each number."""

from __future__ import annotations

from rich.table import Table as Grid
from rich.text import Text

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.history import History
from livetable.tui.model.row_history import RowHistory, sparkline
from livetable.tui.model.table import Table
from livetable.tui.output.text_formats import plain_values
from livetable.tui.query.group import is_numeric
from livetable.tui.text.column_format import width_of
from livetable.tui.widgets.panels.panel import Panel, column_name, row_name

POINTS = 120
"""How many frames back a sparkline goes."""

_LONGEST = 4000
_SPARK = 16
_LEAST_SPARK = 4
_LABEL = 24


class DetailPanel(Panel):
    """Shows a row.

    Args:
        history: The earlier states.
    """

    def __init__(self, history: History) -> None:
        super().__init__()
        self._rows = RowHistory(history, POINTS)

    def draw(self, table: Table, row: int, column: int) -> None:
        """Show a row with all columns, including hidden ones."""
        if row >= table.rows:
            self.say("row", Text("No row here"), 1)
            return
        everything = table.undressed
        numeric = [
            ref
            for ref, kind, heading in zip(
                everything.refs, everything.types, everything.headings.columns, strict=True
            )
            if is_numeric(kind) and heading.formula is None
        ]
        _, over_time = self._rows.read(table, row, numeric, table.sent)
        self.is_whole = self._rows.whole
        columns = range(len(everything.titles))
        cells = plain_values(everything, columns, row, row + 1)
        texts = [_text(cells[index][0]) for index in columns]
        names = list(map(column_name, everything.refs))
        label = min(max(map(width_of, names), default=1), _LABEL)
        # A number is never wrapped: its sparkline gets the room that is left.
        numbers = (
            width_of(texts[index]) for index, ref in enumerate(everything.refs) if ref in over_time
        )
        spark = min(self.size.width - 2 - label - max(numbers, default=0) - 3, _SPARK)
        grid = Grid.grid(padding=(0, 1), expand=True)
        grid.add_column(style="bold", width=label, overflow="ellipsis", no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        if spark >= _LEAST_SPARK:
            grid.add_column(width=spark, no_wrap=True)
        width = 0
        here = table.refs[column] if column < len(table.refs) else None
        for index, ref in enumerate(everything.refs):
            width += width_of(texts[index]) // 20  # roughly: changes when another line is needed
            name = Text(names[index], "reverse" if ref == here else "")
            cells_of_row = [name, Text(texts[index])]
            if spark >= _LEAST_SPARK and ref in over_time:
                cells_of_row.append(Text(sparkline(over_time[ref], spark), "dim"))
            grid.add_row(*cells_of_row)
        self.say(f"row {row_name(table, row)}", grid, 1000 * len(everything.refs) + width)


def _text(value: object) -> str:
    """Return a complete value as harmless text."""
    if isinstance(value, bool):
        text = "true" if value else "false"  # as in the table
    else:
        text = "–" if value is None else str(value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} … {len(text):,} characters"
    return harmless(text)
