"""The least that a terminal has to be told for a paint, found by replaying the screen.

Cursor moves, the attributes that differ, and changed characters: what a writer would send that
knows the screen before and after, the shortest way from each changed cell to the next.
"""

from __future__ import annotations

import re
from typing import Any

import pyte

_PAINT = re.compile(rb"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.DOTALL)
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\[6n")
_FLAGS = (("bold", "1", "22"), ("italics", "3", "23"), ("underscore", "4", "24"),
          ("reverse", "7", "27"), ("strikethrough", "9", "29"))  # fmt: skip


class Replay:
    """A screen that is replayed, and what each of its paints took and could have taken.

    Args:
        lines: The screen's height.
        columns: Its width.
    """

    def __init__(self, lines: int, columns: int) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.written = 0
        self.least = 0
        self.paints = 0

    def settle(self, data: bytes) -> None:
        """Take in output that does not count."""
        self._stream.feed(_UNKNOWN.sub(b"", data))

    def count(self, data: bytes, paints: int) -> None:
        """Take in output paint by paint, and count the first of them."""
        before = self._cells()
        for found in _PAINT.finditer(data):
            if self.paints >= paints:
                return
            self._stream.feed(_UNKNOWN.sub(b"", found[1]))
            after = self._cells()
            self.least += least(before, after)
            self.written += len(found[1])
            self.paints += 1
            before = after

    def _cells(self) -> list[list[Any]]:
        screen = self._screen
        return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def least(before: list[list[Any]], after: list[list[Any]]) -> int:
    """Return the bytes that lead from one screen to another."""
    total = 0
    pen: Any = None
    at = (-1, -1)
    for y, (was, line) in enumerate(zip(before, after, strict=True)):
        for x, (old, cell) in enumerate(zip(was, line, strict=True)):
            if old == cell:
                continue
            if at != (y, x):
                total += _move(at, y, x, line, pen)
            if pen is None or _style(pen) != _style(cell):
                total += _restyle(pen, cell)
                pen = cell
            total += len(cell.data.encode())
            at = (y, x + 1)
    return total


def _move(at: tuple[int, int], y: int, x: int, line: list[Any], pen: Any) -> int:
    jump = len(f"\x1b[{y + 1};{x + 1}H")
    if at[0] != y:
        return jump
    step = x - at[1]
    ways = [jump, len(f"\x1b[{step}C") if step > 1 else 3]
    between = line[at[1] : x]
    if pen is not None and all(_style(cell) == _style(pen) for cell in between):
        ways.append(sum(len(cell.data.encode()) for cell in between))
    return min(ways)


def _style(cell: Any) -> tuple[Any, ...]:
    return (cell.fg, cell.bg, *(getattr(cell, name) for name, _, _ in _FLAGS))


def _restyle(pen: Any, cell: Any) -> int:
    fresh = [on for name, on, _ in _FLAGS if getattr(cell, name)]
    fresh += [_colour(cell.fg, "3"), _colour(cell.bg, "4")]
    ways = ["0;" + ";".join(one for one in fresh if one)]
    if pen is not None:
        parts = [
            on if getattr(cell, name) else off
            for name, on, off in _FLAGS
            if getattr(cell, name) != getattr(pen, name)
        ]
        if cell.fg != pen.fg:
            parts.append(_colour(cell.fg, "3") or "39")
        if cell.bg != pen.bg:
            parts.append(_colour(cell.bg, "4") or "49")
        ways.append(";".join(parts))
    return min(len(f"\x1b[{way}m") for way in ways)


def _colour(colour: str, kind: str) -> str:
    if colour == "default":
        return ""
    if len(colour) == 6 and all(c in "0123456789abcdef" for c in colour):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (0, 2, 4))
        return f"{kind}8;2;{red};{green};{blue}"
    return f"{kind}1"
