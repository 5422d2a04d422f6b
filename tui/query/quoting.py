"""Titles and texts in quotes, as expressions have them."""

from __future__ import annotations

import re
from typing import Final

_IN_QUOTES: Final = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""


_TITLE: Final = r"`((?:[^`]|``)*)`"


QUOTED: Final = re.compile(rf"{_IN_QUOTES}|{_TITLE}")


REPLACED: Final = re.compile(rf"{_IN_QUOTES}|{_TITLE}|([&|])|((?<!\w)[^\W\d]\w*)")
"""What pandas reads otherwise than Python: backticks, and ``& |`` bind as loosely as words.

Names as well: to Python two letters that look alike are one, ``µ`` and ``μ``.
"""


NAME: Final = re.compile(r"[^\W\d]\w*")


_WHOLE_TITLE: Final = re.compile(_TITLE)


_SEPARATED: Final = re.compile(rf"{_TITLE}|,")


def quote(title: str) -> str:
    """Return a column's title as it is written in an expression."""
    return title if _is_plain(title) else "`" + title.replace("`", "``") + "`"


def _is_plain(title: str) -> bool:
    import keyword

    return NAME.fullmatch(title) is not None and not keyword.iskeyword(title)


def split_names(text: str) -> list[str]:
    """Return the parts of a text that commas separate; in backticks a comma separates nothing."""
    parts, last = [], 0
    for separator in _SEPARATED.finditer(text):
        if separator[0] == ",":
            parts.append(text[last : separator.start()].strip())
            last = separator.end()
    return [*parts, text[last:].strip()]


def unquoted(text: str) -> str:
    """Return the title that a name is written for: what stands in backticks, or the name."""
    found = _WHOLE_TITLE.fullmatch(text)
    return text if found is None else found[1].replace("``", "`")


def outside_quotes(text: str, word: str) -> int:
    """Return where a word stands that is in no quotes and no backticks, -1 for nowhere."""
    return QUOTED.sub(blanks_for, text).find(word)


def blanks_for(match: re.Match[str]) -> str:
    """Return blanks where something stands in quotes."""
    return " " * len(match[0])
