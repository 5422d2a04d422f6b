"""Reads records of CSV and TSV as typed rows. The first record is the header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from livetable.feed.sources.bad_lines import BadLine, BadLines
from livetable.feed.sources.fitting_types import OtherTypes
from livetable.feed.sources.records import Records, fields_of, separator_of, texts_of
from livetable.feed.sources.table_of_texts import kinds_of, typed
from livetable.feed.sources.values import Kind, NotFitting


class CsvReader:
    """Reads CSV: the first record is the header.

    Args:
        separator: The field separator, None to detect it.
        usual: The separator of text that does not tell.
        types: Types of columns, so as not to detect them.
        known: The types that an earlier reader of the same text detected.
        units: Whether `12G` is a quantity.
        trims: Whether to strip blanks around column names.

    Attributes:
        names: The columns' names, None until they are known.
        header_lines: How many lines the header took.
    """

    def __init__(
        self,
        separator: str | None,
        usual: str,
        types: Mapping[str, pa.DataType],
        known: list[Kind] | None,
        *,
        units: bool,
        trims: bool,
    ) -> None:
        self._trims = trims
        self.names: list[str] | None = None
        self.header_lines = 0
        self._usual = usual
        self._separator = separator
        self._types = types
        self._known = known
        self._kinds: list[Kind] = []
        self._units = units
        self._records: Records | None = None if separator is None else Records(separator)
        self._start = b""

    @property
    def rest(self) -> bytes:
        """The text of the incomplete record."""
        return self._start if self._records is None else self._records.rest

    @property
    def open_quote(self) -> bool:
        """Whether lines wait for a quote that closes a field."""
        return self._records is not None and self._records.open_quote is not None

    def add(self, text: bytes) -> bytes:
        """Return the records that are now complete."""
        if self._records is None:
            self._start += text
            if b"\n" not in self._start and b"\r" not in self._start:
                return b""
            return self._begin()[1]
        return self._records.add(text)

    def begin(self, names: list[str], separator: str | None) -> None:
        """Read records without a header: these are the columns."""
        self.names = names
        self._separator = separator or self._separator or self._usual
        self._records = Records(self._separator)

    def _begin(self) -> tuple[Records, bytes]:
        text, self._start = self._start, b""
        lines = text[:65_536].splitlines()
        if len(text) > 65_536 or not text.endswith((b"\n", b"\r")):
            lines = lines[:-1] or lines
        self._separator = separator_of(lines, self._usual)
        self._records = records = Records(self._separator)
        return records, records.add(text)

    def read_as_text(self) -> bytes:
        """Return the records that are complete if an unclosed quote is text."""
        assert self._records is not None
        return self._records.read_as_text()

    def finish(self) -> bytes:
        """Return the rest, after the last piece."""
        if self._records is None:
            if not self._start.strip():
                self._start = b""
                return b""
            records, whole = self._begin()
            return whole + records.finish()
        return self._records.finish()

    def tail(self, record: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]:
        """Return the row of the unfinished record."""
        if self.names is None:  # half a header, or only a header
            separator = self._separator or separator_of([record], self._usual)
            names = fields_of(record, separator)
            return pa.table([pa.array([], pa.string()) for _ in names], names=names), []
        return self.rows(record, has_rows)

    def rows(self, records: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]:
        """Return records as rows, and the unreadable records, numbered from 0.

        Args:
            records: Whole records.
            has_rows: Whether rows were returned before: then their types stay.

        Raises:
            OtherTypes: they don't fit the types of earlier rows.
            BadLines: a value does not fit the given type.
        """
        assert self._separator is not None
        names = self.names
        if names is None:
            header, records = self._header(records)
            if header is None:
                return None, []
            names = header
        if not records.strip(b"\r\n"):
            self.names = names
            return None, []
        arrays, bad = texts_of(records, len(names), self._separator)
        if not has_rows and not len(arrays[0]) and bad:
            more = self._with_one_more(names, bad)
            if more is not None:
                names = more
                arrays, bad = texts_of(records, len(names), self._separator)
        table = self._typed(names, arrays, has_rows)
        self.names = names
        return table, [
            BadLine(
                record.line, record.text, f"has {counted(record.fields, 'value')}, not {len(names)}"
            )
            for record in bad
        ]

    def _header(self, records: bytes) -> tuple[list[str] | None, bytes]:
        """Return the first record's fields, and the records after it."""
        assert self._separator is not None
        self.header_lines = 0
        cut = Records(self._separator)
        text = records
        while text:
            end = min(
                (place for place in (text.find(b"\n"), text.find(b"\r")) if place >= 0), default=-1
            )
            line = text if end < 0 else text[: end + 1]
            if line.endswith(b"\r") and text[end + 1 : end + 2] == b"\n":
                line = text[: end + 2]
            text = text[len(line) :]
            self.header_lines += 1
            cut_line = _whole_record(cut, line, last=not text)
            if cut_line is not None and cut_line.strip(b"\r\n"):
                names = fields_of(cut_line.rstrip(b"\r\n"), self._separator)
                return [name.strip() for name in names] if self._trims else names, text
        return None, b""

    def _with_one_more(self, names: list[str], bad: list[Any]) -> list[str] | None:
        """Return names where each row has one field more than the header.

        R leaves out the name of the rows' names, which come first; others end each row, but not
        the header, in a separator.
        """
        if len(bad) < 2 or any(record.fields != len(names) + 1 for record in bad):
            return None
        assert self._separator is not None
        ends = all(record.text.rstrip("\r\n").endswith(self._separator) for record in bad)
        return [*names, ""] if ends else ["", *names]

    def _typed(self, names: list[str], arrays: list[pa.Array], has_rows: bool) -> pa.Table:
        kinds = self._kinds or self._known or []
        if len(kinds) != len(names):
            kinds = kinds_of(names, self._types)
        try:
            table, widened = typed(
                names, arrays, kinds, comma=self._separator == ";", units=self._units
            )
        except NotFitting as error:
            raise BadLines(str(error)) from None
        if has_rows and widened != self._kinds:
            raise OtherTypes(widened)
        self._kinds = widened
        return table


def counted(number: int, what: str) -> str:
    """Return how many of something there are, in words."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _whole_record(records: Records, line: bytes, *, last: bool) -> bytes | None:
    """Return a record that ends with its line, None while a quote is open."""
    end = line[len(line.rstrip(b"\r\n")) :]
    whole = records.add(line[: len(line) - len(end)] + b"\n")
    if whole:
        return whole[:-1] + end
    return records.finish() if last else None
