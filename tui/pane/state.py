"""What one pane shows: what the person chose, and which state of the table. Features share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from livetable.tui.query.column_choice import AS_IT_CAME, ColumnChoice

if TYPE_CHECKING:
    from livetable.tui.model.table import Table
    from livetable.tui.query.arrange import Arrangement
    from livetable.tui.query.rules import Rule


@dataclass(slots=True)
class PaneState:
    """The choices of one pane. Only the event loop writes it.

    Attributes:
        base: The table that is shown: all its rows in the feed's order, with computed columns.
        arranged: `base`, filtered, sorted and grouped, with all its columns.
        arrangement: The filters, the sort and the groups. None until the person chose any.
        columns: Which columns are shown, in which order and style.
        rules: What gives rows a colour.
        needle: The text that is searched for, empty for none.
        standing: The number in the history of the state that is shown. None while it is the newest.
        rewound: Whether `standing` is a state that was gone back to, not the one it was paused at.
        since_mark: How many rows changed since the mark, as a text. Empty without a mark.
    """

    base: Table | None = None
    arranged: Table | None = None
    arrangement: Arrangement | None = None
    columns: ColumnChoice = AS_IT_CAME
    rules: tuple[Rule, ...] = ()
    needle: str = ""
    standing: int | None = None
    rewound: bool = False
    since_mark: str = ""

    def chosen(self) -> Arrangement:
        """Return the arrangement: a plain one if the person chose none."""
        from livetable.tui.query.arrange import PLAIN  # late: it takes as long as the first paint

        return self.arrangement or PLAIN
