"""The visible window of a table as lines of cells: text, place and style. No Textual.

A scene is what the screen should show; two scenes differ exactly where the screen must change.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import accumulate, compress
from operator import ne
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import ColumnFormat, fit, width_of
from livetable.tui.text.column_style import PLAIN_STYLE, ColumnStyle, Shade
from livetable.tui.text.rounding import SIGN

FLASH_SECONDS: Final = 0.9
"""How long a changed cell shows that it changed."""

FADE_SECONDS: Final = 0.45
"""How long of that it does so faintly, if few cells change at once."""

_FEW: Final = 40  # cells of a paint: where more change, fading would be half of all painting

_SAMPLE: Final = 64  # rows whose values decide a column's first width and digits


class Look(IntFlag):
    """What a cell's style is made of."""

    PLAIN = 0
    FIXED = 1
    NULL = 2
    UP = 4
    DOWN = 8
    CHANGED = 16
    CURSOR = 32
    CURSOR_ROW = 64
    STALE = 128
    HEADER = 256
    CURSOR_COLUMN = 512
    MATCH = 1024
    MARKED = 2048
    NEW = 4096
    PICKED = 1 << 19
    FAINT = 1 << 20
    HEAT_1 = 1 << 13
    HEAT_2 = 2 << 13
    HEAT_4 = 4 << 13
    RULE_1 = 1 << 16
    RULE_2 = 2 << 16
    RULE_4 = 4 << 16


HEAT_LEVELS: Final = 7
RULE_LEVELS: Final = 7


# Plain numbers: the operators of an IntFlag take longer than all the rest of a paint.
_FIXED: Final = int(Look.FIXED)
_NULL: Final = int(Look.NULL)
_UP: Final = int(Look.UP)
_DOWN: Final = int(Look.DOWN)
_CHANGED: Final = int(Look.CHANGED)
_CURSOR: Final = int(Look.CURSOR)
_CURSOR_ROW: Final = int(Look.CURSOR_ROW)
_STALE: Final = int(Look.STALE)
_HEADER: Final = int(Look.HEADER)
_CURSOR_COLUMN: Final = int(Look.CURSOR_COLUMN)
_MATCH: Final = int(Look.MATCH)
_MARKED: Final = int(Look.MARKED)
_NEW: Final = int(Look.NEW)
_PICKED: Final = int(Look.PICKED)
_FAINT: Final = int(Look.FAINT)
_HEAT_SHIFT: Final = 13
_RULE_SHIFT: Final = 16

_GLYPHS: Final = {_UP: "▲", _DOWN: "▼", _CHANGED: "•"}
_UNKNOWN: Final = object()


class Cell(NamedTuple):
    """A stretch of a line.

    Attributes:
        x: Where it starts, in cells from the table's left edge.
        width: How many cells it takes.
        text: What stands there, exactly `width` cells.
        look: Its style.
    """

    x: int
    width: int
    text: str
    look: int


Line = tuple[Cell, ...]
_Flashes = dict[int, tuple[float, int, bool]]
"""By column: when it ends, its look, and whether a faint one follows."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """The part of a table that is in sight.

    Attributes:
        top: The first row.
        height: Rows in sight, the header not counted.
        left: Cells that the scrolling columns are scrolled by.
        width: Cells in sight.
    """

    top: int
    height: int
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the cursor is.

    Attributes:
        row: Its row, -1 for none.
        column: Its column.
        whole_row: Whether it marks the row alone.
    """

    row: int = -1
    column: int = -1
    whole_row: bool = False


@dataclass(slots=True)
class _Seen:
    """What a row showed last.

    Attributes:
        columns: Which columns were in sight.
        values: Their values.
        line: The cells made of them.
        look: What all of them look like.
        cursor: Which column the cursor was in, -1 for none.
        flash_end: Until when none of the flashes ends.
        flashes: When which column's flash ends, and its look.
        then: What it held at the mark, None if it was not there, or there is no mark.
        known: Whether `then` was looked up for these columns.
    """

    columns: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    line: Line = ()
    look: int = -1
    cursor: int = -1
    flash_end: float = math.inf
    flashes: _Flashes = field(default_factory=dict)
    then: tuple[Any, ...] | None = None
    known: tuple[int, ...] | None = None


