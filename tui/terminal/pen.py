"""Makes escape sequences for text, styles and cursor moves, in as few bytes as possible."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

GAP = 5
"""Rewriting this many unchanged characters costs no more than moving the cursor."""

_SHORT = 24  # characters; in a shorter text, gaps worth skipping are rare
_GLYPHS = "▲▼•–↑↓"


class Ink(NamedTuple):
    """A style as SGR parameters.

    Attributes:
        foreground: The parameters of its foreground, empty for the terminal's default.
        background: The parameters of its background, empty for the default.
        flags: The parameters of its attributes: bold, dim, etc.
        blank: What is visible on a space: two inks with the same `blank` paint the same space.
    """

    foreground: str
    background: str
    flags: frozenset[str]
    blank: tuple[Any, ...]


def ink_of(style: Style, console: Console) -> Ink:
    """Return the ink of a style on a console."""
    sequence = Strip([Segment("X", style)]).render(console).partition("X")[0]
    blank = (style.bgcolor, style.underline, style.reverse, style.strike, style.overline)
    return Ink(*parameters(sequence), blank)


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29", "53": "55"}
"""The parameter that ends an attribute; bold and dim share one."""


def parameters(sequence: str) -> tuple[str, str, frozenset[str]]:
    """Split an SGR sequence into foreground, background and attributes."""
    parts = sequence[2:].rstrip("m").split(";") if sequence.startswith("\x1b[") else []
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
def _change(before: Ink | None, after: Ink) -> str:
    """Return the shortest escape sequence from one style to another."""
    every = ["0", *sorted(after.flags), after.foreground, after.background]
    whole = ";".join(filter(None, every))
    if before is None:
        return f"\x1b[{whole}m"
    gone = before.flags - after.flags
    if not gone <= set(_OFF):
        return f"\x1b[{whole}m"
    ends = {_OFF[flag] for flag in gone}
    # Ending bold also ends dim: set it again.
    fresh = {flag for flag in after.flags if flag not in before.flags or _OFF.get(flag) in ends}
    parts = [*sorted(ends), *sorted(fresh)]
    if after.foreground != before.foreground:
        parts.append(after.foreground or "39")
    if after.background != before.background:
        parts.append(after.background or "49")
    least = ";".join(parts)
    return f"\x1b[{min(least, whole, key=len)}m"


class Pen:
    """Collects escape sequences for runs of characters, in as few bytes as possible."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._y = -1
        self._x = -1
        self._to: tuple[int, int] = (0, 0)
        self._ink: Ink | None = None

    def go_to(self, y: int, x: int) -> None:
        """Set where the next `draw` starts."""
        self._to = (y, x)

    def draw_run(self, y: int, x: int, text: str, ink: Ink) -> None:
        """Draw a text of simple characters at a position."""
        self._run(y, x, text, ink)

    def draw_blanks(self, y: int, x: int, count: int, ink: Ink, *, to_the_end: bool) -> None:
        """Erase cells in a style's background, on a terminal with bce."""
        self._run(y, x, "", ink)
        self.words.append("\x1b[K" if to_the_end else f"\x1b[{count}X")

    def lose_place(self) -> None:
        """Set the cursor's full position before the next run: where it is now is uncertain."""
        self._y = -1

    @property
    def ink(self) -> Ink | None:
        """The terminal's current style, None if unknown."""
        return self._ink

    def draw_whole(self, text: str, ink: Ink) -> None:
        """Draw a text whose width the terminal may count differently; then lose the place."""
        y, x = self._to
        self._run(y, x, text, ink)
        self._y = -1

    def draw(self, was: str, text: str, ink: Ink, same_ink: bool, same_blank: bool) -> None:
        """Draw a text of simple characters over `was`, skipping unchanged parts.

        Args:
            was: The current text.
            text: The new text, of the same length.
            ink: The new style.
            same_ink: Whether `was` has that style.
            same_blank: Whether a space looks the same in both styles.
        """
        y, x = self._to
        if not same_ink and len(text) <= _SHORT:  # draw all of it, except blanks at the ends
            start, end = 0, len(text)
            if same_blank:
                start -= max(len(was.lstrip()), len(text.lstrip())) - end
                end = max(len(was.rstrip()), len(text.rstrip()))
            if start < end:
                self._run(y, x + start, text[start:end], ink)
            return
        start, end = -1, -1
        for index, (old, new) in enumerate(zip(was, text, strict=True)):
            if old == new and (same_ink or (same_blank and new == " ")):
                continue
            if start >= 0 and index - end > GAP:
                self._run(y, x + start, text[start:end], ink)
                start = -1
            if start < 0:
                start = index
            end = index + 1
        if start >= 0:
            self._run(y, x + start, text[start:end], ink)

    def _run(self, y: int, x: int, text: str, ink: Ink) -> None:
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


def is_simple(text: str) -> bool:
    """Tell whether each character of a cell's text takes one cell of the terminal."""
    return text.isascii() or (text[:-1].isascii() and text[-1] in _GLYPHS)
