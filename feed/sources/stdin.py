"""Standard input, or a named pipe, as a source: rows as they come, told apart by the beginning."""

from __future__ import annotations

import argparse
import io
import os
import select
import threading
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from livetable.feed.base.crash_report import kept, told
from livetable.feed.errors import LivetableError
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.lines import BadLines, last_of_each
from livetable.feed.sources.streamed import PAUSE, Streamed

_PIECE: Final = 1 << 20


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish what comes until it ends; the table stays to be looked at."""
    reader = threading.Thread(target=_read, args=(options, publisher, stop), daemon=True)
    reader.start()
    stop.wait()


def open_pipe(path: Path) -> int:
    """Return a descriptor of a named pipe, whether somebody writes to it yet or not."""
    found = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(found, True)
    return found


def _read(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    what = "standard input" if options.source == "-" else options.source
    try:
        shown = _read_all(options, publisher, stop)
    except (LivetableError, OSError) as error:
        publisher.fail(f"{what} can't be read further: {error}", for_good=True)
        return
    except Exception as error:  # nobody thought of it: else rows would be waited for without a word
        publisher.fail(f"{what} can't be read further: {told(error)}. {kept()}", for_good=True)
        return
    if not stop.is_set():
        if shown:
            publisher.end()
        else:
            publisher.fail(f"{what} ended without a row")


def _read_all(options: Any, publisher: Publisher, stop: threading.Event) -> bool:
    """Publish all that comes; tell whether it was a table."""
    source: int = options.data
    # A named pipe to which nobody has written yet would say that it ended.
    if hasattr(select, "poll"):
        waits = select.poll()
        waits.register(source, select.POLLIN | select.POLLHUP)
        while not stop.is_set() and not waits.poll(1000):
            pass
    first = os.read(source, _PIECE)
    while 0 < len(first) < _MAGIC and (more := os.read(source, _PIECE)):
        first += more
    if first.startswith(_BINARY):
        _read_binary(_Joined(first, source), first, _Tables(options, publisher), stop)
        return True
    rows = Streamed(options, publisher)
    rows.add(first)
    while not stop.is_set():
        if not _is_ready(source):
            rows.pause()
        data = read_ready(source)
        if not data:
            break
        rows.add(data)
    return rows.finish()


def read_ready(source: int) -> bytes:
    """Return what there is to read now, waiting for the first of it; nothing at the end.

    All at once: a pipe holds 64 kB, and to add so few rows again and again takes longer.
    """
    data = os.read(source, _PIECE)
    while 0 < len(data) < _PIECE and _is_ready(source, 0.0):
        more = os.read(source, _PIECE)
        if not more:
            break  # the end; it comes again
        data += more
    return data


def _is_ready(source: int, seconds: float = PAUSE) -> bool:
    """Tell whether more comes within the pause after which lines are taken for whole."""
    if not hasattr(select, "poll"):
        return seconds > 0
    waits = select.poll()
    waits.register(source, select.POLLIN | select.POLLHUP)
    return bool(waits.poll(int(seconds * 1000)))


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


def _read_binary(file: io.RawIOBase, first: bytes, rows: _Tables, stop: threading.Event) -> None:
    """Put an Arrow stream batch by batch, as they come; of a file all of it, once it is there."""
    if not first.startswith(_BINARY[0]):
        from livetable.feed.sources.payloads import recognise

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
            if not rows.shown:
                rows.put(stream.schema.empty_table())
    except (pa.ArrowException, OSError) as error:
        raise BadLines(f"no whole Arrow stream: {error}".split("\n")[0][:200]) from None


class _Tables:
    """Puts tables behind each other.

    Args:
        options: What was asked for on the command line.
        publisher: Where they go.
    """

    def __init__(self, options: argparse.Namespace, publisher: Publisher) -> None:
        self._options = options
        self._publisher = publisher
        self.shown = False

    def put(self, table: pa.Table) -> None:
        """Put rows behind those there are, or by key."""
        if self._options.key:
            table = last_of_each(table, self._options.key)
        if not self.shown:
            self._publisher.send(table)
        elif self._options.key:
            self._publisher.upsert(table)
        else:
            self._publisher.append(table)
        self.shown = True
