"""Printed output: its rows, where its columns are, and the characters of its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from livetable.feed.arrow.quantities import PATTERN as QUANTITY
from livetable.feed.sources.bad_lines import BadLine

VALUE: Final = re.compile(
    QUANTITY.removeprefix("^").removesuffix("$")
    + r"|[0-9][0-9.:/,-]*[0-9]|[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*/?[0-9]+"
)
"""A word that is a value, not a heading."""


RULE: Final = re.compile(r"[\s\-=─━+|┼╪├┤╞╡╟╢╠╣]*[-=─━]{2}[\s\-=─━+|┼╪├┤╞╡╟╢╠╣]*")


BORDER: Final = re.compile(
    r"\s*[+┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╭╮╰╯┏┳┓┣╋┫┗┻┛╒╤╕╞╪╡╘╧╛─━═=-]{3,}[+┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╭╮╰╯┏┳┓┣╋┫┗┻┛╒╤╕╞╪╡╘╧╛─━═=\s|-]*"
)


SIDES: Final = "|│║┃"


COUNT: Final = re.compile(r"\((?:\d+) rows?\)|\d+ rows? in set.*|Query OK.*")


@dataclass(frozen=True)
class Printed:
    """A printed table.

    Attributes:
        names: The columns' names.
        rows: The values, a list a row.
        layout: How further lines are read; None where there can be none.
        unreadable: Lines that are no rows.
        note: What there is to say of how it was read.
    """

    names: list[str]
    rows: list[list[str]]
    layout: Layout | None = None
    unreadable: list[BadLine] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True)
class Layout:
    """Where the columns of lines are.

    Attributes:
        header: The line above them; None if there was none.
        count: How many there are.
        spans: Where each begins and ends; the last ends with the line. None: they are
            separated by blanks.
    """

    header: str | None
    count: int
    spans: tuple[tuple[int, int], ...] | None = None

    def cut(self, line: str) -> list[str] | None:
        """Return a line's values, None if it is unclear which columns some belong to."""
        if self.spans is not None and (cells := cut_at(line, self.spans)) is not None:
            return cells
        cells = re.split(r" {2,}|\t", line.strip())
        if len(cells) == self.count:
            return cells
        cells = line.split(None, self.count - 1)
        return cells if len(cells) == self.count else None


def cut_at(line: str, spans: Sequence[tuple[int, int]]) -> list[str] | None:
    """Return a line's values between positions, None if a value crosses an edge."""
    for start, _ in spans[1:]:
        if start < len(line) and line[start - 1] != " ":
            return None
    return [line[start : stop or None].strip() for start, stop in spans]
