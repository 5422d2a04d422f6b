"""CSV, TSV and JSON lines that come in pieces: read again where types change."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from livetable.feed.sources.fitting_types import KnownTypes, OtherTypes, read_until_types_fit
from livetable.feed.sources.json_columns import as_texts
from livetable.feed.sources.lines import Lines
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.printed import plain
from livetable.feed.sources.shown_table import ShownTable

KEPT: Final = 64 << 20
"""Bytes of text that are kept to be read again; of more the oldest go."""


@dataclass
class _Piece:
    """A piece of text that is kept, as its rows may have to be read again.

    Attributes:
        data: The piece.
        before: The beginning of its first line, from the piece before.
        rows: How many rows end in it.
        named: Whether the columns' names were known after it.
    """

    data: bytes
    before: bytes = b""
    rows: int = 0
    named: bool = False


class Delimited:
    """Shows CSV, TSV and JSON lines as they arrive.

    Args:
        form: ``csv``, ``tsv`` or ``jsonl``.
        separator: The field separator, None for the form's usual separator.
        options: What was asked for on the command line.
        table: Where the rows go.
    """

    def __init__(
        self, form: str, separator: str | None, options: TextOptions, table: ShownTable
    ) -> None:
        self._table = table
        self._options = options
        self._form = form
        self._separator = separator
        self._lines = self._lines_with(None, options.encoding)
        self._kept: deque[_Piece] = deque()  # the text of the kept rows
        self._size = 0
        self._complete = True

    def _lines_with(self, known: KnownTypes, encoding: str | None) -> Lines:
        return Lines(
            self._form, separator=self._separator, encoding=encoding,
            types=self._options.types, known=known, trims=True, units=True,
        )  # fmt: skip

    def add(self, data: bytes, *, last: bool) -> None:
        """Show the rows that are now complete.

        Args:
            data: The next piece of text.
            last: Whether it is the last piece.

        Raises:
            LivetableError: it is not a table.
        """
        if self._form == "csv" and b"\x1b" in data:
            data = plain(data.decode("latin-1")).encode("latin-1")
        before = self._lines.rows
        piece = _Piece(data, self._lines.unfinished_bytes)
        self._kept.append(piece)
        self._size += len(data)
        try:
            table = self._lines.add(data, last=last)
        except OtherTypes as other:
            self._again(other.known, last)
            return
        piece.rows, piece.named = self._lines.rows - before, self._lines.names is not None
        self._forget()
        if table is not None:
            self._table.put(table)
        elif self._lines.names is not None and not self._table.has_rows:
            self._table.put(self._lines.empty(), anew=True)
        self._tell()

    def _again(self, known: KnownTypes, last: bool) -> None:
        """Read all kept text again, with types that fit all of it, and show that."""
        header, encoding = self._lines.names, self._lines.encoding
        already = sum(piece.rows for piece in self._kept)

        def read(known: KnownTypes) -> list[pa.Table]:
            self._lines = self._lines_with(known, encoding)
            if not self._complete and header is not None and self._form != "jsonl":
                self._lines.begin(header, self._separator)
            return self._kept_tables(last)

        if tables := read_until_types_fit(read, known):
            table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
            if self._complete or self._options.limit is not None:
                self._table.put(table, anew=True)
            else:
                self._put_after(table, already)
        self._tell()

    def _kept_tables(self, last: bool) -> list[pa.Table]:
        """Return the rows of each piece that is kept, and note how many each has."""
        lines, tables = self._lines, []
        for piece in self._kept:
            before = lines.rows
            table = lines.add(piece.data, last=last and piece is self._kept[-1])
            piece.rows, piece.named = lines.rows - before, lines.names is not None
            if table is not None:
                tables.append(table)
        return tables

    def _put_after(self, table: pa.Table, already: int) -> None:
        """Add rows to those whose text is no longer kept, and give all of them the same types.

        Args:
            table: The rows.
            already: How many of them are shown by now; with a key all take their places by it.
        """
        from livetable.feed.frames.decoder import Decoder
        from livetable.feed.rows.dataframe import to_arrow
        from livetable.feed.rows.replica import followed

        shown = to_arrow(followed(Decoder()(self._table.publisher.snapshot())))
        old = shown.slice(0, shown.num_rows - (0 if self._options.key else already))
        # Keep columns that only the old rows have: their text is gone.
        fields = [
            *table.schema,
            *(field for field in old.schema if field.name not in table.column_names),
        ]
        columns = [
            _cast(old.column(field.name), field.type) if field.name in old.column_names
            else pa.nulls(len(old), field.type)
            for field in fields
        ]  # fmt: skip
        named = pa.table(columns, schema=pa.schema(fields))
        joined = pa.concat_tables([named, table], promote_options="permissive")
        self._table.put(joined.combine_chunks(), anew=True)

    def _forget(self) -> None:
        """Drop the text of rows that are gone; if it is still too much, the oldest."""
        limit = self._options.limit
        if limit is not None:
            rows = sum(piece.rows for piece in self._kept)
            while len(self._kept) > 1 and rows - self._kept[0].rows >= limit:
                rows -= self._kept[0].rows
                self._drop()
        while self._size > KEPT and len(self._kept) > 1:
            self._drop()

    def _drop(self) -> None:
        """Drop the oldest piece, except for the line that continues in the next."""
        gone = self._kept.popleft()
        following = self._kept[0]
        self._size += len(following.before) - len(gone.data)
        following.data, following.before = following.before + following.data, b""
        self._complete = self._complete and not gone.named

    def pause(self) -> None:
        """Read an open quote as text: nothing has arrived for a while."""
        while self._lines.open_quote:
            before = self._lines.rows
            try:
                table = self._lines.read_quotes_as_text()
            except OtherTypes as other:
                self._again(other.known, False)
                continue  # in the text read again, the quote is still open
            self._kept[-1].rows += self._lines.rows - before
            if table is not None:
                self._table.put(table)
            self._tell()
            return

    def _tell(self) -> None:
        self._table.tell_unreadable(self._lines.unreadable, self._lines.bad)
        self._table.publisher.note(self._lines.note)


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return values in the wider type of the rows after them; as text where no type fits."""
    try:
        if not pa.types.is_string(kind) or pa.types.is_temporal(values.type):
            return values.cast(kind)
    except (pa.ArrowException, NotImplementedError):
        pass
    return pa.chunked_array([as_texts(values)])
