"""The state of one pane: the user's choices and the shown table. Its features share it."""

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
    """The user's choices and the shown table. Only the event loop may write it.

    Attributes:
        base: The table that is shown: all its rows in the feed's order, with computed columns.
        arranged: `base`, filtered, sorted and grouped, with all its columns.
        arrangement: The filters, the sort and the groups. None until the user chose any.
        columns: Which columns are shown, in which order and style.
        rules: The rules that colour rows.
        needle: The text to search for, empty for none.
        paused_at: The shown state's number in the history. None while the table is live.
        rewound: Whether the user went back in time, instead of only pausing.
        since_mark: What changed since the mark, as text. Empty without a mark.
    """

    base: Table | None = None
    arranged: Table | None = None
    arrangement: Arrangement | None = None
    columns: ColumnChoice = AS_IT_CAME
    rules: tuple[Rule, ...] = ()
    needle: str = ""
    paused_at: int | None = None
    rewound: bool = False
    since_mark: str = ""

    def chosen(self) -> Arrangement:
        """Return the arrangement, a plain one if the user chose none."""
        from livetable.tui.query.arrange import PLAIN  # late: as slow as the whole first paint

        return self.arrangement or PLAIN
