"""Text that comes piece by piece, from a pipe or a command, published as it comes.

Its form is told by its beginning: JSON, CSV and the like, or what commands print for people.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources import jsontext
from livetable.feed.sources.followed import LATIN1
from livetable.feed.sources.lines import BadLines, Lines, OtherTypes, last_of_each
from livetable.feed.sources.printed import (
    clears,
    is_drawn,
    newest_screen,
    plain,
    read_printed,
    starts_with_value,
)
from livetable.feed.sources.printed_table import Printed
from livetable.feed.sources.records import fields_of, separator_of
from livetable.feed.sources.table_of_texts import marked, table_of_texts
from livetable.feed.sources.utf8 import Utf8

PAUSE: Final = 0.2
"""Seconds without more after which what came is taken for whole lines of a table."""

_KEPT: Final = 64 << 20
_SNIFFED: Final = 1 << 16
_PIECE: Final = 1 << 20  # of more lines than these only Arrow makes a table in good time
_LONGEST_PRINTED: Final = 8 << 20


class Streamed:
    """Publishes a text as it comes.

    Args:
        options: What was asked for on the command line.
        publisher: Where its rows go.
        held: Whether to show nothing until `show` or `finish`.
    """

    def __init__(self, options: Any, publisher: Publisher, *, held: bool = False) -> None:
        self._options = options
        self._publisher = publisher
        self._held = self._is_command = held
        self._waiting: list[bytes] = []
        self._start = b""
        self._reader: _Delimited | _Documents | _Printed | None = None

    def add(self, data: bytes) -> None:
        """Take in what came.

        Raises:
            LivetableError: it is no table.
        """
        if self._held:
            self._waiting.append(data)
            return
        if self._reader is None:
            self._start += data
            if b"\n" not in self._start and len(self._start) < _SNIFFED:
                return
            data, self._start = self._start, b""
            self._reader = self._reader_for(data, last=False)
        self._reader.add(data, last=False)

    def show(self) -> None:
        """Show what came so far, and from now on each row as it comes."""
        if self._held:
            self._held = False
            self.add(b"".join(self._waiting))
            self._waiting.clear()
            self.pause()

    def pause(self) -> None:
        """Nothing more came for a while: what is there are whole lines."""
        if self._reader is not None:
            self._reader.pause()

    def finish(self) -> bool:
        """Take in that nothing more will come; tell whether there was a table.

        Raises:
            LivetableError: it is no table.
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
        return self._reader.shown

    def _reader_for(self, data: bytes, *, last: bool) -> _Delimited | _Documents | _Printed:
        form, separator = form_of(
            data, self._options, last=last, printed=self._is_command and len(data) <= _PIECE
        )
        if form == "json":
            return _Documents(self._options, self._publisher)
        if form == "printed":
            return _Printed(self._options, self._publisher)
        return _Delimited(form, separator, self._options, self._publisher)


def form_of(
    data: bytes, options: Any, *, last: bool, printed: bool = False
) -> tuple[str, str | None]:
    """Return the form of a text by its beginning, and what stands between its fields.

    Args:
        data: The beginning.
        options: What was asked for on the command line.
        last: Whether it is all.
        printed: Whether lines of one word are that, without a header: a command printed them.
    """
    if options.sep is not None:
        return "csv", options.sep
    text = Utf8(options.encoding).add(data[:_SNIFFED], last=last)
    lines = [line for line in re.split(rb"\r\n|\n|\r", text) if line.strip()]
    if len(lines) > 1 and not (last or text.endswith((b"\n", b"\r"))):
        lines = lines[:-1]
    if not lines:
        return "csv", None
    first = lines[0].strip()
    if first.startswith((b"{", b"[")):
        return _json_form(first, lines), None
    if b"\x1b" in text or any(is_drawn(line.decode("utf-8", "replace")) for line in lines[:8]):
        return "printed", None
    return _delimited_form(lines, first, printed=printed)


def _json_form(first: bytes, lines: Sequence[bytes]) -> str:
    if first.startswith(b"["):
        return "json"
    try:
        value = jsontext.loads(first)
    except LivetableError:
        # One broken line among others, or the beginning of a document on several lines?
        return "json" if len(first) < 3 or not _is_object(lines[1:2]) else "jsonl"
    return "jsonl" if isinstance(value, dict) else "json"


def _is_object(lines: Sequence[bytes]) -> bool:
    try:
        return any(isinstance(jsontext.loads(line), dict) for line in lines)
    except LivetableError:
        return False


def _delimited_form(
    lines: Sequence[bytes], first: bytes, *, printed: bool
) -> tuple[str, str | None]:
    if re.match(rb"# (HELP|TYPE|UNIT) ", first):
        return "printed", None
    separator = separator_of(lines, ",")
    counts = [len(fields_of(line, separator)) for line in lines[:20]]
    like_first = sum(count == counts[0] for count in counts)
    enough = 2 * like_first > len(counts) if separator == "," else like_first == len(counts)
    if counts[0] > 1 and enough and not re.search(rb"^[^,]*: |^\d+:\d", first):
        if separator == "\t" and starts_with_value(first.decode("utf-8", "replace")):
            return "printed", None
        return ("tsv", None) if separator == "\t" else ("csv", separator)
    if (
        printed
        or any(re.search(rb"[ \t,]", line) for line in lines)
        or starts_with_value(first.decode("utf-8", "replace"))
    ):
        return "printed", None
    return "csv", ","


