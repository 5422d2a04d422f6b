"""Reads CSV text as columns of texts: complete records only. A bad record stops no other.

A quote opens a field only at the field's beginning, as in Python's csv, pandas, Arrow and RFC 4180.
(Arrow's reader gives the same fields as Python's csv for any text; tests compare them.)
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv

SEPARATORS: Final = (",", "\t", ";", "|")
"""Field separators, most common first."""

_QUOTE: Final = 0x22
_SNIFFED: Final = 20


class Records:
    """Splits text at the ends of records. Scans each byte once.

    Args:
        separator: The field separator.
    """

    def __init__(self, separator: str) -> None:
        self._rest = b""
        self._seen = 0  # bytes of the rest that were scanned
        self._end = 0  # where the last complete record in them ends
        self._quoted = False
        self._opened = 0  # position of the open quote
        mark = re.escape(separator.encode())
        self._open = re.compile(rb"(?:\A|(?<=[\r\n])|(?<=" + mark + rb'))"')
        self._marks = np.frombuffer(separator.encode() + b"\r\n", np.uint8)
        self._simple = len(separator.encode()) == 1

    @property
    def rest(self) -> bytes:
        """The text of the incomplete record."""
        return self._rest

    @property
    def open_quote(self) -> int | None:
        """The position in `rest` of a quote that opens a field and is never closed, or None.

        A quote at the very end closes the field, unless more text follows.
        """
        if not self._quoted:
            return None
        closed = _INSIDE.match(self._rest, self._opened + 1)
        return None if closed is not None and closed.end() == len(self._rest) else self._opened

    def add(self, text: bytes) -> bytes:
        """Return the records that are now complete. A line break inside quotes ends no record."""
        self._rest = self._rest + text if self._rest else text
        self._look()
        whole = self._rest[: self._end]
        self._take(self._end)
        return whole

    def finish(self) -> bytes:
        """Return the rest of the text, after the last piece."""
        whole = self._rest
        self._restart(b"")
        return whole

    def read_as_text(self, *, most: int = 50) -> bytes:
        """Return the records that are complete if a quote that is never closed is read as text.

        Args:
            most: Try at most this many quotes one by one; then read all quotes as text.
        """
        whole = b""
        while self.open_quote is not None and most:
            most -= 1
            start = self._opened
            marks = (self._rest.find(bytes([mark]), start) for mark in self._marks.tolist())
            stop = min((place for place in marks if place >= 0), default=len(self._rest))
            field = self._rest[start:stop].replace(b'"', b'""')
            fields = self._rest[:start] + b'"' + field + b'"'
            rest = self._rest[stop:]
            self._restart(b"")
            whole += self.add(fields + rest)
        if self.open_quote is not None:
            self._restart(self._rest.replace(b'"', b"'"))
            whole += self.add(b"")
        return whole

    def _restart(self, text: bytes) -> None:
        self._rest, self._seen, self._end, self._quoted = text, 0, 0, False

    def _take(self, end: int) -> None:
        self._rest = self._rest[end:]
        self._seen -= end
        self._opened -= end
        self._end = 0

    def _look(self) -> None:
        text = self._rest
        # A CR at the very end may be half of CR LF. The LF is then an empty line: no record.
        stop = len(text)
        start = self._seen
        if not self._quoted:
            first = text.find(b'"', start, stop)
            if first < 0:
                self._ends_before(stop, start)
                self._seen = stop
                return
            if self._simple and self._all_proper(start, stop):
                return
        while start < stop:
            if self._quoted:
                close = _closing(text, start, stop)
                if close is None:
                    # The last quote may be the first of a doubled one.
                    tail = stop - len(text[start:stop].rstrip(b'"')) - start
                    self._seen = stop - 1 if tail % 2 else stop
                    return
                start, self._quoted = close, False
            opening = self._open.search(text, start, stop)
            self._ends_before(opening.start() if opening else stop, start)
            if opening is None:
                break
            self._opened, self._quoted = opening.start(), True
            start = opening.end()
        self._seen = stop

    def _ends_before(self, stop: int, start: int) -> None:
        """Note the last end of a record between two places."""
        end = max(self._rest.rfind(b"\n", start, stop), self._rest.rfind(b"\r", start, stop)) + 1
        if end:
            self._end = end

    def _all_proper(self, start: int, stop: int) -> bool:
        """Scan text in which each quote opens a field, closes one, or is doubled inside one.

        Then every second quote closes a field, so NumPy can scan them all at once.

        Returns:
            False if the text has other quotes: it was not scanned.
        """
        data = np.frombuffer(self._rest, np.uint8, stop)[start:]
        quotes = np.flatnonzero(data == _QUOTE)
        opening, closing = quotes[0::2], quotes[1::2]
        before = data[np.maximum(opening - 1, 0)]
        opens = np.isin(before, self._marks) | (before == _QUOTE)
        if len(opening) and opening[0] == 0:
            opens[0] = start == 0 or self._rest[start - 1] in self._marks
        elif len(opening):
            opens[0] = before[0] in self._marks
        if not opens.all():
            return False
        after = closing + 1
        inside = after < len(data)
        following = data[after[inside]]
        if not (np.isin(following, self._marks) | (following == _QUOTE)).all():
            return False
        if len(quotes) % 2 or (len(closing) and closing[-1] == len(data) - 1):
            # The last field is open, or its last quote may be the first of a doubled one.
            begins = np.flatnonzero(before[: len(opening)] != _QUOTE)
            if opening[0] == 0:
                begins = np.union1d(begins, [0])
            outside = int(opening[begins[-1]])
            self._quoted, self._opened = True, start + outside
        else:
            self._quoted, outside = False, len(data)
        ends = np.flatnonzero((data[:outside] == 10) | (data[:outside] == 13))
        if len(ends) and len(quotes):
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if len(ends):
            self._end = start + int(ends[-1]) + 1
        self._seen = stop if not self._quoted or len(quotes) % 2 else stop - 1
        return True


_INSIDE: Final = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')


def _closing(text: bytes, start: int, stop: int) -> int | None:
    """Return the position after the quote that closes a field, None if it is not in the text."""
    field = _INSIDE.match(text, start, stop)
    if field is None or field.end() == stop:
        return None
    return field.end()


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record whose number of fields differs from the header's.

    Attributes:
        line: The number of its line in these records, from 0.
        text: Its text.
        fields: The number of its fields.
    """

    line: int
    text: str
    fields: int


