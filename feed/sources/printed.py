"""Reads the output of commands as records: blanks, boxes or rules show where the columns are.

The first line is the header, unless it holds a value. A table is one block of lines. If a text has
several blocks, read the longest; of blocks with the same header, the newest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from livetable.feed.sources.blank_columns import best_spans, by_blanks
from livetable.feed.sources.printed_forms import (
    read_box,
    read_listing,
    read_prometheus,
    read_ruled,
    read_tabbed,
)
from livetable.feed.sources.printed_table import (
    BORDER,
    RULE,
    VALUE,
    Layout,
    Printed,
)

_ESCAPES: Final = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Za-z0-9]"
    r"|\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b[@-Z\\-_=>]"
)
_CLEARED: Final = re.compile(r"(?:\x1b\[[0-3]?J|\x1b\[(?:[01](?:;[01])?)?H|\x1bc)+")
"""Sequences that clear the screen."""


_LINE: Final = "line"


# -- a text --------------------------------------------------------------------------------------


def newest_screen(text: str) -> str:
    """Return what was printed since the screen was last cleared, without colours."""
    if "\x1b" not in text:
        return text
    screens = [part for part in _CLEARED.split(text) if plain(part).strip()]
    return plain(screens[-1]) if screens else ""


def plain(text: str) -> str:
    """Return text without escape sequences."""
    return _ESCAPES.sub("", text)


def clears(text: str) -> bool:
    """Tell whether a text clears the screen."""
    return _CLEARED.search(text) is not None


def is_drawn(line: str) -> bool:
    """Tell whether a line is part of a box, or the rule below a header."""
    return BORDER.fullmatch(line) is not None or RULE.fullmatch(line) is not None


def starts_with_value(line: str) -> bool:
    """Tell whether the first field of a line is a value, not a heading."""
    words = line.split("\t") if "\t" in line else line.split()
    return bool(words) and VALUE.fullmatch(words[0].strip()) is not None


def read_printed(text: str, known: str | None = None) -> Printed:
    """Return the table in a command's output. If there is none, return its lines as a table.

    Args:
        text: The output, without escape sequences.
        known: The header of the table, None if it is not known yet.
    """
    lines = [line.rstrip() for line in text.expandtabs().splitlines()]
    if (table := read_prometheus(text)) is not None:
        return table
    if (table := read_box(lines)) is not None:
        return table
    number, block = _block(lines, known)
    if (table := read_listing(block)) is not None or (table := read_tabbed(text)) is not None:
        return table
    if (table := read_ruled(block, number)) is not None:
        return table
    if (table := by_blanks(block, number)) is not None:
        return table
    return as_lines([line for line in lines if line.strip()] or lines)


def as_lines(lines: Sequence[str]) -> Printed:
    """Return text as a table of its lines."""
    return Printed([_LINE], [[line] for line in lines], Layout(None, 1, ((0, 0),)))


def _block(lines: Sequence[str], known: str | None) -> tuple[int, list[str]]:
    """Return the number of the table's first line, from 1, and the table's lines."""
    blocks: list[tuple[int, list[str]]] = []
    fresh = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            fresh = True
            continue
        # A repeated header begins a new snapshot.
        again = bool(blocks) and not fresh and line == blocks[-1][1][0] and len(blocks[-1][1]) > 1
        if fresh or again:
            blocks.append((number, []))
            fresh = False
        blocks[-1][1].append(line)
    if not blocks:
        return 1, []
    if known is not None and (same := [block for block in blocks if known in block[1]]):
        number, block = same[-1]
        start = len(block) - 1 - block[::-1].index(known)
        return number + start, block[start:]
    most = max(len(block) for _, block in blocks)
    longest = next(block for _, block in blocks if len(block) == most)
    same = [block for block in blocks if block[1][0] == longest[0]]
    best = same[-1] if len(same[-1][1]) > 1 else same[0]
    # Several tables, each with its own header below a title: the last is the newest.
    several = [block for block in blocks if len(block[1]) > 1 and _has_columns(block[1])]
    if len(several) > 1 and not _has_columns(best[1]):
        return several[-1]
    return best


def _has_columns(lines: Sequence[str]) -> bool:
    return best_spans(lines) is not None


# -- other forms ---------------------------------------------------------------------------------
