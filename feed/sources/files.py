"""A file as a source: followed as it is rewritten, or as lines are added at its end.

Noticed by file events, never by a timer. What is half written, broken or gone never shows: the last
good table stays, and its status says so.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from livetable.feed.errors import LivetableError
from livetable.feed.forms import LINE_FORMS, form_of, path_of
from livetable.feed.publisher import Publisher
from livetable.feed.sources.lines import Lines, OtherTypes, last_of_each
from livetable.feed.watching import changes_in

_PIECE: Final = 16 << 20
_CHECK: Final = 256
_PATIENCE: Final = 0.5
"""Seconds that a file may be half written before it is told."""


_LASTING: Final = 2
"""Times `_PATIENCE` that nothing happens to a file before what is wrong with it is a failure, at
which a script ends."""


class BadFile(LivetableError):
    """A file that can't be read as a table now."""


class NotYet(BadFile):
    """A file that is no table yet, but may become one: a script waits for it."""


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish a file until `stop` is set."""
    path = path_of(options.source).absolute()
    form, packed = form_of(path.name)
    assert form is not None
    if not path.parent.is_dir():
        raise BadFile(f"{path}: there is no folder {path.parent}")
    if form in LINE_FORMS and packed is None:
        follow: Callable[[], bool] = _Appended(path, form, options, publisher, stop).look
    else:
        follow = _Rewritten(path, form, packed, options, publisher).look
    trouble = _Trouble(path.name, publisher, getattr(options, "says", None))
    for quiet in events(path, stop, lambda: trouble.patience):
        try:
            if follow():
                trouble.over()
        except (LivetableError, OSError) as error:
            sentence = getattr(error, "strerror", None) or str(error)
            trouble.tell(sentence, quiet, lasts=not isinstance(error, (NotYet, FileNotFoundError)))


class _Trouble:
    """What is wrong with a file: told when it lasts, for a file is half written now and then.

    Args:
        name: The file's name.
        publisher: Who tells.
        usual: What is told while there is no trouble.
    """

    def __init__(self, name: str, publisher: Publisher, usual: str | None) -> None:
        self._usual = usual
        self._name = name
        self._publisher = publisher
        self._since: float | None = None
        self._quiet = 0

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which to look again, None if there is no need to."""
        return None if self._since is None else _PATIENCE

    def over(self) -> None:
        """The file is good."""
        self._since = None
        self._publisher.note(self._usual)

    def tell(self, sentence: str, quiet: bool, *, lasts: bool) -> None:
        """Tell what is wrong, unless it has just begun.

        Args:
            sentence: What is wrong.
            quiet: Whether nothing happened to the file since.
            lasts: Whether it stays so if nothing happens.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        self._quiet = self._quiet + 1 if quiet else 0
        lasts = lasts and self._usual is None  # of a folder another file may come
        if lasts and self._quiet >= _LASTING:
            self._publisher.fail(f"{self._name}: {sentence}")
        elif quiet or now - self._since >= _PATIENCE:
            self._publisher.note(f"{self._name}: {sentence}")
        if quiet and (not lasts or self._quiet >= _LASTING):
            self._since = None  # it is told: there is nothing to look at until it changes


def events(
    path: Path, stop: threading.Event, patience: Callable[[], float | None]
) -> Iterator[bool]:
    """Yield at once, and at each change in a file's folder, until `stop` is set.

    Yields:
        Whether nothing happened, for as long as `patience` said.
    """
    for told in changes_in([str(path.parent)], stop, patience):
        if told is None:
            yield False
        elif not told:
            yield True
        elif any(os.path.basename(one) == path.name for one in told):
            yield False


class _Rewritten:
    """A file that is read whole, again each time it was written.

    Args:
        path: The file.
        form: Its form.
        packed: How it is packed, if it is.
        options: What was asked for on the command line.
        publisher: Where its tables go.
    """

    def __init__(
        self, path: Path, form: str, packed: str | None, options: Any, publisher: Publisher
    ) -> None:
        self._path = path
        self._form = form
        self._packed = packed
        self._options = options
        self._publisher = publisher
        self._last: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Read the file, if it is another one than before; tell whether it is good.

        Raises:
            BadFile: it is half written, or broken.
            OSError: it can't be read.
        """
        before = _stat(self._path)
        if before == self._last:
            return True
        data = self._path.read_bytes()
        # Twice: what was rewritten in the middle of one reading is not the same in the next.
        if self._path.read_bytes() != data or not data:
            raise NotYet("is being written")
        self._publisher.send(self._table(data))
        self._last = before
        return True

    def _table(self, data: bytes) -> Any:
        try:
            if self._packed is not None:
                data = pa.input_stream(io.BytesIO(data), compression=self._packed).read()
            if self._form in LINE_FORMS:
                return _all_lines(data, self._form, self._options)
            if self._form == "json":
                return json.loads(data)
            table: pa.Table = _READERS[self._form](io.BytesIO(data))
            table.validate(full=True)
        except LivetableError:
            raise
        except Exception as error:  # of any reader, on what is half a file
            raise BadFile(f"is half written, or no {self._form}: {error!s:.100}") from None
        return table


