"""The features of a `LiveTable` by the names that programs choose them by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from livetable.tui.pane.alerts import Alerts
from livetable.tui.pane.column_looks import ColumnLooks
from livetable.tui.pane.columns import Columns
from livetable.tui.pane.computed_columns import ComputedColumns
from livetable.tui.pane.copy_export import CopyExport
from livetable.tui.pane.feature import Feature
from livetable.tui.pane.filters import Filters
from livetable.tui.pane.groups import Groups
from livetable.tui.pane.marks import Marks
from livetable.tui.pane.panels import Panels
from livetable.tui.pane.rules import Rules
from livetable.tui.pane.search import Search
from livetable.tui.pane.sorting import Sorting
from livetable.tui.pane.time_travel import TimeTravel

KINDS: Final[dict[str, tuple[type[Feature], ...]]] = {
    "sort": (Sorting,),
    "filter": (Filters,),
    "search": (Search,),
    "columns": (Columns, ColumnLooks, ComputedColumns, Rules),
    "groups": (Groups,),
    "history": (TimeTravel, Marks),
    "copy": (CopyExport,),
    "panels": (Panels,),
    "alerts": (Alerts,),
}
"""What each feature's name stands for."""


def kinds_of(features: Iterable[str]) -> frozenset[type[Feature]]:
    """Return the features that names stand for.

    Raises:
        ValueError: a name is unknown; it lists those that are known.
    """
    known = ", ".join(KINDS)
    try:
        chosen = [features] if isinstance(features, str) else list(features)
    except TypeError:
        raise ValueError(f"features={features!r:.60}: the features are {known}") from None
    for name in chosen:
        if name not in KINDS:
            raise ValueError(f"features={name!r:.60}: the features are {known}")
    return frozenset(kind for name in chosen for kind in KINDS[name])
