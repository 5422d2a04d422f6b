"""The base of all features of a pane. A feature has keys, actions and hooks, e.g. `Sorting`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import BindingType

if TYPE_CHECKING:
    from livetable.tui.model.headings import ColumnRef
    from livetable.tui.model.table import Table
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.pane.state import PaneState
    from livetable.tui.widgets.table_view import TableView

T = TypeVar("T")


class Feature:
    """One feature of one pane. Its `action_…` methods become actions of the pane.

    The hooks do nothing here. A feature overrides those that it needs.

    Args:
        pane: The feature's pane. Features use each other through it.
    """

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, pane: FeaturePane) -> None:
        self.pane = pane

    @property
    def state(self) -> PaneState:
        """What the pane shows."""
        return self.pane.state

    @property
    def table_view(self) -> TableView:
        """The table on the screen."""
        return self.pane.table_view

    def under_cursor(self) -> tuple[Table, int, ColumnRef] | None:
        """Return the table on the screen, the cursor's column, and the reference of that column."""
        table, column = self.table_view.table, self.table_view.cursor_column
        if table is None or not 0 <= column < len(table.refs):
            return None
        return table, column, table.refs[column]

    def say(self, sentence: str, seconds: float = 3.0, *, warning: bool = False) -> None:
        """Show a notice. Pass text from a feed through `harmless` first."""
        self.pane.app.notify(
            sentence,
            timeout=seconds,
            severity="warning" if warning else "information",
            markup=False,
        )

    # -- hooks -------------------------------------------------------------------------------------

    def on_table(self, table: Table) -> None:
        """Called with each new table, whether it is shown or not."""

    def on_painted(self, table: Table) -> None:
        """Called with each painted table: arranged, with all columns."""

    def problems(self) -> Sequence[str]:
        """Return the problems with the shown table, a sentence for each."""
        return ()

    def idle_actions(self) -> frozenset[str]:
        """Return the actions that would do nothing now: the key line leaves them out."""
        return frozenset()

    def back(self) -> bool:
        """Close what Esc closes. Return whether anything was open."""
        return False

    def close(self) -> None:
        """End all work, because the pane closes. A second call does nothing."""


def bindings_of(*kinds: type[Feature]) -> list[BindingType]:
    """Return the key bindings of features, for the `BINDINGS` of their pane."""
    return [binding for kind in kinds for binding in kind.BINDINGS]


def following(values: Iterable[T], now: T) -> T:
    """Return the value that follows `now`. The first value follows the last."""
    ordered = list(values)
    return ordered[(ordered.index(now) + 1) % len(ordered)]
