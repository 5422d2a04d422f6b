"""Reads standard input or a named pipe: rows as they arrive, in the format of the first bytes."""

from __future__ import annotations

import io
import os
import select
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from livetable.feed.base.crash_report import crash_sentence
from livetable.feed.errors import LivetableError
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.bad_lines import BadLines
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.publish import Publish
from livetable.feed.sources.shown_table import ShownTable
from livetable.feed.sources.streamed import PAUSE, Streamed

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(TextOptions):
    """How the text is read, and from where.

    Attributes:
        data: The descriptor from which it is read.
    """

    data: int = 0


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish standard input until it ends; the table stays visible."""
    with publish(options.name or "stdin", key=options.key, limit=options.limit) as publisher:
        follow(Pipe(options.data, "standard input"), options, publisher, stop)


@dataclass(frozen=True, slots=True)
class Pipe:
    """Where rows come from.

    Attributes:
        descriptor: From which they are read.
        title: What a person calls it.
    """

    descriptor: int
    title: str


def follow(pipe: Pipe, options: TextOptions, publisher: Publisher, stop: threading.Event) -> None:
    """Publish what a named pipe delivers, until `stop` is set."""
    reader = threading.Thread(target=_read, args=(pipe, options, publisher, stop), daemon=True)
    reader.start()
    stop.wait()


def open_pipe(path: Path) -> int:
    """Open a named pipe without waiting for a writer; return its descriptor."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _read(pipe: Pipe, options: TextOptions, publisher: Publisher, stop: threading.Event) -> None:
    try:
        is_table = _read_all(pipe.descriptor, options, publisher, stop)
    except (LivetableError, OSError) as error:
        publisher.fail(f"can't continue reading {pipe.title}: {error}", for_good=True)
        return
    except Exception as error:  # unexpected: without a note readers would wait for ever
        sentence = f"can't continue reading {pipe.title}: {crash_sentence(error)}"
        publisher.fail(sentence, for_good=True)
        return
    if not stop.is_set():
        if is_table:
            publisher.end()
        else:
            publisher.fail(f"{pipe.title} ended without a row")


def _read_all(
    source: int, options: TextOptions, publisher: Publisher, stop: threading.Event
) -> bool:
    """Publish everything until the end; tell whether it was a table."""
    # A named pipe without a writer reads as ended: wait for the first bytes.
    if hasattr(select, "poll"):
        waits = select.poll()
        waits.register(source, select.POLLIN | select.POLLHUP)
        while not stop.is_set() and not waits.poll(1000):
            pass
    first = os.read(source, _PIECE)
    while 0 < len(first) < _MAGIC and (more := os.read(source, _PIECE)):
        first += more
    if first.startswith(_BINARY):
        _read_binary(_Joined(first, source), first, ShownTable(publisher, options.key), stop)
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
    """Wait for bytes and return them; return nothing at the end.

    All at once: a pipe holds 64 kB, and to add so few rows again and again takes longer.
    """
    data = os.read(source, _PIECE)
    while 0 < len(data) < _PIECE and _is_ready(source, 0.0):
        more = os.read(source, _PIECE)
        if not more:
            break  # the end; the next read returns it again
        data += more
    return data


def _is_ready(source: int, seconds: float = PAUSE) -> bool:
    """Tell whether more arrives within the pause after which lines count as complete."""
    if not hasattr(select, "poll"):
        return seconds > 0
    waits = select.poll()
    waits.register(source, select.POLLIN | select.POLLHUP)
    return bool(waits.poll(int(seconds * 1000)))


_BINARY: Final = (b"\xff\xff\xff\xff", b"ARROW1", b"PAR1")
_MAGIC: Final = 6


class _Joined(io.RawIOBase):
    """A stream of the bytes already read, then of the rest.

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


def _read_binary(file: io.RawIOBase, first: bytes, rows: ShownTable, stop: threading.Event) -> None:
    """Show an Arrow stream batch by batch as they arrive, an Arrow file when it is complete."""
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
        raise BadLines(f"the Arrow stream is incomplete: {error}".split("\n")[0][:200]) from None
