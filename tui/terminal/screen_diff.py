"""Remembers what the terminal shows; computes the shortest output that changes it to a new screen.

Textual writes whole lines, and at the start the whole screen several times, which takes seconds on
a slow line. Here a screen costs only its differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from livetable.tui.terminal.pen import GAP, Ink, Pen, ink_of

_ERASED: Final = 9  # from this many blanks on, erasing is shorter than writing
_MOST_INKS: Final = 4096
_LEAST_SCROLLED: Final = 4  # from this many lines on, scrolling is shorter than drawing

Row = tuple[tuple[str, Ink], ...]
_Cell = tuple[str, Ink]


class Front:
    """The lines that the terminal shows.

    Args:
        erases: Whether erasing fills with the current background (bce).
    """

    def __init__(self, *, erases: bool) -> None:
        self._erases = erases
        self._inks: dict[Style, Ink] = {}
        self._rows: list[Row | None] = []
        self._plain: Ink | None = None

    def forget(self) -> None:
        """Assume nothing about the screen: something else has written on it."""
        self._rows = []

    def clear(self, width: int, height: int, console: Console) -> None:
        """Assume a blank screen."""
        self._plain = ink_of(Style.null(), console)
        self._rows = [((" " * width, self._plain),)] * height

    def paint(self, lines: Sequence[Iterable[Segment]], console: Console) -> str:
        """Return the output that makes the terminal show these lines.

        Args:
            lines: All lines of the screen, each as wide as the screen.
            console: Renders the styles.
        """
        rows = [self._row(line, console) for line in lines]
        before: list[Row | None] = self._rows
        if len(before) != len(rows) or _width_of(before) not in (None, _width_of(rows)):
            before = [None] * len(rows)
        pen = Pen()
        if None not in before:
            before = _scrolled(before, rows, pen)
        for y, (was, row) in enumerate(zip(before, rows, strict=True)):
            if was is not row and was != row:
                self._draw(pen, y, None if was is None else _cells(was), _cells(row))
        self._rows = list(rows)
        return "".join((*pen.words, "\x1b[0m")) if pen.words else ""

    def _row(self, line: Iterable[Segment], console: Console) -> Row:
        row: list[tuple[str, Ink]] = []
        for text, style, control in line:
            if control or not text:
                continue
            ink = self._ink(style or Style.null(), console)
            if row and row[-1][1] is ink:
                row[-1] = (row[-1][0] + text, ink)
            else:
                row.append((text, ink))
        return tuple(row)

    def _ink(self, style: Style, console: Console) -> Ink:
        ink = self._inks.get(style)
        if ink is None:
            if len(self._inks) > _MOST_INKS:
                self._inks.clear()
            ink = self._inks[style] = ink_of(style, console)
        return ink

    def _draw(self, pen: Pen, y: int, was: list[_Cell] | None, row: list[_Cell]) -> None:
        for start, end in _runs(was, row):
            x = start
            while x < end:
                x = self._draw_part(pen, y, x, end, row)

    def _draw_part(self, pen: Pen, y: int, x: int, end: int, row: list[_Cell]) -> int:
        """Draw the next cells of one style, or blanks; return where they end."""
        text, ink = row[x]
        if text == " ":
            stop = _blank_until(row, x, end)
            if self._erases and stop - x >= _ERASED and not (ink.flags & _SEEN_ON_BLANKS):
                pen.draw_blanks(y, x, stop - x, ink, to_the_end=stop == len(row))
                return stop
            if pen.ink is not None and pen.ink.blank == ink.blank:
                ink = pen.ink  # looks the same on a space, and needs no sequence
            pen.draw_run(y, x, " " * (stop - x), ink)
            return stop
        stop = x + 1
        while stop < end and row[stop][1] is ink and row[stop][0] != " ":
            stop += 1
        words = "".join(one for one, _ in row[x:stop])
        pen.draw_run(y, x, words, ink)
        if not words.isascii():
            pen.lose_place()
        return stop


_SEEN_ON_BLANKS: Final = frozenset({"4", "7", "9", "21", "53"})


def _width_of(rows: Sequence[Row | None]) -> int | None:
    first = next((row for row in rows if row is not None), None)
    return None if first is None else sum(cell_len(text) for text, _ in first)


def _cells(row: Row) -> list[_Cell]:
    """Return a line's cells; the second half of a wide character is an empty text."""
    cells: list[_Cell] = []
    for text, ink in row:
        if text.isascii():
            cells += [(character, ink) for character in text]
            continue
        for character in text:
            width = cell_len(character)
            if width == 0 and cells:
                last = len(cells) - (2 if cells[-1][0] == "" and len(cells) > 1 else 1)
                cells[last] = (cells[last][0] + character, cells[last][1])
            else:
                cells.append((character, ink))
                cells += [("", ink)] * (width - 1)
    return cells


