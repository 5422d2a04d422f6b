"""Publishes a file, and follows it when it is rewritten or lines are added.

Noticed by file events, never by a timer. What is half written, broken or gone never shows: the last
good table stays, and its status says so.
"""

from __future__ import annotations

import io
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import LivetableError
from livetable.feed.protocol.names import name_from
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources import stdin
from livetable.feed.sources.csv_reader import counted
from livetable.feed.sources.file_checker import is_settled, signature
from livetable.feed.sources.file_types import LINE_FORMS, form_of, path_of
from livetable.feed.sources.fitting_types import KnownTypes, read_until_types_fit
from livetable.feed.sources.followed import BadFile, FileOptions, FollowedLines, NotYet
from livetable.feed.sources.json_documents import document
from livetable.feed.sources.json_values import BadJson
from livetable.feed.sources.lines import LATIN1, Lines, lines_with
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.publish import Publish
from livetable.feed.sources.table_of_texts import marked
from livetable.feed.sources.utf8 import Utf8
from livetable.feed.sources.whereabouts import events

_PATIENCE: Final = 0.5
"""Seconds after which a note says that a file is half written."""

_LASTING: Final = 1.0
"""Seconds without a change after which a problem becomes a failure, which ends scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(FileOptions):
    """Which file is read, and how.

    Attributes:
        source: The file.
    """

    source: str


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish a file until `stop` is set.

    Raises:
        BadFile: there is no folder that it could be in.
    """
    path = path_of(options.source).absolute()
    name = options.name or name_from(path.name, "files")
    with publish(name, key=options.key, limit=options.limit) as publisher:
        follow(path, options, publisher, stop)


def follow(
    path: Path,
    options: FileOptions,
    publisher: Publisher,
    stop: threading.Event,
    usual: str | None = None,
) -> None:
    """Publish a file with an existing publisher until `stop` is set.

    Args:
        path: The file.
        options: How it is read.
        publisher: Where it goes.
        stop: Ends it.
        usual: The note on the table while nothing is wrong.

    Raises:
        BadFile: there is no folder that it could be in.
    """
    if not path.parent.is_dir():
        raise BadFile(f"{path}: no folder {path.parent}")
    if _is_pipe(path):
        stdin.follow(stdin.Pipe(stdin.open_pipe(path), str(path)), options, publisher, stop)
        return
    source = _reader_of(path, options, publisher, stop)
    trouble = _Trouble(path.name, publisher, usual)

    def patience() -> float | None:
        waits = [wait for wait in (trouble.patience, source.patience) if wait is not None]
        return min(waits, default=None)

    for quiet in events(path, stop, patience):
        try:
            if source.look():
                trouble.over(source.note)
        except Exception as error:  # from any reader, for untrusted bytes
            if not isinstance(error, (LivetableError, OSError)):
                error = BadFile(f"can't read the file: {safe_str(error):.200}")
            sentence = getattr(error, "strerror", None) or str(error)
            trouble.tell(sentence, quiet, lasts=not isinstance(error, (NotYet, FileNotFoundError)))


def _reader_of(
    path: Path, options: FileOptions, publisher: Publisher, stop: threading.Event
) -> FollowedLines | _Rewritten:
    form, packed = form_of(path.name)
    assert form is not None
    if form in LINE_FORMS and packed is None:
        return FollowedLines(path, form, options, publisher, stop)
    return _Rewritten(path, form, packed, options, publisher)


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False


