"""What a terminal is told: styles by difference, moves of the cursor, as few bytes as can be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

GAP = 5
"""Unchanged characters that cost no more than moving the cursor over them."""

_SHORT = 24  # characters among which blanks worth leaping over are rare
_GLYPHS = "▲▼•–↑↓"


class Ink(NamedTuple):
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


def ink_of(style: Style, console: Console) -> Ink:
    """Return a style as a console's terminal is told it."""
    told = Strip([Segment("X", style)]).render(console).partition("X")[0]
    blank = (style.bgcolor, style.underline, style.reverse, style.strike, style.overline)
    return Ink(*parameters(told), blank)


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29", "53": "55"}
"""What ends an attribute; bold and dim have one end between them."""


def parameters(sequence: str) -> tuple[str, str, frozenset[str]]:
    """Return foreground, background and attributes of an escape sequence that sets a style."""
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
    # What ends bold ends dim too.
    fresh = {flag for flag in after.flags if flag not in before.flags or _OFF.get(flag) in ends}
    parts = [*sorted(ends), *sorted(fresh)]
    if after.foreground != before.foreground:
        parts.append(after.foreground or "39")
    if after.background != before.background:
        parts.append(after.background or "49")
    least = ";".join(parts)
    return f"\x1b[{min(least, whole, key=len)}m"


class Pen:
    """Escape sequences for runs of characters, as few bytes as can be."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._y = -1
        self._x = -1
        self._to: tuple[int, int] = (0, 0)
        self._ink: Ink | None = None

    def go_to(self, y: int, x: int) -> None:
        """Draw from here on at a place on the screen."""
        self._to = (y, x)

    def draw_run(self, y: int, x: int, text: str, ink: Ink) -> None:
        """Draw a text of simple characters somewhere."""
        self._run(y, x, text, ink)

    def draw_blanks(self, y: int, x: int, count: int, ink: Ink, *, to_the_end: bool) -> None:
        """Erase cells in a style's background, on a terminal that erases with it."""
        self._run(y, x, "", ink)
        self.words.append("\x1b[K" if to_the_end else f"\x1b[{count}X")

    def lose_place(self) -> None:
        """Address the next run anew: the terminal may have gone another way than was thought."""
        self._y = -1

    @property
    def ink(self) -> Ink | None:
        """The style that the terminal draws in now, None if that is not known."""
        return self._ink

    def draw_whole(self, text: str, ink: Ink) -> None:
        """Draw a text whose width the terminal may see differently; address anew after it."""
        y, x = self._to
        self._run(y, x, text, ink)
        self._y = -1

    def draw(self, was: str, text: str, ink: Ink, same_ink: bool, same_blank: bool) -> None:
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
