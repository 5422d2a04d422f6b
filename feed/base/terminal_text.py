"""Make any string safe to print on a terminal: all data passes through here."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_STAND_IN = "\ufffd"

# Invisible characters that join their neighbours (terminals disagree on the resulting width) or
# carry no meaning in a cell.
_DROPPED = frozenset(
    "\u00ad\u034f\u200b\u200c\u200d\u2060\ufeff"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0x1F3FB, 0x1F400)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)

# Printable for Python, yet of a width on which terminals disagree.
_ODD_PRINTABLE = re.compile(
    "[\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff"
    "\U000e0100-\U000e01ef]"
)
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_LEFT_TO_RIGHT_MARK = "\u200e"


@lru_cache(maxsize=8192)
def _harmless_character(character: str) -> str:
    code = ord(character)
    if character in _DROPPED:
        return ""
    if character in "\n\r\u2028\u2029\x85":
        return "↵"
    if character == "\t":
        return "⇥"
    if code < 0x20:
        return chr(0x2400 + code)  # control pictures: ESC is shown as ␛
    if code == 0x7F:
        return "␡"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return chr(ord("A") + code - 0x1F1E6)  # a flag is shown as its letters
    if code in (0x115F, 0x1160, 0x3164, 0xFFA0):
        return _STAND_IN  # Hangul fillers: blank, and of any width
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Cn"):
        return _STAND_IN
    return character


def harmless(text: str) -> str:
    """Return text without anything that a terminal would interpret.

    Control characters become visible pictures (ESC is ``␛``, a newline ``↵``); bidirectional
    controls, surrogates and unassigned code points become ``\ufffd``; joiners, variation selectors
    and skin tones are dropped and flags become their two letters, because terminals disagree on
    their width. Text that is written from right to left ends in a left-to-right mark, so that
    terminals which reorder do not reorder across columns.

    Args:
        text: Any string, of any length (cut megabytes before, this is linear).
    """
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable() or _ODD_PRINTABLE.search(text):
        text = "".join(map(_harmless_character, text))
    if not text.isascii() and _RIGHT_TO_LEFT.search(text):
        text += _LEFT_TO_RIGHT_MARK
    return text


def safe_str(value: object) -> str:
    """Return ``str(value)``, or a text in angle brackets if that raises."""
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__}: str() raised {type(error).__name__}>"
