"""Reads printed output that arrives in pieces: more rows, or a new screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.printed import clears, newest_screen, plain, read_printed
from livetable.feed.sources.printed_table import Printed
from livetable.feed.sources.table_of_texts import table_of_texts
from livetable.feed.sources.values import Kind


class PrintedUpdate(NamedTuple):
    """What a piece of a print makes of the table.

    Attributes:
        table: The rows, None if there are none.
        anew: Whether they are the whole table; else add them to the rows so far.
    """

    table: pa.Table | None
    anew: bool = False


class PrintedRows:
    """Turns pieces of printed output into rows.

    Args:
        types: Types of columns, so as not to detect them.
        limit: The most rows that are kept, None for all.
    """

    def __init__(self, types: Mapping[str, pa.DataType] | None, limit: int | None) -> None:
        self.bad: list[BadLine] = []
        """The lines that can't be read."""
        self._types = types
        self._limit = limit
        self._text = ""
        self._table: Printed | None = None
        self._rows: list[list[str]] = []
        self._kinds: list[Kind] | None = None
        self._anew = False  # whether the next text is another screen, not more rows

    @property
    def waiting(self) -> int:
        """How many characters wait to be read."""
        return len(self._text)

    @property
    def note(self) -> str | None:
        """A note on how the output was read, or None."""
        return None if self._table is None else self._table.note

    def add(self, text: str) -> None:
        """Add the next text; `read` reads it."""
        self._text += text

    def read(self, *, last: bool) -> PrintedUpdate | None:
        """Read the complete lines; return the update of the table, None if nothing changed.

        Args:
            last: Whether the text is complete: then a line without an end counts, too.

        Raises:
            NotFitting: a text doesn't fit the given type.
        """
        whole, end, rest = self._text.rpartition("\n")
        if last:
            whole, end, rest = self._text, "", ""
        if not whole.strip():
            return None
        header = self._table.layout.header if self._table and self._table.layout else None
        lines = plain(whole).splitlines()
        if not last and self._table is None and sum(bool(line.strip()) for line in lines) < 2:
            return None  # a header alone: the next line shows where its columns are
        again = header is not None and any(line.rstrip() == header for line in lines)
        if clears(whole) or again:
            self._anew = True
        if self._table is not None and not self._anew:
            self._text = rest
            return self._below(self._table, lines)
        # Keep the beginning of a screen that is still being written.
        self._text = (_last_screen(whole + end, header) if self._anew else "") + rest
        return self._replaced(whole + end, header)

    def _replaced(self, text: str, header: str | None) -> PrintedUpdate | None:
        is_first = self._table is None
        self._table = table = read_printed(newest_screen(text), header)
        self.bad = list(table.unreadable)
        self._rows, self._kinds = list(table.rows), None
        if not table.rows and not is_first and self._anew:
            return None  # the screen was only cleared so far
        update, self._kinds = table_of_texts(table.names, self._rows, self._types, units=True)
        return PrintedUpdate(update, anew=True)

    def _below(self, table: Printed, lines: Sequence[str]) -> PrintedUpdate:
        fresh = self._cut(table, lines)
        if not fresh:
            return PrintedUpdate(None)
        had_rows = bool(self._rows)
        self._rows += fresh
        if self._limit is not None:
            del self._rows[: -self._limit]
        update, kinds = table_of_texts(table.names, fresh, self._types, self._kinds, units=True)
        if kinds == self._kinds or not had_rows:
            self._kinds = kinds
            return PrintedUpdate(update)
        # The new rows need other types: read all rows again.
        update, self._kinds = table_of_texts(
            table.names, self._rows, self._types, kinds, units=True
        )
        return PrintedUpdate(update, anew=True)

    def _cut(self, table: Printed, lines: Sequence[str]) -> list[list[str]]:
        """Return the values of lines below a header; keep lines that don't fit as bad."""
        rows: list[list[str]] = []
        for line in lines:
            if not line.strip():
                continue
            cells = None if table.layout is None else table.layout.cut(line.rstrip())
            if cells is None:
                number = len(self._rows) + len(self.bad) + 2
                self.bad.append(
                    BadLine(number, line[:200], "does not fit the columns of the header")
                )
            else:
                rows.append(cells)
        return rows


def _last_screen(text: str, header: str | None) -> str:
    if clears(text):
        return "\x1b[H" + newest_screen(text)
    start = text.rfind(header) if header else 0
    return text[max(0, start) :]