class _Trouble:
    """The problem of a file. Shown only if it lasts: files are half written now and then.

    Args:
        name: The file's name.
        publisher: Passes it on.
        usual: The note while nothing is wrong.
    """

    def __init__(self, name: str, publisher: Publisher, usual: str | None) -> None:
        self._usual = usual
        self._name = name
        self._publisher = publisher
        self._since: float | None = None
        self._quiet_since = 0.0

    @property
    def patience(self) -> float | None:
        """Seconds without a change after which to check again, None for never."""
        return None if self._since is None else _PATIENCE

    def over(self, note: str | None) -> None:
        """Clear the problem; show the reader's note, if any."""
        self._since = None
        self._publisher.note(self._usual if note is None else f"{self._name}: {note}")

    def tell(self, sentence: str, quiet: bool, *, lasts: bool) -> None:
        """Show a problem, unless it is new.

        Args:
            sentence: What is wrong.
            quiet: Whether nothing happened to the file since.
            lasts: Whether it stays so if nothing happens.
        """
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if not quiet:
            self._quiet_since = now
        lasts = lasts and self._usual is None  # in a folder, another file may appear
        lasting = now - self._quiet_since >= _LASTING
        if lasts and lasting:
            self._publisher.fail(f"{self._name}: {sentence}")
        elif now - self._since >= _PATIENCE:
            self._publisher.note(f"{self._name}: {sentence}")
        if quiet and now - self._since >= _PATIENCE and (not lasts or lasting):
            self._since = None  # the note is shown: nothing to check until the file changes


class _Rewritten:
    """A file that is read completely, again after each write.

    Args:
        path: The file.
        form: Its form.
        packed: How it is packed, if it is.
        options: What was asked for on the command line.
        publisher: Where its tables go.
    """

    def __init__(
        self, path: Path, form: str, packed: str | None, options: TextOptions, publisher: Publisher
    ) -> None:
        self._path = path
        self._form = form
        self._packed = packed
        self._options = options
        self._publisher = publisher
        self._last: tuple[int, ...] | None = None
        self._content: int | None = None
        self._due: float | None = None
        self.note: str | None = None
        """A note on how the file was read, or None."""

    @property
    def patience(self) -> float | None:
        """Seconds without a change after which to check again, None for never."""
        return None if self._due is None else max(0.01, self._due - time.monotonic())

    def look(self) -> bool:
        """Read the file if it has changed; tell whether it is good.

        Raises:
            BadFile: it is half written, or broken.
            OSError: it can't be read.
        """
        self._due = None
        before = self._path.stat()
        if not stat.S_ISREG(before.st_mode):
            raise BadFile("is not a regular file")
        if signature(before) == self._last:
            return True
        data = self._path.read_bytes()
        # Read it twice: a file rewritten during one reading differs in the next.
        if self._path.read_bytes() != data:
            raise NotYet("is being written")
        if not data:
            raise NotYet("is empty")
        if hash(data) != self._content:
            self._publisher.send(self._table(data))
            self._content = hash(data)
        if is_settled(before):
            self._last = signature(before)
        else:  # another write within the same tick would have the same time
            self._last, self._due = None, time.monotonic() + 0.06
        return True

    def _table(self, data: bytes) -> Any:
        try:
            if self._packed is not None:
                data = pa.input_stream(io.BytesIO(data), compression=self._packed).read()
            if self._form in LINE_FORMS:
                table, self.note = all_lines(data, self._form, self._options)
                return table
            if self._form == "json":
                utf8 = Utf8(self._options.encoding)
                table = document(utf8.add(data, last=True))
                latin1 = utf8.as_latin1 is not None
                self.note = LATIN1 if latin1 else None
                return marked(table)
            table = _READERS[self._form](io.BytesIO(data))
            table.validate(full=True)
        except BadJson as error:
            raise BadFile(str(error)) from None
        except LivetableError:
            raise
        except Exception as error:  # from any reader, for half a file
            raise BadFile(f"is half written, or is not {self._form}: {error!s:.100}") from None
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


def all_lines(data: bytes, form: str, options: TextOptions) -> tuple[pa.Table, str | None]:
    """Return a complete text as a table, and a note on how it was read.

    Raises:
        NotYet: it has no line.
        BadLines: the lines are not a table's.
    """

    def read(known: KnownTypes) -> tuple[Lines, pa.Table | None]:
        lines = lines_with(form, options, known)
        return lines, lines.add(data, last=True)

    lines, table = read_until_types_fit(read)
    if table is None and lines.names is None:
        raise NotYet("has no rows yet")
    note = LATIN1 if lines.is_latin1 else None
    if lines.unreadable:
        first = lines.bad[0]
        count = counted(lines.unreadable, "line")
        note = f"{count} could not be read: line {first.number} {first.reason}"
    return lines.empty() if table is None else table, note
