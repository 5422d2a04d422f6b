"""A header that is dragged: by its right edge the column is made wider, else it is moved. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from livetable.tui.grid.layout import Layout
from livetable.tui.text.column_style import LEAST_WIDTH


@dataclass(frozen=True, slots=True)
class Drag:
    """A header that is held with the mouse.

    Attributes:
        column: The column.
        x: The cell of the screen's line where it was taken.
        width: The column's width then.
        resizes: Whether it was taken by its right edge.
    """

    column: int
    x: int
    width: int
    resizes: bool

    @classmethod
    def start(cls, layout: Layout, x: int, left: int) -> Drag | None:
        """Return what is taken at a cell of the screen's line, None if there is no column."""
        column = layout.column_at(x, left)
        if column is None:
            return None
        width = layout.formats[column].width
        place = x if x < layout.fixed_width else x + left
        # The two cells between this column and the next: the edge, as people see it.
        resizes = place >= layout.starts[column] + width
        return cls(column, x, width, resizes)

    def wide(self, x: int) -> int:
        """Return how wide the column is to be with the mouse at a cell."""
        return max(LEAST_WIDTH, self.width + x - self.x)

    def step(self, layout: Layout, x: int, left: int) -> int:
        """Return how many columns to move it to the right, where the mouse let it go."""
        to = layout.column_at(x, left)
        if to is None:
            to = len(layout.formats) - 1 if x > self.x else self.column
        # Fixed columns stay among themselves, the others too.
        first, last = (
            (0, layout.fixed - 1) if self.column < layout.fixed
            else (layout.fixed, len(layout.formats) - 1)
        )  # fmt: skip
        return min(max(to, first), last) - self.column
