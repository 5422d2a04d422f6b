"""Standard input as a source: rows as they come, told apart by the first line."""

from __future__ import annotations

import argparse
import io
import os
import re
import threading
from typing import Any, Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.publisher import Publisher
from livetable.feed.sources.lines import BadLines, Lines, OtherTypes, last_of_each

_PIECE: Final = 1 << 20
_BLANKS: Final = re.compile(rb"[ \t]+")


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish what comes until it ends; the table stays to be looked at."""
    reader = threading.Thread(target=_read, args=(options, publisher, stop), daemon=True)
    reader.start()
    stop.wait()


def _read(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    rows = _Rows(options, publisher)
    try:
        first = os.read(options.data, _PIECE)
        while 0 < len(first) < _MAGIC and (more := os.read(options.data, _PIECE)):
            first += more
        if first.startswith(_BINARY):
            _read_binary(_Joined(first, options.data), first, rows, stop)
        else:
            rows.add(first)
            while not stop.is_set() and (data := os.read(options.data, _PIECE)):
                rows.add(data)
            rows.add(b"", last=True)
    except (LivetableError, OSError) as error:
        publisher.fail(f"standard input can't be read further: {error}", for_good=True)
        return
    if not stop.is_set():
        if publisher._state.seq:
            publisher.end()
        else:
            publisher.fail("standard input ended without a row")


_BINARY: Final = (b"\xff\xff\xff\xff", b"ARROW1", b"PAR1")
_MAGIC: Final = 6


class _Joined(io.RawIOBase):
    """What was read already, and then what comes.

    Args:
        first: What was read.
        source: A file descriptor.
    """

    def __init__(self, first: bytes, source: int) -> None:
        self._first = memoryview(first)
        self._source = source

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        data = self._first[: len(buffer)] or os.read(self._source, len(buffer))
        self._first = self._first[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _read_binary(file: io.RawIOBase, first: bytes, rows: _Rows, stop: threading.Event) -> None:
    """Put an Arrow stream batch by batch, as they come; of a file all of it, once it is there."""
    if not first.startswith(_BINARY[0]):
        from livetable.feed.sources.bodies import recognise

        rows.put(recognise(file.read(), pickles=False))
        return
    try:
        with pa.ipc.open_stream(io.BufferedReader(file, 1 << 16)) as stream:
            for batch in stream:
                if stop.is_set():
                    return
                batch.validate(full=True)
                if batch.num_rows:
                    rows.put(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise BadLines(f"no whole Arrow stream: {error}".split("\n")[0][:200]) from None


class _Rows:
    """Rows that were read so far.

    Args:
        options: What was asked for on the command line.
        publisher: Where they go.
    """

    def __init__(self, options: argparse.Namespace, publisher: Publisher) -> None:
        self._options = options
        self._publisher = publisher
        self._lines: Lines | None = None
        self._columns: ColumnsApart | None = None
        self._start = b""

    def add(self, data: bytes, *, last: bool = False) -> None:
        """Take in what came.

        Raises:
            BadLines: it is no table.
        """
        if self._lines is None:
            self._start += data
            first, found, _ = self._start.partition(b"\n")
            if not found and not last:
                return
            form = form_of(first, self._options.sep)
            self._columns = ColumnsApart(first) if form == "columns" else None
            self._lines = Lines(
                "csv" if form == "columns" else form,
                separator="\t" if form == "columns" else self._options.sep,
                encoding=self._options.encoding,
                types=getattr(self._options, "types", None),
            )
            data, self._start = self._start, b""
        if self._columns is not None:
            data = self._columns.split(data, last=last)
        try:
            table = self._lines.add(data, last=last)
        except OtherTypes as other:
            table = self._widen(other.types, last)
        if table is not None:
            self.put(table)

    def _widen(self, types: dict[str, pa.DataType], last: bool) -> pa.Table | None:
        """Give the rows so far types that fit those that came, too; return these."""
        assert self._lines is not None
        self._lines.types = types
        there = self._publisher._state
        if there.seq:
            from livetable.feed.changes import whole

            state = there.change(lambda table: table.now, 0.0, 0.0)
            with pa.ipc.open_stream(whole(state).data) as stream:
                rows = stream.read_all()
            columns = {
                name: rows.column(name).cast(kind)
                if name in rows.column_names
                else pa.nulls(len(rows), kind)
                for name, kind in types.items()
            }
            self._publisher.send(pa.table(columns))
        return self._lines.add(b"", last=last)

    def put(self, table: pa.Table) -> None:
        """Put rows behind those there are, or by key."""
        if self._options.key:
            self._publisher.upsert(last_of_each(table, self._options.key))
        elif self._publisher._state.seq:
            self._publisher.append(table)
        else:
            self._publisher.send(table)


def form_of(first: bytes, separator: str | None) -> str:
    """Return the form of text by its first line: jsonl, csv, tsv or columns."""
    if separator is not None:
        return "csv"
    line = first.strip()
    if line.startswith(b"{"):
        return "jsonl"
    if b"\t" in line:
        return "tsv"
    if b"," in line or not _BLANKS.search(line):
        return "csv"
    return "columns"


class ColumnsApart:
    """Makes text in columns, as `ps` and `df` print it, into one with tabs.

    Args:
        header: The first line; the last of its columns takes all that is left of a line.
    """

    def __init__(self, header: bytes) -> None:
        self._count = len(_BLANKS.split(header.strip()))
        self._rest = b""

    def split(self, data: bytes, *, last: bool) -> bytes:
        """Return the whole lines with tabs between their values."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = b""
        made = []
        for line in lines:
            values = _BLANKS.split(line.strip(), self._count - 1)
            if values != [b""]:
                values += [b""] * (self._count - len(values))
                quoted = (b'"' + value.replace(b'"', b'""') + b'"' for value in values)
                made.append(b"\t".join(quoted) + b"\n")
        return b"".join(made)