def _same(old: _Cell, new: _Cell) -> bool:
    if old[0] != new[0]:
        return False
    return old[1] is new[1] or old[1] == new[1] or (new[0] == " " and old[1].blank == new[1].blank)


def _runs(was: list[_Cell] | None, row: list[_Cell]) -> list[tuple[int, int]]:
    """Return the ranges to draw; none cuts a wide character."""
    if was is None or len(was) != len(row):
        return [(0, len(row))]
    runs: list[list[int]] = []
    for x, (old, new) in enumerate(zip(was, row, strict=True)):
        if _same(old, new):
            continue
        start = x
        while start and (row[start][0] == "" or was[start][0] == ""):
            start -= 1
        end = x + 1
        while end < len(row) and (row[end][0] == "" or was[end][0] == ""):
            end += 1
        if runs and start - runs[-1][1] <= GAP and _is_short_way(row, runs[-1][1], start):
            runs[-1][1] = max(end, runs[-1][1])
        else:
            runs.append([start, end])
    return [(start, end) for start, end in runs]


def _is_short_way(row: list[_Cell], start: int, end: int) -> bool:
    """Tell whether to redraw the unchanged cells between two ranges."""
    if end <= start:
        return True
    ink = row[start - 1][1]
    return all(
        one.isascii() and (this is ink or (one == " " and this.blank == ink.blank))
        for one, this in row[start:end]
    )


def _blank_until(row: list[_Cell], x: int, end: int) -> int:
    """Return the end of the blanks that look like the first one."""
    blank = row[x][1].blank
    while x < end and row[x][0] == " " and row[x][1].blank == blank:
        x += 1
    return x


def _scrolled(before: list[Row | None], rows: list[Row], pen: Pen) -> list[Row | None]:
    """Scroll lines that have moved; return what the terminal shows after that."""
    best = (0, 0, 0)  # lines saved, the first of them, by how many lines they moved up
    stays = [old == new for old, new in zip(before, rows, strict=True)]
    places: dict[Row, list[int]] = {}
    for y, new in enumerate(rows):
        if len(new) > 1 or (new and new[0][0].strip()):
            places.setdefault(new, []).append(y)
    shifts: dict[int, int] = {}
    for y, old in enumerate(before):
        for to in places.get(old, ()) if old is not None else ():
            if to != y and not stays[to]:
                shifts[y - to] = shifts.get(y - to, 0) + 1
    for by in sorted(shifts, key=lambda one: -shifts[one])[:4]:
        best = max(best, _longest(before, rows, stays, by), key=lambda one: one[0])
    gain, first, by = best
    if gain < _LEAST_SCROLLED:
        return before
    last = first
    while last < len(rows) and 0 <= last + by < len(rows) and before[last + by] == rows[last]:
        last += 1
    top, bottom = (first, last + by) if by > 0 else (first + by, last)
    # In the scroll region, `by` lines leave at one end and blank lines enter at the other.
    pen.words.append(
        f"\x1b[{top + 1};{bottom}r\x1b[{top + 1}H\x1b[{abs(by)}{'M' if by > 0 else 'L'}"
    )
    pen.words.append("\x1b[r")
    pen.lose_place()
    after: list[Row | None] = list(before)
    moved: list[Row | None] = list(before[top:bottom])
    if by > 0:
        after[top:bottom] = [*moved[by:], *([None] * by)]
    else:
        after[top:bottom] = [*([None] * -by), *moved[:by]]
    return after


def _longest(
    before: list[Row | None], rows: list[Row], stays: list[bool], by: int
) -> tuple[int, int, int]:
    """Return the best range of lines that moved up by `by`: lines saved, first line, `by`."""
    best = (0, 0, by)
    gain = first = 0
    for y in range(len(rows) + 1):
        if y < len(rows) and 0 <= y + by < len(rows) and before[y + by] == rows[y]:
            if not gain:
                first = y
            gain += not stays[y]
        else:
            best = max(best, (gain - abs(by), first, by), key=lambda one: one[0])
            gain = 0
    return best
