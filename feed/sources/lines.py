"""Text that comes piece by piece, as rows: CSV, TSV and JSON lines, whole lines only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import pyarrow as pa

from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.csv_reader import CsvReader
from livetable.feed.sources.fitting_types import KnownTypes
from livetable.feed.sources.json_reader import JsonReader
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.utf8 import Utf8

MOST_KEPT: Final = 100
"""Lines that can't be read of which the text is kept."""

LATIN1: Final = "not UTF-8: shown as Latin-1. Name another encoding with --encoding"
"""Said of text in no encoding that is found out."""

UNCLOSED: Final = "a quote is never closed: it is shown as text"
"""Said of a text in which a quote that nothing closes was read as text."""

_LONGEST_KEPT: Final = 200
_USUAL: Final = {"csv": ",", "tsv": "\t"}


class _Reader(Protocol):
    """Reads records of one form; `CsvReader` says what each of these does."""

    names: list[str] | None
    header_lines: int

    @property
    def rest(self) -> bytes: ...
    @property
    def open_quote(self) -> bool: ...
    def add(self, text: bytes) -> bytes: ...
    def begin(self, names: list[str], separator: str | None) -> None: ...
    def read_as_text(self) -> bytes: ...
    def finish(self) -> bytes: ...
    def tail(self, record: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]: ...
    def rows(self, records: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]: ...


class Lines:
    """Turns pieces of text into rows, each row once.

    Args:
        form: ``csv``, ``tsv`` or ``jsonl``.
        separator: The field separator; None: it is found out.
        encoding: The text's encoding; None: it is found out.
        types: Types of columns that are not to be found out.
        known: What an earlier reader of the same text found out (`OtherTypes`).
        units: Whether `12G` is a quantity: what commands print.
        trims: Whether blanks around a column's name are no part of it.
    """

    def __init__(
        self,
        form: str,
        *,
        separator: str | None = None,
        encoding: str | None = None,
        types: Mapping[str, pa.DataType] | None = None,
        known: KnownTypes = None,
        units: bool = False,
        trims: bool = False,
    ) -> None:
        self.unreadable = 0
        """How many lines could not be read."""
        self.bad: list[BadLine] = []
        """The first of them."""
        self.rows = 0
        """How many rows there are so far."""
        self.literal_quotes = False
        """Whether a quote that nothing closes was read as text."""
        self._utf8 = Utf8(encoding)
        self._line = 1
        given_types = dict(types or {})
        self._reader: _Reader
        if form == "jsonl":
            self._reader = JsonReader(given_types, known)
        else:
            self._reader = CsvReader(
                separator, _USUAL[form], given_types, known, units=units, trims=trims
            )

    @property
    def names(self) -> list[str] | None:
        """The columns' names, None as long as nobody knows them."""
        return self._reader.names

    @property
    def is_latin1(self) -> bool:
        """Whether lines that are not UTF-8 were read as Latin-1."""
        return self._utf8.as_latin1 is not None or bool(self._utf8.pending)

    @property
    def unfinished(self) -> bool:
        """Whether there is the beginning of a line that does not end yet."""
        return bool(self.rest.strip())

    @property
    def open_quote(self) -> bool:
        """Whether lines wait for a quote that closes a field."""
        return self._reader.open_quote

    @property
    def note(self) -> str | None:
        """What there is to say of how the text was read."""
        if self.is_latin1:
            return LATIN1
        return UNCLOSED if self.literal_quotes else None

    def add(self, data: bytes, *, last: bool = False) -> pa.Table | None:
        """Return the rows of the lines that are whole now, None if there are none.

        Args:
            data: What came.
            last: Whether nothing more will come: then a line without an end is whole, too.

        Raises:
            OtherTypes: they don't fit the types of the rows before.
            BadLines: they can't be read at all.
        """
        whole = self._reader.add(self._utf8.add(data, last=last))
        if last:
            if self._reader.open_quote:
                whole += self._reader.read_as_text()
                self.literal_quotes = True
            whole += self._reader.finish()
        return self._rows(whole)

    def read_quotes_as_text(self) -> pa.Table | None:
        """Return the rows that are whole when a quote that nothing closes is read as text.

        Raises:
            OtherTypes: they don't fit the types of the rows before.
        """
        self.literal_quotes = True
        return self._rows(self._reader.read_as_text())

    def begin(self, names: Sequence[str], separator: str | None) -> None:
        """Read lines without a header, which is known."""
        self._reader.begin(list(names), separator)

    def tail(self) -> pa.Table | None:
        """Return the row that the line without an end would be; it is still to be added.

        Raises:
            OtherTypes: it does not fit the types of the rows before.
        """
        rest = self.rest
        if not rest.strip() or self._reader.open_quote:
            return None
        table, _ = self._reader.tail(rest.rstrip(b"\r"), self.rows > 0)
        return table

    @property
    def rest(self) -> bytes:
        """The unfinished last line, as UTF-8."""
        return self._reader.rest + self._utf8.pending

    @property
    def unfinished_bytes(self) -> bytes:
        """The unfinished last line in the original encoding."""
        return self._utf8.in_original_encoding(self._reader.rest)

    @property
    def encoding(self) -> str | None:
        """The text's encoding as given or from its byte-order mark, None for neither."""
        return self._utf8.encoding

    @property
    def line(self) -> int:
        """The number of that line, from 1."""
        return self._line

    def empty(self) -> pa.Table:
        """Return the table without rows: what a header alone is."""
        names = self.names or []
        return pa.table([pa.array([], pa.string()) for _ in names], names=names)

    def _rows(self, whole: bytes) -> pa.Table | None:
        if not whole:
            return None
        first, self._line = self._line, self._line + (whole.count(b"\n") or whole.count(b"\r"))
        before = self._reader.names is not None
        table, bad = self._reader.rows(whole, self.rows > 0)
        if not before and self._reader.header_lines:
            first += self._reader.header_lines
        self.unreadable += len(bad)
        for line in bad[: MOST_KEPT - len(self.bad)]:
            self.bad.append(BadLine(first + line.number, line.text[:_LONGEST_KEPT], line.reason))
        if table is None or not table.num_rows:
            return None
        self.rows += table.num_rows
        return table


def lines_with(form: str, options: TextOptions, known: KnownTypes = None) -> Lines:
    """Return a reader of a text's lines as the command line says.

    Args:
        form: The text's form.
        options: How it is read.
        known: What an earlier reader found out of the columns' types.
    """
    return Lines(
        form, separator=options.sep, encoding=options.encoding, types=options.types, known=known
    )
