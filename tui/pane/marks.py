"""Mark a state of the table, and show what differs from it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane

_REMOVED_NAMED = 5


class Marks(Feature):
    """Holds one mark; counts the rows that changed, came and went since."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("m", "mark", "Mark", tooltip="Mark this state, to show changes from now on"),
        Binding("M", "unmark", "No mark", show=False),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self._is_counting = False

    def on_painted(self, table: Table) -> None:
        """Count again."""
        if self.pane.history.marked is not None:
            self._count()

    def action_mark(self) -> None:
        """Mark from now on whatever differs from what is shown now."""
        if self.state.base is not None:
            self._set(self.state.base.arranged(None))
            self._count()

    def action_unmark(self) -> None:
        """Mark nothing any more."""
        self._set(None)

    def _set(self, table: Table | None) -> None:
        self.pane.history.marked = table
        self.table_view.marked = table
        self.state.since_mark = ""
        self.pane.view.say(self.table_view.table)

    def _count(self) -> None:
        """Count in a thread which rows differ from the mark."""
        base, then = self.state.base, self.pane.history.marked
        if base is None or then is None or self._is_counting:
            return
        self._is_counting = True

        def run() -> None:
            from livetable.tui.query.row_match import came_and_went, changed_rows
            from livetable.tui.text.clock import wall_text

            try:
                added, removed, names = came_and_went(base, then, _REMOVED_NAMED)
                more = ", …" if removed > len(names) else ""
                which = f" ({', '.join(names)}{more})" if removed else ""
                changed = len(changed_rows(base, then))
                said = f"{changed:,} changed · {added:,} added · {removed:,} removed{which}"
            except Exception as error:  # from Arrow, for a type that nobody thought of
                said = harmless(f"Can't compare with the mark: {error!r:.100}")
            clock = wall_text(then.sent + self.pane.history.to_wall)[:8]
            self.pane.app.call_from_thread(self._counted, f"{clock}  {said}")

        self.pane.run_worker(run, group="mark", thread=True, exit_on_error=False)

    def _counted(self, said: str) -> None:
        self._is_counting = False
        marked = self.pane.history.marked is not None
        if self.pane.is_attached and marked and said != self.state.since_mark:
            self.state.since_mark = said
            self.pane.view.say(self.table_view.table)