class _Shown:
    """Puts tables where they are seen: the first in the place of what was there, others behind."""

    def __init__(self, options: Any, publisher: Publisher) -> None:
        self.shown = False
        self._options = options
        self._publisher = publisher
        self._sent = False

    def put(self, table: pa.Table, *, anew: bool = False) -> None:
        """Show a table's rows behind those there are, or in their place."""
        if self._options.key:
            table = last_of_each(table, self._options.key)
        if anew or not self._sent:
            self._publisher.send(table)
        elif self._options.key:
            self._publisher.upsert(table)
        elif table.num_rows:
            self._publisher.append(table)
        self._sent = bool(table.num_rows) or (self._sent and not anew)
        self.shown = True

    def tell(
        self, unreadable: int, lines: Sequence[tuple[int, str, str]], note: str | None
    ) -> None:
        """Say which lines could not be read, and how the others were."""
        self._publisher.set_source(unreadable=unreadable, lines=tuple(lines[:20]))
        self._publisher.note(note)


@dataclass
class _Piece:
    """A piece of text that is kept, as its rows may have to be read again.

    Attributes:
        data: The piece.
        before: The beginning of its first line, from the piece before.
        rows: How many rows end in it.
        named: Whether the columns' names were known behind it.
    """

    data: bytes
    before: bytes = b""
    rows: int = 0
    named: bool = False