def texts_of(
    records: bytes, columns: int, separator: str
) -> tuple[list[pa.StringArray], list[BadRecord]]:
    """Return records as columns of texts, and the records with a wrong number of fields.

    Args:
        records: Complete records, UTF-8.
        columns: The number of fields of a record.
        separator: The field separator.
    """
    bad: list[tuple[str, int]] = []

    def on_bad(row: pa.csv.InvalidRow) -> str:
        if row.text.strip():  # a blank line is not a record
            bad.append((row.text, row.actual_columns))
        return "skip"

    names = list(map(str, range(columns)))
    table = pa.csv.read_csv(
        io.BytesIO(records),
        pa.csv.ReadOptions(
            column_names=names, block_size=len(records) + 64, use_threads=False
        ),
        pa.csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=on_bad
        ),
        pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[],
            strings_can_be_null=False, check_utf8=False,
        ),
    )  # fmt: skip
    arrays = [column.combine_chunks() for column in table.columns]
    arrays = [array.chunk(0) if isinstance(array, pa.ChunkedArray) else array for array in arrays]
    return arrays, _with_lines(records, bad)


def _with_lines(records: bytes, bad: list[tuple[str, int]]) -> list[BadRecord]:
    with_lines, start, line = [], 0, 0
    for text, fields in bad:
        # The next line that begins with this text.
        encoded = text.encode().rstrip(b"\r\n")
        place = start
        while (place := records.find(encoded, place)) > 0 and records[place - 1] not in b"\r\n":
            place += 1
        if place < 0:
            place = start
        line += _lines(records[start:place])
        with_lines.append(BadRecord(line, text.rstrip("\r\n"), fields))
        start = place + len(encoded)
        line += _lines(records[place:start])
    return with_lines


def _lines(text: bytes) -> int:
    return text.count(b"\n") or text.count(b"\r")


def fields_of(record: bytes, separator: str) -> list[str]:
    """Return the fields of one record."""
    rows = csv.reader(io.StringIO(record.decode("utf-8", "replace"), newline=""),
                      delimiter=separator)  # fmt: skip
    limit = csv.field_size_limit()
    if len(record) > limit:
        csv.field_size_limit(len(record))
    return next((row for row in rows if row), [])


def separator_of(lines: Sequence[bytes], usual: str) -> str:
    """Return the field separator of some lines, the first of which is the header.

    Args:
        lines: The first lines of the text.
        usual: The separator to return if the lines don't tell.
    """
    counts = {}
    for separator in dict.fromkeys((usual, *SEPARATORS)):
        rows = [len(fields_of(line, separator)) for line in lines[:_SNIFFED] if line.strip()]
        if rows and rows[0] > 1 and all(count == rows[0] for count in rows):
            counts[separator] = rows[0]
    if usual in counts:
        return usual
    if counts:
        return max(counts, key=lambda separator: counts[separator])
    # No separator fits all lines: take the header's.
    header = lines[0] if lines else b""
    if usual.encode() in header:
        return usual
    return next((mark for mark in SEPARATORS if mark.encode() in header), usual)