def _read_arrow(file: io.BytesIO) -> pa.Table:
    try:
        return pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid:
        file.seek(0)
        return pa.ipc.open_stream(file).read_all()


_READERS: Final[dict[str, Callable[[io.BytesIO], pa.Table]]] = {
    "parquet": pa.parquet.read_table,
    "feather": pa.feather.read_table,
    "arrow": _read_arrow,
}


def _lines(form: str, options: Any, types: Any = None) -> Lines:
    types = types or getattr(options, "types", None)
    return Lines(form, separator=options.sep, encoding=options.encoding, types=types)


def _all_lines(data: bytes, form: str, options: Any) -> pa.Table:
    lines = _lines(form, options)
    table = lines.add(data, last=True)
    if table is None:
        raise NotYet("has no rows yet")
    return table


@dataclass(frozen=True)
class _Place:
    """How far a file was read.

    Attributes:
        inode: Which file it was.
        offset: How many bytes were read.
        before: The last ones of them: where they differ the file is another one.
    """

    inode: int
    offset: int
    before: bytes


class _Appended:
    """A file of lines: only what is new is read, unless it was written anew.

    Args:
        path: The file.
        form: Its form.
        options: What was asked for on the command line.
        publisher: Where its rows go.
        stop: Ends the reading of a long file.
    """

    def __init__(
        self, path: Path, form: str, options: Any, publisher: Publisher, stop: threading.Event
    ) -> None:
        self._path = path
        self._form = form
        self._options = options
        self._publisher = publisher
        self._stop = stop
        self._place: _Place | None = None
        self._lines = _lines(form, options)
        self._sent = False

    def look(self) -> bool:
        """Read what is new; tell whether the file is good.

        Raises:
            BadLines: lines that are no table's.
            OSError: it can't be read.
        """
        with self._path.open("rb") as file:
            if not self._goes_on(file):
                self._begin()
            while True:
                try:
                    self._read(file)
                    return self._sent
                except OtherTypes as other:  # from the beginning, with types that fit all
                    self._begin(other.types)

    def _begin(self, types: dict[str, pa.DataType] | None = None) -> None:
        self._place = None
        self._sent = False
        self._lines = _lines(self._form, self._options, types)

    def _goes_on(self, file: io.BufferedReader) -> bool:
        """Tell whether what was read is still the beginning of the file."""
        place, now = self._place, os.fstat(file.fileno())
        if place is None or now.st_ino != place.inode or now.st_size < place.offset:
            return False
        file.seek(place.offset - len(place.before))
        return file.read(len(place.before)) == place.before

    def _read(self, file: io.BufferedReader) -> None:
        inode = os.fstat(file.fileno()).st_ino
        offset = self._place.offset if self._place is not None else 0
        file.seek(offset)
        # A short piece first: its rows are seen while the rest is read.
        size = _PIECE if offset else 1 << 20
        while not self._stop.is_set() and (data := file.read(size)):
            size = _PIECE
            table = self._lines.add(data)
            if table is not None:
                self._put(table)
            offset += len(data)
            before = data[-_CHECK:]
            self._place = _Place(inode, offset, before)
            whole = os.fstat(file.fileno()).st_size
            if whole - offset > _PIECE:
                done = offset / whole
                bar = "█" * int(20 * done)
                self._publisher.note(f"{self._path.name}: {bar:░<20} {done:.0%} read")

    def _put(self, table: pa.Table) -> None:
        if self._options.key:
            table = last_of_each(table, self._options.key)
        if not self._sent:
            self._publisher.send(table)
        elif self._options.key:
            self._publisher.upsert(table)
        else:
            self._publisher.append(table)
        self._sent = True


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