class _Delimited(_Shown):
    """CSV, TSV and JSON lines."""

    def __init__(
        self, form: str, separator: str | None, options: Any, publisher: Publisher
    ) -> None:
        super().__init__(options, publisher)
        self._form = form
        self._separator = separator
        self._lines = self._made(None, options.encoding)
        self._kept: deque[_Piece] = deque()  # what rows were read from
        self._size = 0
        self._complete = True

    def _made(self, known: Any, encoding: str | None) -> Lines:
        return Lines(
            self._form, separator=self._separator, encoding=encoding,
            types=getattr(self._options, "types", None), known=known, trims=True, units=True,
        )  # fmt: skip

    def add(self, data: bytes, *, last: bool) -> None:
        if self._form == "csv" and b"\x1b" in data:
            data = plain(data.decode("latin-1")).encode("latin-1")
        before = self._lines.rows
        piece = _Piece(data, self._lines.came_last)
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
            self.put(table)
        elif self._lines.names is not None and not self._sent:
            self.put(self._lines.empty(), anew=True)
        self._tell()

    def _again(self, known: Any, last: bool) -> None:
        """Read all that is kept again, with types that fit all."""
        header, encoding = self._lines.names, self._lines.encoding
        already = sum(piece.rows for piece in self._kept)
        while True:
            self._lines = lines = self._made(known, encoding)
            tables = []
            try:
                if not self._complete and header is not None and self._form != "jsonl":
                    lines.begin(header, self._separator)
                for piece in self._kept:
                    before = lines.rows
                    table = lines.add(piece.data, last=last and piece is self._kept[-1])
                    piece.rows, piece.named = lines.rows - before, lines.names is not None
                    if table is not None:
                        tables.append(table)
                break
            except OtherTypes as other:
                known = other.known
        if tables:
            table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
            if self._complete or self._options.limit is not None:
                self.put(table, anew=True)
            else:
                self._put_behind(table, already)
        self._tell()

    def _put_behind(self, table: pa.Table, already: int) -> None:
        """Put rows behind those whose text is not kept any more, which get their types.

        Args:
            table: The rows.
            already: How many of them are shown by now; with a key all take their places by it.
        """
        from livetable.feed.frames.decoder import Decoder
        from livetable.feed.rows.dataframe import to_arrow
        from livetable.feed.rows.replica import followed

        there = to_arrow(followed(Decoder()(self._publisher.snapshot())))
        old = there.slice(0, there.num_rows - (0 if self._options.key else already))
        # With columns that only these rows have: their text is not there to be read again.
        fields = [*table.schema, *(one for one in old.schema if one.name not in table.column_names)]
        columns = [
            _cast(old.column(one.name), one.type) if one.name in old.column_names
            else pa.nulls(len(old), one.type)
            for one in fields
        ]  # fmt: skip
        named = pa.table(columns, schema=pa.schema(fields))
        joined = pa.concat_tables([named, table], promote_options="permissive")
        self.put(joined.combine_chunks(), anew=True)

    def _forget(self) -> None:
        """Let go of what only rows were read from that are gone, and of what is too much."""
        limit = self._options.limit
        if limit is not None:
            rows = sum(piece.rows for piece in self._kept)
            while len(self._kept) > 1 and rows - self._kept[0].rows >= limit:
                rows -= self._kept[0].rows
                self._drop()
        while self._size > _KEPT and len(self._kept) > 1:
            self._drop()

    def _drop(self) -> None:
        """Let go of the oldest piece, but for the line that goes on in the next."""
        gone = self._kept.popleft()
        following = self._kept[0]
        self._size += len(following.before) - len(gone.data)
        following.data, following.before = following.before + following.data, b""
        self._complete = self._complete and not gone.named

    def pause(self) -> None:
        if self._lines.open_quote:
            before = self._lines.rows
            try:
                table = self._lines.read_quotes_as_text()
            except OtherTypes as other:
                self._again(other.known, False)
                return
            self._kept[-1].rows += self._lines.rows - before
            if table is not None:
                self.put(table)
            self._tell()

    def _tell(self) -> None:
        lines = self._lines
        note = None
        if lines.is_latin1:
            note = LATIN1
        elif lines.literal_quotes:
            note = "a quote is never closed: it is shown as text"
        self.tell(lines.unreadable, [(one.number, one.text, one.why) for one in lines.bad], note)


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return values in the wider type that rows behind them brought; what has none, as text."""
    try:
        if not pa.types.is_string(kind) or pa.types.is_temporal(values.type):
            return values.cast(kind)
    except (pa.ArrowException, NotImplementedError):
        pass
    return pa.chunked_array([list(map(jsontext.as_text, values.to_pylist()))], pa.string())


class _Documents(_Shown):
    """JSON documents: each one is the table, and the next takes its place."""

    def __init__(self, options: Any, publisher: Publisher) -> None:
        super().__init__(options, publisher)
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
            made = jsontext.document(text)
        except jsontext.BadJson as error:
            *_, newest = text.split(b"\n")
            try:  # one document a line: the newest
                made = jsontext.document(newest)
            except jsontext.BadJson:
                if last:
                    raise BadLines(f"standard input {error}") from None
                return
        self._text = b""
        self.put(marked(made), anew=True)


class _Printed(_Shown):
    """What commands print for people."""

    def __init__(self, options: Any, publisher: Publisher) -> None:
        super().__init__(options, publisher)
        self._utf8 = Utf8(options.encoding)
        self._text = ""
        self._table: Printed | None = None
        self._rows: list[list[str]] = []
        self._kinds: Any = None
        self._anew = False  # whether what comes is another snapshot, not more rows
        self._bad: list[tuple[int, str, str]] = []
        self._count = 0

    def add(self, data: bytes, *, last: bool) -> None:
        self._text += self._utf8.add(data, last=last).decode("utf-8", "replace")
        if last or len(self._text) > _LONGEST_PRINTED:
            self._read(last=last)

    def pause(self) -> None:
        self._read(last=False)

    def _read(self, *, last: bool) -> None:
        whole, end, rest = self._text.rpartition("\n")
        if last:
            whole, end, rest = self._text, "", ""
        if not whole.strip():
            return
        known = self._table.layout.header if self._table and self._table.layout else None
        lines = plain(whole).splitlines()
        if not last and self._table is None and sum(map(bool, map(str.strip, lines))) < 2:
            return  # a header alone: where its columns are the next line tells
        again = known is not None and any(line.rstrip() == known for line in lines)
        if clears(whole) or again:
            self._anew = True
        if self._table is None or self._anew:
            self._replace(whole + end, known)
            # Of a screen that is being written the beginning stays.
            self._text = (self._last_screen(whole + end, known) if self._anew else "") + rest
        else:
            self._text = rest
            self._append(lines)

    def _last_screen(self, text: str, known: str | None) -> str:
        if clears(text):
            return "\x1b[H" + newest_screen(text)
        at = text.rfind(f"{known}") if known else 0
        return text[max(0, at) :]

    def _replace(self, text: str, known: str | None) -> None:
        self._table = table = read_printed(newest_screen(text), known)
        self._bad = list(table.unreadable)
        self._rows, self._kinds = list(table.rows), None
        if not table.rows and self.shown and self._anew:
            return  # a screen that was only cleared yet
        made, self._kinds = table_of_texts(table.names, self._rows, self._types, units=True)
        self.put(made, anew=True)
        self.tell(len(self._bad), self._bad, table.note)

    @property
    def _types(self) -> Any:
        return getattr(self._options, "types", None)

    def _append(self, lines: Sequence[str]) -> None:
        assert self._table is not None
        layout = self._table.layout
        fresh = []
        for line in lines:
            self._count += 1
            if not line.strip():
                continue
            cells = None if layout is None else layout.cut(line.rstrip())
            if cells is None:
                number = len(self._rows) + len(self._bad) + 2
                self._bad.append((number, line[:200], "does not fit the columns of the header"))
            else:
                fresh.append(cells)
        if fresh:
            self._rows += fresh
            if self._options.limit is not None:
                del self._rows[: -self._options.limit or None]
            names = self._table.names
            made, kinds = table_of_texts(names, fresh, self._types, self._kinds, units=True)
            if kinds != self._kinds and self._sent:
                made, self._kinds = table_of_texts(
                    names, self._rows, self._types, kinds, units=True
                )
                self.put(made, anew=True)
            else:
                self._kinds = kinds
                self.put(made)
        self.tell(len(self._bad), self._bad, self._table.note)
