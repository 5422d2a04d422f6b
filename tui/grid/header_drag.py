"""Dragging a header: its right edge resizes the column, the rest moves it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from livetable.tui.grid.layout import Layout
from livetable.tui.text.column_style import LEAST_WIDTH


@dataclass(frozen=True, slots=True)
class Drag:
    """A header that is being dragged.

    Attributes:
        column: The column.
        x: Where the drag started, in screen cells.
        width: The column's width at the start.
        resizes: Whether the drag started at the right edge.
    """

    column: int
    x: int
    width: int
    resizes: bool

    @classmethod
    def start(cls, layout: Layout, x: int, left: int) -> Drag | None:
        """Return the drag that starts at a screen cell, None if there is no column."""
        column = layout.column_at(x, left)
        if column is None:
            return None
        width = layout.formats[column].width
        place = x if x < layout.fixed_width else x + left
        # The edge is the gap of two cells between this column and the next.
        resizes = place >= layout.starts[column] + width
        return cls(column, x, width, resizes)

    def wide(self, x: int) -> int:
        """Return the column's new width with the mouse at a screen cell."""
        return max(LEAST_WIDTH, self.width + x - self.x)

    def step(self, layout: Layout, x: int, left: int) -> int:
        """Return by how many columns to move it to the right, when dropped at a screen cell."""
        to = layout.column_at(x, left)
        if to is None:
            to = len(layout.formats) - 1 if x > self.x else self.column
        # Frozen columns are only moved among themselves, and so are the others.
        first, last = (
            (0, layout.fixed - 1) if self.column < layout.fixed
            else (layout.fixed, len(layout.formats) - 1)
        )  # fmt: skip
        return min(max(to, first), last) - self.column
