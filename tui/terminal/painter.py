"""Writes only changed cells, bypassing Textual's repaint with its private names.

Textual repaints whole lines. It keeps no copy of the screen, so it is enough to write what it would
have painted, and to mark the lines as dirty in the widget's cache. All assumptions are checked on
each call: if one does not hold, or Textual is about to repaint anyway, `paint` returns False and
the caller refreshes the lines in the public way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.dom import NoScreen
from textual.geometry import Region
from textual.strip import Strip

from livetable.tui.grid.cells import Line
from livetable.tui.grid.layout import visible_part
from livetable.tui.terminal.pen import Ink, Pen, ink_of, is_simple

if TYPE_CHECKING:
    from textual.widget import Widget


class Change(NamedTuple):
    """A changed line.

    Attributes:
        y: Its number in the widget.
        before: What the screen shows.
        after: What it should show.
    """

    y: int
    before: Line
    after: Line


class Painter:
    """Paints the changed cells of one widget.

    Args:
        widget: The widget, whose content consists of lines of cells.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._inks: dict[int, Ink] = {}
        self._layout: Any = None
        self._place: Region | None = None

    def forget_styles(self) -> None:
        """Drop the cached inks: the theme or a style changed."""
        self._inks.clear()
        self._layout = None

    def paint(self, changes: Sequence[Change], fixed_width: int, style_of: Any) -> bool:
        """Write the changes if all assumptions hold.

        Args:
            changes: The changed lines.
            fixed_width: Width of the frozen columns.
            style_of: Returns the Rich style of a look.

        Returns:
            Whether they were written; if not, nothing was.
        """
        try:
            place = self._may_write()
            if place is None:
                return False
            words = self._words(changes, place, fixed_width, style_of)
            if words is None:
                return False
            self._write(words)
            width = self._widget.size.width
            self._widget._styles_cache.set_dirty(
                *(Region(0, change.y, width, 1) for change in changes)
            )
        except (
            AttributeError,
            NoScreen,
        ):  # another Textual, or removed
            return False
        return True

    def _may_write(self) -> Region | None:
        """Return the widget's region on the screen, None if Textual must paint first."""
        widget = self._widget
        app, screen = widget.app, widget.screen
        driver = app._driver
        if (
            driver is None
            or driver.is_headless
            or driver.is_inline
            or getattr(driver, "is_careful", False)
            or not app._running
            or app._closed
            or app._batch_count
            or not screen.is_current
            or screen._layout_required
            or screen._scroll_required
            or screen._repaint_required
            or not screen._dirty_widgets.isdisjoint((widget, screen))
            or widget._layout_required
            or widget._scroll_required
            or widget._repaint_required
            or widget._repaint_regions
        ):
            return None
        visible = screen._compositor.visible_widgets
        if visible is not self._layout:
            self._layout = visible
            self._place = self._find_place(visible)
        if self._place is not None:
            # Regions that are about to be repainted must not overlap the content.
            overlaps = self._place.overlaps
            if any(map(overlaps, screen._compositor._dirty_regions)):
                return None
        return self._place

    def _find_place(self, visible: Any) -> Region | None:
        """Return the content's region, None if it is partly covered or cut off."""
        widget = self._widget
        if widget not in visible or widget.opacity != 1.0:
            return None
        _, clipped = visible[widget]
        content = widget.scrollable_content_region  # in screen coordinates
        if not clipped.contains_region(content) or not content:
            return None
        for other, (place, cut) in visible.items():  # topmost first
            if other is widget:
                return content
            if other.parent is not widget and place.intersection(cut).overlaps(content):
                return None
        return None

    def _words(
        self, changes: Sequence[Change], place: Region, fixed_width: int, style_of: Any
    ) -> str | None:
        pen = Pen()
        for y, before, after in changes:
            if y >= place.height:
                continue
            if len(before) != len(after):
                return None
            for was, cell in zip(before, after, strict=True):
                if was is cell or was == cell:
                    continue
                if was.x != cell.x or was.width != cell.width:
                    return None  # columns have moved
                start, end = visible_part(cell, fixed_width, place.width)
                if start >= end:
                    continue
                pen.go_to(place.y + y, place.x + cell.x + start)
                ink = self._ink(cell.look, style_of)
                if is_simple(cell.text) and is_simple(was.text):
                    blank = ink.blank == self._ink(was.look, style_of).blank
                    same_ink = was.look == cell.look
                    pen.draw(was.text[start:end], cell.text[start:end], ink, same_ink, blank)
                else:
                    text = cell.text
                    if (start, end) != (0, cell.width):
                        text = Strip([Segment(text)], cell.width).crop(start, end).text
                    pen.draw_whole(text, ink)
        return "".join(pen.words)

    def _ink(self, look: int, style_of: Any) -> Ink:
        ink = self._inks.get(look)
        if ink is None:
            ink = self._inks[look] = self._make_ink(style_of(look))
        return ink

    def _make_ink(self, style: Style) -> Ink:
        # Apply Textual's filters, or NO_COLOR and ANSI themes would look different here.
        widget = self._widget
        strip = Strip([Segment("X", style)])
        _, background = widget.background_colors
        for line_filter in widget.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return ink_of(next(iter(strip)).style or Style(), widget.app.console)

    def _write(self, words: str) -> None:
        app = self._widget.app
        assert app._driver is not None
        if words:
            app._begin_update()
            app._driver.write(words + "\x1b[0m")
            app._end_update()
            app._driver.flush()
