"""Which rows start to match a condition: ``price > 9``, or ``price > 9 until price < 8``. Pure.

A row, identified by its key, is reported once; again only after it has stopped matching or, with
``until``, after it has matched the second condition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from livetable.tui.model.table import Table
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.quoting import outside_quotes

_UNTIL: Final = " until "


@dataclass(slots=True)
class Watch:
    """One condition, and which rows match it.

    Attributes:
        text: The condition, optionally with ``until`` and a second condition.
        problem: Why it can't be applied, None if it can.
    """

    text: str
    problem: str | None = None
    _on: set[Any] = field(default_factory=set)

    @property
    def conditions(self) -> tuple[str, str | None]:
        """The condition that starts an alert, and the one that ends it (None: not matching)."""
        start = outside_quotes(self.text, _UNTIL)
        if start < 0:
            return self.text.strip(), None
        return self.text[:start].strip(), self.text[start + len(_UNTIL) :].strip()

    def check(self, table: Table) -> np.ndarray[Any, Any]:
        """Return the rows of the frame that start to match with this state."""
        from livetable.tui.query.arrange import parsed
        from livetable.tui.query.evaluate import mask_of

        begin, end = self.conditions
        everything = table.arranged(None).undressed
        try:
            mask = mask_of(parsed(begin, everything.titles), everything, table.frame_rows)
            off = ~mask
            if end is not None:
                off = mask_of(parsed(end, everything.titles), everything, table.frame_rows)
        except BadExpression as error:
            self.problem = f"{self.text}: {error.sentence}"
            return np.empty(0, dtype=np.int64)
        self.problem = None
        if table.unfinished is not None and table.unfinished < len(mask):
            mask = mask.copy()
            mask[table.unfinished] = False  # an incomplete line may hold half a number
        rows = np.flatnonzero(mask)
        names = dict(zip(_names(table, rows), rows.tolist(), strict=True))
        fresh = np.array([row for name, row in names.items() if name not in self._on], np.int64)
        if self._on:
            held = np.flatnonzero(~off) if end is not None else rows
            self._on &= set(_names(table, held))
        self._on |= names.keys()
        return fresh


def check_alert(
    text: str, titles: tuple[str, ...] | None = None, types: tuple[Any, ...] | None = None
) -> None:
    """Check that a condition can be parsed and applied.

    Args:
        text: The condition.
        titles: The columns' titles; None: unknown.
        types: Their types; None: unknown.

    Raises:
        BadExpression: it can't be.
    """
    from livetable.tui.query.arrange import check_condition
    from livetable.tui.query.expression import parse

    watch = Watch(text)
    for part in watch.conditions:
        if part is not None and titles is None:
            parse(part, None)
        elif part is not None and titles is not None:
            check_condition(part, titles, types)


def _names(table: Table, rows: np.ndarray[Any, Any]) -> list[Any]:
    """Return the rows' keys, or their positions without a key."""
    if not table.is_keyed or not len(rows):
        return list(rows.tolist())
    from livetable.feed.arrow.arrays import rows_array

    key = table.arranged(None).keys.values().take(rows_array(rows))
    return list(map(_name, key.to_pylist()))


def _name(key: Any) -> Any:
    """Return a key as a set's element: hashable, and NaN equal to NaN."""
    return str(key) if isinstance(key, dict | list) or key != key else key
