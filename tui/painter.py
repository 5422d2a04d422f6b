"""Writes only what changed, past Textual's repaint: the one file on its private names.

Textual repaints whole lines. Between its own repaints it keeps no copy of the screen, so what is
written here need only be true to what it would have painted, and the lines be marked as dirty in
the widget's cache. What this leans on is checked at each step; wherever it is not as expected, or
anything else wants to repaint, `paint` says False and the caller refreshes the lines publicly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from livetable.tui.scene import Line, visible_part

if TYPE_CHECKING:
    from textual.widget import Widget

_GAP = 5  # unchanged characters that cost no more than moving the cursor over them
_SHORT = 24  # characters among which blanks worth leaping over are rare
_GLYPHS = "▲▼•–↑↓"


class Change(NamedTuple):
    """A line that differs.

    Attributes:
        y: Which line of the widget.
        before: What is on the screen.
        after: What should be.
    """

    y: int
    before: Line
    after: Line


class _Ink(NamedTuple):
    """A style as the terminal is told it.

    Attributes:
        foreground: The parameters that set its foreground, empty for the terminal's own.
        background: The parameters that set its background.
        flags: The parameters that set its attributes: bold, dim, and so on.
        blank: What can be seen of it on a space; two inks that agree in it paint the same space.
    """

    foreground: str
    background: str
    flags: frozenset[str]
    blank: tuple[Any, ...]


class Painter:
    """Paints changed cells of one widget.

    Args:
        widget: The widget; its content is lines of cells.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._inks: dict[int, _Ink] = {}
        self._layout: Any = None
        self._place: Region | None = None

    def forget_styles(self) -> None:
        """Make the inks anew: the theme or a style changed."""
        self._inks.clear()
        self._layout = None

    def paint(self, changes: Sequence[Change], fixed_width: int, style_of: Any) -> bool:
        """Write the changes, if the screen is as this expects.

        Args:
            changes: The lines that differ.
            fixed_width: Cells at the left that do not scroll.
            style_of: Returns the Rich style of a cell's look.

        Returns:
            Whether it did; if not, nothing was written.
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
        except AttributeError:  # another Textual: what is leaned on is not there
            return False
        return True

    def _may_write(self) -> Region | None:
        """Return where the widget's content is, None if Textual has something to paint first."""
        widget = self._widget
        app, screen = widget.app, widget.screen
        driver = app._driver
        if (
            driver is None
            or driver.is_headless
            or driver.is_inline
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
            # What else is about to be repainted must not lie over the content.
            overlaps = self._place.overlaps
            if any(map(overlaps, screen._compositor._dirty_regions)):
                return None
        return self._place

    def _find_place(self, visible: Any) -> Region | None:
        """Return where the content is, None if any of it is covered or cut."""
        widget = self._widget
        if widget not in visible or widget.opacity != 1.0:
            return None
        _, clipped = visible[widget]
        content = widget.scrollable_content_region  # of the screen
        if not clipped.contains_region(content) or not content:
            return None
        for other, (place, cut) in visible.items():  # the topmost first
            if other is widget:
                return content
            if other.parent is not widget and place.intersection(cut).overlaps(content):
                return None
        return None

    def _words(
        self, changes: Sequence[Change], place: Region, fixed_width: int, style_of: Any
    ) -> str | None:
        pen = _Pen()
        for y, before, after in changes:
            if y >= place.height:
                continue
            if len(before) != len(after):
                return None
            for was, cell in zip(before, after, strict=True):
                if was is cell or was == cell:
                    continue
                if was.x != cell.x or was.width != cell.width:
                    return None  # columns moved: more differs than cells
                start, end = visible_part(cell, fixed_width, place.width)
                if start >= end:
                    continue
                pen.go_to(place.y + y, place.x + cell.x + start)
                ink = self._ink(cell.look, style_of)
                if _is_simple(cell.text) and _is_simple(was.text):
                    blank = ink.blank == self._ink(was.look, style_of).blank
                    same_ink = was.look == cell.look
                    pen.draw(was.text[start:end], cell.text[start:end], ink, same_ink, blank)
                else:
                    text = cell.text
                    if (start, end) != (0, cell.width):
                        text = Strip([Segment(text)], cell.width).crop(start, end).text
                    pen.draw_whole(text, ink)
        return "".join(pen.words)

    def _ink(self, look: int, style_of: Any) -> _Ink:
        ink = self._inks.get(look)
        if ink is None:
            ink = self._inks[look] = self._make_ink(style_of(look))
        return ink

    def _make_ink(self, style: Style) -> _Ink:
        # Through Textual's own filters, or NO_COLOR and ANSI themes would look different here.
        widget = self._widget
        strip = Strip([Segment("X", style)])
        _, background = widget.background_colors
        for line_filter in widget.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        told = strip.render(widget.app.console).partition("X")[0]
        seen = next(iter(strip)).style or Style()
        blank = (seen.bgcolor, seen.underline, seen.reverse, seen.strike, seen.overline)
        return _Ink(*_parameters(told), blank)

    def _write(self, words: str) -> None:
        app = self._widget.app
        assert app._driver is not None
        if words:
            app._begin_update()
            app._driver.write(words + "\x1b[0m")
            app._end_update()
            app._driver.flush()


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29", "53": "55"}
"""What ends an attribute; bold and dim have one end between them."""


def _parameters(told: str) -> tuple[str, str, frozenset[str]]:
    """Return foreground, background and attributes of an escape sequence that sets a style."""
    parts = told[2:].rstrip("m").split(";") if told.startswith("\x1b[") else []
    foreground, background, flags = "", "", set()
    while parts:
        part = parts.pop(0)
        if part in ("38", "48"):
            count = 4 if parts[:1] == ["2"] else 2
            colour = ";".join([part, *parts[:count]])
            del parts[:count]
        else:
            colour = part
        if part == "38" or part[:-1] in ("3", "9"):
            foreground = colour
        elif part == "48" or part[:-1] in ("4", "10"):
            background = colour
        else:
            flags.add(part)
    return foreground, background, frozenset(flags)


@lru_cache(maxsize=4096)
def _change(before: _Ink | None, after: _Ink) -> str:
    """Return the shortest escape sequence from one style to another."""
    every = ["0", *sorted(after.flags), after.foreground, after.background]
    whole = ";".join(filter(None, every))
    if before is None:
        return f"\x1b[{whole}m"
    gone = before.flags - after.flags
    if not gone <= set(_OFF):
        return f"\x1b[{whole}m"
    ends = {_OFF[flag] for flag in gone}
    # What ends bold ends dim too.
    fresh = {flag for flag in after.flags if flag not in before.flags or _OFF.get(flag) in ends}
    parts = [*sorted(ends), *sorted(fresh)]
    if after.foreground != before.foreground:
        parts.append(after.foreground or "39")
    if after.background != before.background:
        parts.append(after.background or "49")
    least = ";".join(parts)
    return f"\x1b[{min(least, whole, key=len)}m"


class _Pen:
    """Escape sequences for runs of characters, as few bytes as can be."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._y = -1
        self._x = -1
        self._to: tuple[int, int] = (0, 0)
        self._ink: _Ink | None = None

    def go_to(self, y: int, x: int) -> None:
        """Draw from here on at a place on the screen."""
        self._to = (y, x)

    def draw_whole(self, text: str, ink: _Ink) -> None:
        """Draw a text whose width the terminal may see differently; address anew after it."""
        y, x = self._to
        self._run(y, x, text, ink)
        self._y = -1

    def draw(self, was: str, text: str, ink: _Ink, same_ink: bool, same_blank: bool) -> None:
        """Draw a text of simple characters where `was` is, leaving out what stays the same.

        Args:
            was: The text there.
            text: The new text, of the same length.
            ink: The new style.
            same_ink: Whether `was` has that style.
            same_blank: Whether a space looks the same in both styles.
        """
        y, x = self._to
        if not same_ink and len(text) <= _SHORT:  # all of it is drawn, but for blanks at the ends
            start, end = 0, len(text)
            if same_blank:
                start -= max(len(was.lstrip()), len(text.lstrip())) - end
                end = max(len(was.rstrip()), len(text.rstrip()))
            if start < end:
                self._run(y, x + start, text[start:end], ink)
            return
        start, end = -1, -1
        for at, (old, new) in enumerate(zip(was, text, strict=True)):
            if old == new and (same_ink or (same_blank and new == " ")):
                continue
            if start >= 0 and at - end > _GAP:
                self._run(y, x + start, text[start:end], ink)
                start = -1
            if start < 0:
                start = at
            end = at + 1
        if start >= 0:
            self._run(y, x + start, text[start:end], ink)

    def _run(self, y: int, x: int, text: str, ink: _Ink) -> None:
        if y != self._y:
            self.words.append(f"\x1b[{y + 1};{x + 1}H")
        elif x > self._x:
            step = x - self._x
            self.words.append(f"\x1b[{step}C" if step > 1 else "\x1b[C")
        elif x < self._x:
            self.words.append(f"\x1b[{x + 1}G")
        if ink is not self._ink and ink != self._ink:
            self.words.append(_change(self._ink, ink))
            self._ink = ink
        self.words.append(text)
        self._y, self._x = y, x + len(text)


def _is_simple(text: str) -> bool:
    """Tell whether each character of a cell's text takes one cell of the terminal."""
    return text.isascii() or (text[:-1].isascii() and text[-1] in _GLYPHS)
