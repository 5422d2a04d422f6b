"""A table with panels: the cursor's row in full, its column in figures, a chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from livetable.tui.model.headings import ColumnRef
from livetable.tui.pane.time_travel import TimedPane
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.table_view import TableView

if TYPE_CHECKING:
    from livetable.tui.widgets.panels.chart import ChartPanel
    from livetable.tui.widgets.panels.column_info import InfoPanel
    from livetable.tui.widgets.panels.row_detail import DetailPanel

_NO_CHART = 'charts need one more package: pip install "livetable[chart]"'


class PanelledPane(TimedPane):
    """Opens and closes panels, and shows them what is painted."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("i", "info", "Column info", tooltip="This column in figures"),
        Binding("p", "chart(False)", "Chart", tooltip="Draw this column"),
        Binding("P", "chart(True)", "Chart over time", show=False),
        Binding("J", "scroll_panel(1)", "Panel down", show=False),
        Binding("K", "scroll_panel(-1)", "Panel up", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self._side: DetailPanel | InfoPanel | None = None
        self._chart: ChartPanel | None = None

    @property
    def has_panel(self) -> bool:
        """Whether a panel is open."""
        return self._side is not None or self._chart is not None

    def close_panels(self) -> None:
        """Close all panels."""
        for panel in (self._side, self._chart):
            if panel is not None:
                panel.remove()
        self._side = self._chart = None
        self.table_view.holds_row = False

    async def toggle_detail(self) -> None:
        """Open the cursor's row beside the table, or close it."""
        from livetable.tui.widgets.panels.row_detail import DetailPanel

        await self._toggle_side(DetailPanel, lambda: DetailPanel(self.history))

    async def action_info(self) -> None:
        """Show the cursor's column in figures, or no longer."""
        from livetable.tui.widgets.panels.column_info import InfoPanel

        await self._toggle_side(InfoPanel, InfoPanel)

    async def _toggle_side(self, kind: type, make: Callable[[], DetailPanel | InfoPanel]) -> None:
        from livetable.tui.widgets.panels.row_detail import DetailPanel

        before, self._side = self._side, None
        if before is not None:
            before.remove()
        self.table_view.holds_row = False
        if not isinstance(before, kind):
            self._side = make()
            # A row that is looked at must not be another one because it is no longer the first.
            self.table_view.holds_row = isinstance(self._side, DetailPanel)
            await self.query_one("#body", Horizontal).mount(self._side)
            self.show_panels()

    async def action_chart(self, over_time: bool) -> None:
        """Draw the cursor's column; on a further one both; on the same again nothing."""
        from livetable.tui.widgets.panels.chart import ChartPanel, available

        under = self.under_cursor()
        if under is None:
            return
        if not available():
            self.app.notify(_NO_CHART, severity="warning", timeout=5, markup=False)
            return
        _, column, ref = under
        form = self.table_view.format_of(column)
        columns: list[ColumnRef] = [ref]
        before, self._chart = self._chart, None
        if before is not None:
            before.remove()
            if before.over_time == over_time:
                drawn = before.columns
                columns = [one for one in drawn if one != ref] if ref in drawn else [*drawn, ref]
        elif form is None or not form.numeric:
            self.app.notify("Only works on numeric columns.", timeout=2)
            return
        if columns:
            self._chart = ChartPanel(self.history, columns, over_time)
            await self.mount(self._chart)
            self.show_panels()

    def action_scroll_panel(self, pages: int) -> None:
        """Scroll the panel at the side."""
        if self._side is not None:
            self._side.scroll_relative(y=pages * 5, animate=False)

    def on_table_view_cursor_moved(self, message: TableView.CursorMoved) -> None:
        """Show the panels where the cursor is."""
        if self.has_panel:
            self.show_panels()

    def show_panels(self) -> None:
        """Show the panels what is painted, and where the cursor is."""
        widget = self.table_view
        if widget.table is None:
            return
        for panel in (self._side, self._chart):
            if panel is not None and panel.is_mounted:
                panel.show(widget.table, widget.cursor_row, widget.cursor_column)
