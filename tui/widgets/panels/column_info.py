"""Statistics of a column, computed off the event loop."""

from __future__ import annotations

from rich.table import Table as Grid
from rich.text import Text

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import width_of
from livetable.tui.widgets.panels.panel import Panel, column_name

_BAR = 20
_NAME = 24


class InfoPanel(Panel):
    """Shows a column's statistics over the rows shown."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._wanted: tuple[Table, ColumnRef] | None = None

    def draw(self, table: Table, row: int, column: int) -> None:
        """Compute a column's statistics. Meanwhile only the newest table waits."""
        if column >= len(table.refs):
            return
        self._wanted = table, table.refs[column]
        if not self._busy:
            self._start()

    def _start(self) -> None:
        if self._wanted is None:
            return
        (table, ref), self._wanted = self._wanted, None
        width = self.size.width - 2
        self._busy = True

        def run() -> None:
            from livetable.tui.query.statistics import figures_of

            figures: Grid | Text
            lines = 1
            try:
                found = figures_of(table, ref)
                figures, lines = _grid(found, width), len(found)
            except Exception as error:  # Arrow fails for some rare types
                figures = Text(harmless(f"Can't calculate statistics: {error!r:.200}"))
            self.app.call_from_thread(self._done, ref, figures, lines)

        self.run_worker(run, group="figures", thread=True, exit_on_error=False)

    def _done(self, ref: ColumnRef, figures: Grid | Text, lines: int) -> None:
        self._busy = False
        if self.is_attached:
            self.say(f"column {column_name(ref)}", figures, lines)
            self._start()


def _grid(figures: list[tuple[str, str, float | None]], width: int) -> Grid:
    names = min(max(width_of(harmless(name)) for name, _, _ in figures), _NAME)
    room = width - names - max(width_of(text) for _, text, _ in figures) - 3
    long = max(0, min(_BAR, room))
    grid = Grid.grid(padding=(0, 1), expand=True)
    grid.add_column(style="bold", no_wrap=True, overflow="ellipsis", width=names)
    grid.add_column(justify="right", no_wrap=True, overflow="ellipsis")
    grid.add_column(ratio=1, no_wrap=True)
    from livetable.tui.text.column_style import bar

    for name, text, share in figures:
        grid.add_row(
            Text(harmless(name)),
            Text(harmless(text)),
            Text("" if share is None else bar(share, long)),
        )
    return grid