class Layout:
    """Formats and places of a table's columns; kept while the columns stay the same.

    Args:
        table: A table with these columns; a sample of its rows decides the first widths.
        before: The layout of a table with other columns, whose widths are kept by title and type.
        styles: How the person wants columns written.
    """

    def __init__(
        self,
        table: Table,
        before: Layout | None = None,
        styles: Mapping[ColumnRef, ColumnStyle] = MappingProxyType({}),
    ) -> None:
        self.styles = styles
        self.titles = table.titles
        self.types = table.types
        self.fixed = table.fixed
        known = {}
        if before is not None:
            known = {
                (title, kind, form.style): form
                for title, kind, form in zip(
                    before.titles, before.types, before.formats, strict=True
                )
            }
        self.version = 0
        self.formats: list[ColumnFormat] = []
        for at, (title, kind) in enumerate(zip(self.titles, self.types, strict=True)):
            style = styles.get(table.refs[at], PLAIN_STYLE) if styles else PLAIN_STYLE
            form = known.pop((title, kind, style), None)
            if form is None:
                form = ColumnFormat(kind, style)
                form.rounds = table.headings.columns[at].rounded
                form.width = style.width or min(width_of(title), form.max_width)
            self._sample(form, table, at)
            self.formats.append(form)
        self._place()

    def fits(self, table: Table, styles: Mapping[ColumnRef, ColumnStyle]) -> bool:
        """Tell whether the table has these columns, written in these ways."""
        return (
            self.titles == table.titles
            and self.types == table.types
            and self.fixed == table.fixed
            and self.styles == styles
        )

    def grow(self) -> None:
        """Place the columns anew after a format grew."""
        self._place()

    def visible(self, left: int, width: int) -> range:
        """Return the scrolling columns of which at least a cell is in sight."""
        first = bisect_right(self.starts, self.fixed_width + left) - 1
        last = bisect_right(self.starts, left + max(width, self.fixed_width + 1) - 1) - 1
        return range(max(first, self.fixed), min(last + 1, len(self.formats)))

    def column_at(self, x: int, left: int) -> int | None:
        """Return the column at a cell of the screen's line, None beyond the last one."""
        place = x if x < self.fixed_width else x + left
        column = bisect_right(self.starts, place) - 1
        return column if 0 <= column < len(self.formats) and place < self.total else None

    def left_for(self, column: int, left: int, width: int) -> int:
        """Return the scroll that shows a column wholly, as near to `left` as can be."""
        if column < self.fixed or column >= len(self.formats):
            return left
        start = self.starts[column] - self.fixed_width
        end = start + self.formats[column].width + 2
        room = max(1, width - self.fixed_width)
        if left < end - room:  # to where a column begins: what is cut at its left reads as another
            first = bisect_left(self.starts, self.fixed_width + end - room)
            left = self.starts[min(first, column)] - self.fixed_width
        return max(0, min(left, start))

    def _place(self) -> None:
        self.version += 1
        widths = [form.width + 2 for form in self.formats]
        self.starts = [0, *accumulate(widths)][:-1] or [0]
        self.total = sum(widths)
        self.fixed_width = sum(widths[: self.fixed])

    def _sample(self, form: ColumnFormat, table: Table, column: int) -> None:
        third = _SAMPLE // 3
        starts = {0, max(0, table.rows // 2 - third // 2), max(0, table.rows - third)}
        if table.rows <= _SAMPLE:
            starts = {0}
        for start in sorted(starts):
            stop = min(table.rows, start + (_SAMPLE if len(starts) == 1 else third))
            values = form.values(table.window(column, start, stop))
            form.measure(values)
            if form.shaded:
                form.stretch(values)


class Composer:
    """Makes scenes; remembers what each visible row showed, to tell what changed.

    Only rows and columns in sight are ever looked at, and only what changed among them is written
    anew: a scene costs the same at a thousand rows and at a million.
    """

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.next_flash_end: float | None = None
        self.flashing = True
        """Whether what changed from here on flashes: not on a line that has no room for it."""
        self.arrows: dict[ColumnRef, str] = {}
        """What stands behind the titles of columns that rows are ordered by."""
        self.styles: Mapping[ColumnRef, ColumnStyle] = MappingProxyType({})
        """How columns are written that are not written as they came."""
        self.rules: Callable[[Table, int, int], list[int]] | None = None
        """What gives the rows in sight a look by what they hold: a level a row, 0 for none."""
        self.picked: frozenset[RowId] = frozenset()
        """Rows that the person picked."""
        self._fades = False
        self._marked: Table | None = None
        self._needle = ""
        self._table: Table | None = None
        self._seen: dict[RowId, _Seen] = {}
        self._places: list[tuple[int, int, int, ColumnFormat, int, tuple[int, int] | None]] = []
        self._at: dict[int, int] = {}
        self._header: Line = ()
        self._header_key: tuple[object, ...] = ()
        self._placed: tuple[object, ...] = ()

    @property
    def needle(self) -> str:
        """What is searched for, in lower case: cells that show it are marked."""
        return self._needle

    @needle.setter
    def needle(self, needle: str) -> None:
        self._needle = needle
        self._forget_lines()

    @property
    def marked(self) -> Table | None:
        """The state that differences are marked against, None for none."""
        return self._marked

    @marked.setter
    def marked(self, table: Table | None) -> None:
        self._marked = table
        for row in self._seen.values():
            row.then = row.known = None
        self._forget_lines()

    def load(self, table: Table) -> None:
        """Take in a table's new state, before `compose`."""
        if self.layout is None or not self.layout.fits(table, self.styles):
            self.layout = Layout(table, self.layout, self.styles)
            self._seen.clear()
        self._table = table

    def header(self, viewport: Viewport, cursor: Cursor) -> Line:
        """Return the header's line."""
        layout = self.layout
        if layout is None or self._table is None:
            return ()
        refs = self._table.refs
        key = (
            layout, layout.version, viewport.left, viewport.width, self.arrows,
            -1 if cursor.whole_row else cursor.column, refs,
        )  # fmt: skip
        if key == self._header_key:
            return self._header
        cells = []
        for column in (*range(layout.fixed), *layout.visible(viewport.left, viewport.width)):
            form = layout.formats[column]
            look = _HEADER | (_FIXED if column < layout.fixed else 0)
            if column == cursor.column and not cursor.whole_row:
                look |= _CURSOR_COLUMN
            arrow = self.arrows.get(refs[column], " ") if self.arrows else " "
            text = title_text(layout.titles[column], form) + arrow
            x = layout.starts[column] - (0 if column < layout.fixed else viewport.left)
            if cut := _cut(layout, column, viewport):
                text = _with_cuts(text, *cut)
            cells.append(Cell(x, form.width + 2, text, look))
        self._header_key, self._header = key, tuple(cells)
        return self._header

    def compose(
        self, viewport: Viewport, cursor: Cursor, now: float, *, stale: bool = False
    ) -> list[Line]:
        """Return the lines of the rows in sight.

        Args:
            viewport: What is in sight.
            cursor: Where the cursor is.
            now: Seconds of a monotonic clock, for what flashes.
            stale: Whether the data is no longer current.
        """
        table, layout = self._table, self.layout
        if table is None or layout is None:
            return []
        stop = min(table.rows, viewport.top + viewport.height)
        start = min(viewport.top, stop)
        columns = (*range(layout.fixed), *layout.visible(viewport.left, viewport.width))
        read = [
            layout.formats[column].values(table.window(column, start, stop)) for column in columns
        ]
        identities = table.identities(start, stop)
        rows = list(zip(*read, strict=True)) if read else [()] * (stop - start)
        known = [self._seen.get(identity) for identity in identities]
        touched = [
            _differences(row, columns, values) for row, values in zip(known, rows, strict=True)
        ]
        self._fades = sum(map(len, filter(None, touched))) <= _FEW
        if self._grow(layout, columns, read, rows, touched):
            layout.grow()
        self._place(layout, columns, viewport)
        lines = []
        seen: dict[RowId, _Seen] = {}
        common = _STALE if stale else 0
        ruled = self.rules(table, start, stop) if self.rules is not None else None
        if self._marked is not None and not table.grouped:
            self._look_up(table, columns, start, known)
        for at, identity in enumerate(identities):
            # Of rows with the same identity only the first can tell what changed.
            row = (known[at] if identity not in seen else None) or _Seen()
            seen.setdefault(identity, row)
            look, cursor_at = common, -1
            if self.picked and identity in self.picked:
                look |= _PICKED
            if ruled is not None:
                look |= ruled[at] << _RULE_SHIFT
            if table.unfinished is not None and table.row_in_frame(start + at) == table.unfinished:
                look |= _STALE
            if start + at == cursor.row:
                look |= _CURSOR_ROW
                cursor_at = -1 if cursor.whole_row else cursor.column
            different = touched[at]
            same = row.look == look and row.cursor == cursor_at and different is not None
            if not same or different is None:
                row.look, row.cursor = look, cursor_at
                self._compose_row(row, columns, rows[at], now)
            elif different or row.flash_end <= now:
                self._touch_row(row, rows[at], different, now)
            lines.append(row.line)
        self._seen = seen
        self._find_flash_end(now)
        return lines

    def _look_up(
        self, table: Table, columns: tuple[int, ...], start: int, rows: list[_Seen | None]
    ) -> None:
        """Find what rows held at the mark; only of those that came into sight."""
        fresh = [at for at, row in enumerate(rows) if row is None or row.known != columns]
        if not fresh or self._marked is None or self.layout is None:
            return
        held = then_of(table, self._marked, self.layout, columns, [start + at for at in fresh])
        for at, values in zip(fresh, held, strict=True):
            row = rows[at] = rows[at] or _Seen()
            row.then, row.known = values, columns
            row.look = -1

    def _find_flash_end(self, now: float) -> None:
        # Only when one has ended the next is looked for.
        if self.next_flash_end is None or self.next_flash_end <= now:
            ends = [flash[0] for row in self._seen.values() for flash in row.flashes.values()]
            self.next_flash_end = min(ends, default=None)

    def _touch_row(
        self, row: _Seen, values: tuple[Any, ...], different: list[int], now: float
    ) -> None:
        """Write anew only the cells of a row that changed or whose flash ends."""
        before = row.values
        cells = list(row.line)
        again = set(different)
        if row.flash_end <= now:
            again.update(self._at[column] for column in _age(row, now) if column in self._at)
        for at in again:
            value, old = values[at], before[at]
            if at in different and not (old != old and value != value):
                self._flash(row, at, old, value, now)
            cells[at] = self._cell(at, value, row)
        row.values, row.line = values, tuple(cells)

    def _flash(self, row: _Seen, at: int, old: Any, value: Any, now: float) -> None:
        column, form = self._places[at][0], self._places[at][3]
        if self.flashing:
            end = now + (FLASH_SECONDS - FADE_SECONDS if self._fades else FLASH_SECONDS)
            row.flashes[column] = (end, _direction(old, value, form), self._fades)
            row.flash_end = min(row.flash_end, end)
            if self.next_flash_end is None or end < self.next_flash_end:
                self.next_flash_end = end
        else:
            row.flashes.pop(column, None)

    def _cell(self, at: int, value: Any, row: _Seen) -> Cell:
        column, x, base, form, width, cut = self._places[at]
        look = row.look | base
        if column == row.cursor:
            look |= _CURSOR
        glyph = " "
        flash = row.flashes.get(column) if row.flashes else None
        if flash is not None:
            look |= flash[1]
            glyph = _GLYPHS[flash[1] & ~_FAINT]
        if value is None:
            look |= _NULL
        if row.known is not None:
            then = row.then
            if then is None:
                look |= _NEW
            elif (
                then[at] is not _UNKNOWN
                and then[at] != value
                and (value == value or then[at] == then[at])
            ):
                look |= _MARKED
                glyph = "*" if glyph == " " else glyph
        text = form.text(value)
        if form.shaded:
            if form.shade is Shade.BAR:
                text = form.barred(value, text)
            elif value is not None:
                look |= round(form.share(value) * HEAT_LEVELS) << _HEAT_SHIFT
        if self._needle and self._needle in text.lower():
            look |= _MATCH
        if len(text) <= width and text.isascii():
            text = text.rjust(width) if form.right else text.ljust(width)
        else:
            text = fit(text, width, right=form.right)
        text = f" {text}{glyph}"
        if cut is not None:
            text = _with_cuts(text, *cut)
        return Cell(x, width + 2, text, look)

    def _compose_row(
        self,
        row: _Seen,
        columns: tuple[int, ...],
        values: tuple[Any, ...],
        now: float,
    ) -> None:
        """Write all cells of a row anew."""
        before = row.values
        if row.columns != columns:  # scrolled sideways: match by column
            known = dict(zip(row.columns, before, strict=True))
            before = tuple(known.get(column, _UNKNOWN) for column in columns)
        if row.flash_end <= now:
            _age(row, now)
        cells = []
        for at, value in enumerate(values):
            old = before[at] if before else _UNKNOWN
            if old is not _UNKNOWN and old != value and not (old != old and value != value):
                self._flash(row, at, old, value, now)
            cells.append(self._cell(at, value, row))
        row.columns, row.values, row.line = columns, values, tuple(cells)

    def _grow(
        self,
        layout: Layout,
        columns: tuple[int, ...],
        read: list[list[Any]],
        rows: list[tuple[Any, ...]],
        touched: list[list[int] | None],
    ) -> bool:
        """Let formats grow to what is new in sight; tell whether any did."""
        fresh: list[list[Any]] = [[] for _ in columns]
        for values, different in zip(rows, touched, strict=True):
            if different is None:
                fresh = read
                break
            for at in different:
                fresh[at].append(values[at])
        grown = False
        for at, column in enumerate(columns):
            if fresh[at]:
                form = layout.formats[column]
                if form.shaded:
                    grown |= form.stretch(fresh[at])
                if form.needs_measure(fresh[at]):
                    grown |= form.measure(read[at])
                grown |= form.grow(form.texts(form.widest(fresh[at])))
        return grown

    def _place(self, layout: Layout, columns: tuple[int, ...], viewport: Viewport) -> None:
        placed = (layout, layout.version, columns, viewport.left, viewport.width)
        if placed == self._placed:
            return
        self._placed = placed
        self._places = [
            (
                column,
                layout.starts[column] - (0 if column < layout.fixed else viewport.left),
                _FIXED if column < layout.fixed else 0,
                layout.formats[column],
                layout.formats[column].width,
                _cut(layout, column, viewport),
            )
            for column in columns
        ]
        self._at = {column: at for at, column in enumerate(columns)}
        self._forget_lines()  # its cells are in other places now

    def _forget_lines(self) -> None:
        for row in self._seen.values():
            row.look = -1


def title_text(title: str, form: ColumnFormat) -> str:
    """Return a title as wide as its column and the cell before it, which the sign may take."""
    if form.rounds:
        return fit(SIGN + title, form.width + 1, right=form.right)
    return " " + fit(title, form.width, right=form.right)


def _cut(layout: Layout, column: int, viewport: Viewport) -> tuple[int, int] | None:
    """Return which of a column's cells are in sight, None if all are."""
    scrolls = column >= layout.fixed
    x = layout.starts[column] - (viewport.left if scrolls else 0)
    width = layout.formats[column].width + 2
    left = min(layout.fixed_width, viewport.width) if scrolls else 0
    start, end = max(x, left) - x, min(x + width, viewport.width) - x
    return None if start <= 0 and end >= width else (start, end)


def _with_cuts(text: str, start: int, end: int) -> str:
    """Return a text with ``…`` where more of it is out of sight: a part reads as another number."""
    if width_of(text) != len(text):  # wide characters: they are texts, and look cut
        return text
    if 0 < start < len(text) and text[: start + 1].strip():
        text = f"{text[:start]}…{text[start + 1 :]}"
    if 0 < end < len(text) and text[end - 1 :].strip():
        text = f"{text[: end - 1]}…{text[end:]}"
    return text


def visible_part(cell: Cell, fixed_width: int, width: int) -> tuple[int, int]:
    """Return the first and last-but-one of a cell's own cells that are in sight.

    Scrolled columns disappear behind the fixed ones. Nothing is in sight if the two are not in
    order.

    Args:
        cell: The cell.
        fixed_width: Cells at the left that do not scroll.
        width: Cells in sight.
    """
    left = 0 if cell.look & _FIXED else min(fixed_width, width)
    return max(cell.x, left) - cell.x, min(cell.x + cell.width, width) - cell.x


def clip(line: Line, fixed_width: int, width: int) -> list[tuple[Cell, int, int]]:
    """Return the cells of a line that are in sight, each with its `visible_part`."""
    shown = []
    for cell in line:
        start, end = visible_part(cell, fixed_width, width)
        if start < end:
            shown.append((cell, start, end))
    return shown


def _age(row: _Seen, now: float) -> list[int]:
    """End the flashes that have had their time, or go on faintly; return their columns."""
    flashes = row.flashes
    ended = [one for one in flashes.items() if one[1][0] <= now]
    for column, (end, look, fades) in ended:
        if fades and end + FADE_SECONDS > now:
            flashes[column] = (end + FADE_SECONDS, look | _FAINT, False)
        else:
            del flashes[column]
    row.flash_end = min((end for end, _, _ in flashes.values()), default=math.inf)
    return [column for column, _ in ended]


def _differences(
    row: _Seen | None, columns: tuple[int, ...], values: tuple[Any, ...]
) -> list[int] | None:
    """Return where a row's values differ from what it showed; None if that is not known."""
    if row is None or row.columns != columns:
        return None
    if row.values == values:
        return []
    return list(compress(range(len(values)), map(ne, row.values, values)))


def _direction(old: Any, value: Any, form: ColumnFormat) -> int:
    if form.numeric and old is not None and value is not None:
        if value > old:
            return _UP
        if value < old:
            return _DOWN
    return _CHANGED


def then_of(
    now: Table, then: Table, layout: Layout, columns: tuple[int, ...], rows: list[int]
) -> list[tuple[Any, ...] | None]:
    """Return what rows shown now held in an earlier state, None for those that were not there."""
    import numpy as np

    from livetable.feed.arrow.arrays import missing
    from livetable.tui.query.row_match import places_in

    places = places_in(now, then, np.array([now.row_in_frame(row) for row in rows], dtype=np.int64))
    read = []
    for column in columns:
        there = then.column_at(now.refs[column])
        if there is None or then.types[there] != now.types[column]:
            read.append([_UNKNOWN] * len(rows))
        else:
            form = layout.formats[column]
            read.append(form.values(then.values_of_rows(there, places)))
    gone = missing(places).tolist()
    return [None if gone[at] else values for at, values in enumerate(zip(*read, strict=True))]
