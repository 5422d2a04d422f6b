"""Panels beside the table: the cursor's row in full, its column in figures, a chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.widgets.panels.chart import ChartPanel
    from livetable.tui.widgets.panels.column_info import InfoPanel
    from livetable.tui.widgets.panels.row_detail import DetailPanel

_NO_CHART = 'Charts need one more package: pip install "livetable[chart]"'


class Panels(Feature):
    """Opens and closes panels: one at the side, one chart below."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("i", "info", "Column info", tooltip="Show statistics of this column"),
        Binding("p", "chart(False)", "Chart", tooltip="Draw this column"),
        Binding("P", "chart(True)", "Chart over time", show=False),
        Binding("J", "scroll_panel(1)", "Panel down", show=False),
        Binding("K", "scroll_panel(-1)", "Panel up", show=False),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self._side: DetailPanel | InfoPanel | None = None
        self._chart: ChartPanel | None = None

    @property
    def is_open(self) -> bool:
        """Whether a panel is open."""
        return self._side is not None or self._chart is not None

    def on_painted(self, table: Table) -> None:
        """Show the panels what was painted."""
        self.show()

    def back(self) -> bool:
        """Close all panels."""
        if not self.is_open:
            return False
        for panel in (self._side, self._chart):
            if panel is not None:
                panel.remove()
        self._side = self._chart = None
        self.table_view.holds_row = False
        return True

    async def toggle_row(self) -> None:
        """Open the cursor's row beside the table, or close it."""
        from livetable.tui.widgets.panels.row_detail import DetailPanel

        await self._toggle_side(DetailPanel, lambda: DetailPanel(self.pane.history))

    async def action_info(self) -> None:
        """Open the statistics of the cursor's column, or close them."""
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
            # Else the panel would jump to another row when this one is no longer the first.
            self.table_view.holds_row = isinstance(self._side, DetailPanel)
            await self.pane.query_one(".livetable--body", Horizontal).mount(self._side)
            self.show()

    async def action_chart(self, over_time: bool) -> None:
        """Draw the cursor's column; on a further one both; on the same again nothing."""
        from livetable.tui.widgets.panels.chart import ChartPanel, available

        under = self.under_cursor()
        if under is None:
            return
        if not available():
            self.say(_NO_CHART, 5.0, warning=True)
            return
        ref = under[2]
        columns: list[ColumnRef] = [ref]
        before, self._chart = self._chart, None
        if before is not None:
            before.remove()
            if before.over_time == over_time:
                drawn = before.columns
                columns = [one for one in drawn if one != ref] if ref in drawn else [*drawn, ref]
        elif not self.pane.looks.is_numeric():
            return
        if columns:
            self._chart = ChartPanel(self.pane.history, columns, over_time)
            await self.pane.mount(self._chart)
            self.show()

    def action_scroll_panel(self, pages: int) -> None:
        """Scroll the panel at the side."""
        if self._side is not None:
            self._side.scroll_relative(y=pages * 5, animate=False)

    def show(self) -> None:
        """Show the open panels what is painted, and where the cursor is."""
        widget = self.table_view
        if widget.table is None:
            return
        for panel in (self._side, self._chart):
            if panel is not None and panel.is_mounted:
                panel.show(widget.table, widget.cursor_row, widget.cursor_column)
