"""Marks that tell from a terminal's output which frame is on the screen.

A mark is eight characters of an alphabet that changes with each frame, so that a viewer which
writes only the characters that differ still writes the whole mark. No alphabet has a letter that
ends an escape sequence of these viewers.
"""

from __future__ import annotations

import re

_ALPHABETS = ("0123456789", "ABDEFIJKLN", "OPQRSTUVWX", "abcdefgijk", "nopqrstuvw")
_LENGTH = 8
_DIGITS = [{letter: digit for digit, letter in enumerate(one)} for one in _ALPHABETS]
MARK = re.compile("|".join(f"[{one}]{{{_LENGTH}}}" for one in _ALPHABETS).encode())


def mark_of(frame: int) -> str:
    """Return the mark of a frame's number."""
    alphabet = _ALPHABETS[frame % len(_ALPHABETS)]
    return "".join(alphabet[int(digit)] for digit in f"{frame:0{_LENGTH}}")


def frame_of(mark: bytes) -> int | None:
    """Return the frame's number, None for eight characters that only look like a mark."""
    text = mark.decode()
    for number, digits in enumerate(_DIGITS):
        if text[0] in digits:
            frame = sum(digits[c] * 10**place for place, c in enumerate(reversed(text)))
            return frame if frame % len(_ALPHABETS) == number else None
    return None
