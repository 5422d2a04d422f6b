"""Reads text that arrives in pieces as rows: CSV, TSV and JSON lines, complete lines only."""

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
"""The most unreadable lines whose text is kept."""

LATIN1: Final = "not UTF-8: shown as Latin-1. Name another encoding with --encoding"
"""The note on text that is not UTF-8 and has no byte-order mark."""

UNCLOSED: Final = "a quote is never closed: it is shown as text"
"""The note on text in which an unclosed quote was read as text."""

_LONGEST_KEPT: Final = 200
_USUAL: Final = {"csv": ",", "tsv": "\t"}


class _Reader(Protocol):
    """Reads records of one format; see `CsvReader` for the methods."""

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
        separator: The field separator, None to detect it.
        encoding: The text's encoding, None to detect it.
        types: Types of columns, so as not to detect them.
        known: The types that an earlier reader of the same text detected (`OtherTypes`).
        units: Whether `12G` is a quantity, for the output of commands.
        trims: Whether to strip blanks around column names.
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
        """Whether an unclosed quote was read as text."""
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
        """The columns' names, None until they are known."""
        return self._reader.names

    @property
    def is_latin1(self) -> bool:
        """Whether lines that are not UTF-8 were read as Latin-1."""
        return self._utf8.as_latin1 is not None or bool(self._utf8.pending)

    @property
    def unfinished(self) -> bool:
        """Whether the last line is unfinished."""
        return bool(self.rest.strip())

    @property
    def open_quote(self) -> bool:
        """Whether lines wait for a quote that closes a field."""
        return self._reader.open_quote

    @property
    def note(self) -> str | None:
        """A note on how the text was read, or None."""
        if self.is_latin1:
            return LATIN1
        return UNCLOSED if self.literal_quotes else None

    def add(self, data: bytes, *, last: bool = False) -> pa.Table | None:
        """Return the rows of the lines that are now complete, None if there are none.

        Args:
            data: The next piece of text.
            last: Whether it is the last piece: then a line without an end counts, too.

        Raises:
            OtherTypes: they don't fit the types of earlier rows.
            BadLines: no line can be read.
        """
        whole = self._reader.add(self._utf8.add(data, last=last))
        if last:
            if self._reader.open_quote:
                whole += self._reader.read_as_text()
                self.literal_quotes = True
            whole += self._reader.finish()
        return self._rows(whole)

    def read_quotes_as_text(self) -> pa.Table | None:
        """Return the rows that are complete if an unclosed quote is read as text.

        Raises:
            OtherTypes: they don't fit the types of earlier rows.
        """
        self.literal_quotes = True
        return self._rows(self._reader.read_as_text())

    def begin(self, names: Sequence[str], separator: str | None) -> None:
        """Read lines without a header: these are the columns."""
        self._reader.begin(list(names), separator)

    def tail(self) -> pa.Table | None:
        """Return the row of the unfinished line, without adding it.

        Raises:
            OtherTypes: it does not fit the types of earlier rows.
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
        """Return the table without rows, for a header alone."""
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
        known: The column types that an earlier reader detected.
    """
    return Lines(
        form, separator=options.sep, encoding=options.encoding, types=options.types, known=known
    )
