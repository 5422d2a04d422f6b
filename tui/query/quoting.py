"""Quoting of titles and texts in expressions."""

from __future__ import annotations

import re
from typing import Final

_IN_QUOTES: Final = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""


_TITLE: Final = r"`((?:[^`]|``)*)`"


QUOTED: Final = re.compile(rf"{_IN_QUOTES}|{_TITLE}")


REPLACED: Final = re.compile(rf"{_IN_QUOTES}|{_TITLE}|([&|])|((?<!\w)[^\W\d]\w*)")
"""What pandas parses differently from Python: backticks, and the precedence of ``&`` and ``|``.

Names too: Python normalises letters that look alike, e.g. ``µ`` and ``μ``.
"""


NAME: Final = re.compile(r"[^\W\d]\w*")


_WHOLE_TITLE: Final = re.compile(_TITLE)


_SEPARATED: Final = re.compile(rf"{_TITLE}|,")


def quote(title: str) -> str:
    """Return a column's title for an expression: in backticks unless it is a plain name."""
    return title if _is_plain(title) else "`" + title.replace("`", "``") + "`"


def _is_plain(title: str) -> bool:
    import keyword

    return NAME.fullmatch(title) is not None and not keyword.iskeyword(title)


def split_names(text: str) -> list[str]:
    """Split a text at commas, except within backticks."""
    parts, last = [], 0
    for separator in _SEPARATED.finditer(text):
        if separator[0] == ",":
            parts.append(text[last : separator.start()].strip())
            last = separator.end()
    return [*parts, text[last:].strip()]


def unquoted(text: str) -> str:
    """Return a title without its backticks."""
    found = _WHOLE_TITLE.fullmatch(text)
    return text if found is None else found[1].replace("``", "`")


def outside_quotes(text: str, word: str) -> int:
    """Return the position of a word outside quotes and backticks, -1 if there is none."""
    return QUOTED.sub(blanks_for, text).find(word)


def blanks_for(match: re.Match[str]) -> str:
    """Return blanks in place of a match."""
    return " " * len(match[0])
