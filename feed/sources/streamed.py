"""Publishes text from a pipe or a command, piece by piece as it arrives.

Its beginning decides the form: JSON, CSV and the like, or what commands print for people.
"""

from __future__ import annotations

from typing import Final, Protocol

from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.bad_lines import BadLines
from livetable.feed.sources.delimited import Delimited
from livetable.feed.sources.json_documents import document
from livetable.feed.sources.json_values import BadJson
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.printed_rows import PrintedRows
from livetable.feed.sources.shown_table import ShownTable
from livetable.feed.sources.table_of_texts import marked
from livetable.feed.sources.text_form import SNIFFED, form_of
from livetable.feed.sources.utf8 import Utf8

PAUSE: Final = 0.2
"""Seconds of silence after which the text so far counts as complete lines."""

_PIECE: Final = 1 << 20  # for longer text only Arrow is fast enough
_LONGEST_PRINTED: Final = 8 << 20


class _Reader(Protocol):
    """Shows a text of one format as it arrives."""

    def add(self, data: bytes, *, last: bool) -> None: ...
    def pause(self) -> None: ...


class Streamed:
    """Publishes a text as it arrives.

    Args:
        options: What was asked for on the command line.
        publisher: Where its rows go.
        held: Whether to show nothing until `show` or `finish`.
    """

    def __init__(self, options: TextOptions, publisher: Publisher, *, held: bool = False) -> None:
        self._options = options
        self._table = ShownTable(publisher, options.key)
        self._held = self._is_command = held
        self._waiting: list[bytes] = []
        self._start = b""
        self._reader: _Reader | None = None

    def add(self, data: bytes) -> None:
        """Add the next piece.

        Raises:
            LivetableError: it is not a table.
        """
        if self._held:
            self._waiting.append(data)
            return
        if self._reader is None:
            self._start += data
            if b"\n" not in self._start and len(self._start) < SNIFFED:
                return
            data, self._start = self._start, b""
            self._reader = self._reader_for(data, last=False)
        self._reader.add(data, last=False)

    def show(self) -> None:
        """Show the rows so far, and from now on each row as it arrives."""
        if self._held:
            self._held = False
            self.add(b"".join(self._waiting))
            self._waiting.clear()
            self.pause()

    def pause(self) -> None:
        """Take the text so far as complete lines: nothing has arrived for a while."""
        if self._reader is not None:
            self._reader.pause()

    def finish(self) -> bool:
        """Read the rest; tell whether there was a table.

        Raises:
            LivetableError: it is not a table.
        """
        if self._held:
            self._start = b"".join(self._waiting)
            self._held = False
        data, self._start = self._start, b""
        if self._reader is None:
            if not data.strip():
                return False
            self._reader = self._reader_for(data, last=True)
        self._reader.add(data, last=True)
        return self._table.shown

    def _reader_for(self, data: bytes, *, last: bool) -> _Reader:
        form, separator = form_of(
            data, self._options, last=last, printed=self._is_command and len(data) <= _PIECE
        )
        if form == "json":
            return _Documents(self._options, self._table)
        if form == "printed":
            return _Prints(self._options, self._table)
        return Delimited(form, separator, self._options, self._table)


class _Documents:
    """JSON documents: each replaces the table."""

    def __init__(self, options: TextOptions, table: ShownTable) -> None:
        self._table = table
        self._utf8 = Utf8(options.encoding)
        self._text = b""

    def add(self, data: bytes, *, last: bool) -> None:
        self._text += self._utf8.add(data, last=last)
        if last:
            self._read(last=True)
        elif data.endswith(b"\n"):
            self._read(last=False)

    def pause(self) -> None:
        self._read(last=False)

    def _read(self, *, last: bool) -> None:
        text = self._text.strip()
        if not text or not (last or text.endswith((b"]", b"}"))):
            return
        try:
            table = document(text)
        except BadJson as error:
            *_, newest = text.split(b"\n")
            try:  # one document per line: show the newest
                table = document(newest)
            except BadJson:
                if last:
                    raise BadLines(f"standard input {error}") from None
                return
        self._text = b""
        self._table.put(marked(table), anew=True)


class _Prints:
    """Output that commands print for people."""

    def __init__(self, options: TextOptions, table: ShownTable) -> None:
        self._table = table
        self._utf8 = Utf8(options.encoding)
        self._rows = PrintedRows(options.types, options.limit)

    def add(self, data: bytes, *, last: bool) -> None:
        self._rows.add(self._utf8.add(data, last=last).decode("utf-8", "replace"))
        if last or self._rows.waiting > _LONGEST_PRINTED:
            self._read(last=last)

    def pause(self) -> None:
        self._read(last=False)

    def _read(self, *, last: bool) -> None:
        update = self._rows.read(last=last)
        if update is None:
            return
        if update.table is not None:
            self._table.put(update.table, anew=update.anew)
        self._table.tell_unreadable(len(self._rows.bad), self._rows.bad)
        self._table.publisher.note(self._rows.note)
