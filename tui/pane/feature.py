"""One thing that a person can do with a table: its keys, its actions, its part in the pane."""

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
    """Belongs to one pane. The pane offers each `action_…` of it as its own.

    The hooks do nothing here: a feature has those that it needs.

    Args:
        pane: The pane it belongs to. Features use each other through it.
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
        """Return the table on the screen, the cursor's column in it, and that column's name."""
        table, column = self.table_view.table, self.table_view.cursor_column
        if table is None or not 0 <= column < len(table.refs):
            return None
        return table, column, table.refs[column]

    def say(self, sentence: str, seconds: float = 3.0, *, warning: bool = False) -> None:
        """Show a notice. Texts of a feed go through `harmless` first."""
        self.pane.app.notify(
            sentence,
            timeout=seconds,
            severity="warning" if warning else "information",
            markup=False,
        )

    # -- hooks -------------------------------------------------------------------------------------

    def on_table(self, table: Table) -> None:
        """Take notice of a table that came, shown or not."""

    def on_painted(self, table: Table) -> None:
        """Take notice of a table that was painted: with all columns, as it was arranged."""

    def problems(self) -> Sequence[str]:
        """Return what can't be done with the table that is shown, a sentence each."""
        return ()

    def idle_actions(self) -> frozenset[str]:
        """Return the actions that have nothing to do now: the key line leaves them out."""
        return frozenset()

    def back(self) -> bool:
        """Close what Esc closes; tell whether there was anything."""
        return False

    def close(self) -> None:
        """End all work: the pane goes. A second call does nothing."""


def bindings_of(*kinds: type[Feature]) -> list[BindingType]:
    """Return the keys of features, for the `BINDINGS` of a pane that has them."""
    return [binding for kind in kinds for binding in kind.BINDINGS]


def following(values: Iterable[T], now: T) -> T:
    """Return the value after one of several; the first one after the last."""
    several = list(values)
    return several[(several.index(now) + 1) % len(several)]
