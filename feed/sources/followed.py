"""Follows a file of lines: reads added lines, and notices changes before them.

What is published is always what the file held at some moment since the last look; whether it still
does is looked at after each change, in all that was read.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.blocks import Blocks
from livetable.feed.sources.file_checker import AT_ONCE, FileChecker, signature
from livetable.feed.sources.fitting_types import KnownTypes, OtherTypes, read_until_types_fit
from livetable.feed.sources.lines import Lines, lines_with
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.shown_table import ShownTable

FIRST_PIECE: Final = 1 << 20
"""The first piece is short, so that rows show while the rest is read."""

PIECE: Final = 16 << 20

SETTLED: Final = 0.5
"""Seconds without a change after which a line without an end is a row."""

_CALM: Final = 0.1
_CALM_WHEN_EMPTY: Final = 0.5
_LONGEST_CALM: Final = 2.0
_STRAY: Final = 1.0  # seconds that lines wait for a quote that closes a field, while more come


class BadFile(LivetableError):
    """A file that can't be read as a table now."""


class NotYet(BadFile):
    """A file that is not a table yet, but may become one. Scripts wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions(TextOptions):
    """How a file is read.

    Attributes:
        append_only: Whether the file only grows: what was read of it is not checked then.
    """

    append_only: bool = False


class FollowedLines:
    """Reads a file of lines, and its new lines at each `look`.

    Args:
        path: The file.
        form: Its form.
        options: What was asked for on the command line.
        publisher: Where its rows go.
        stop: Ends the reading of a long file.
    """

    def __init__(
        self,
        path: Path,
        form: str,
        options: FileOptions,
        publisher: Publisher,
        stop: threading.Event,
    ) -> None:
        self._path = path
        self._form = form
        self._options = options
        self._publisher = publisher
        self._table = ShownTable(publisher, options.key)  # of this file, or of one before it
        self._stop = stop
        self._inode: tuple[int, int] | None = None
        self._last_stat: os.stat_result | None = None  # at the last look
        self._changed_at = 0.0
        self._checker = FileChecker()
        self._rewritten_since: float | None = None
        self._open_since: float | None = None
        self._tail_widened = False
        self._tail_line = b""
        self._due: float | None = None
        self._empty: pa.Table | None = None
        self._begin()

    def _begin(self, known: KnownTypes = None) -> None:
        self._blocks = Blocks()
        self._checker.begin(self._blocks)
        self._lines = lines_with(self._form, self._options, known)
        self._table.begin()
        self._tail_widened = False
        self._open_since = None

    @property
    def patience(self) -> float | None:
        """Seconds without a change after which to check again, None for never."""
        return None if self._due is None else max(0.01, self._due - time.monotonic())

    @property
    def note(self) -> str | None:
        """A note on how the file was read, or None."""
        return self._lines.note

    def look(self) -> bool:
        """Read what is new; tell whether the file is good.

        Raises:
            BadFile: it is no file of lines.
            BadLines: the lines are not a table's.
            OSError: it can't be read.
        """
        self._due = None
        now = time.monotonic()
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadFile("is not a regular file")
            if self._last_stat is None or signature(status) != signature(self._last_stat):
                self._changed_at = now
            self._last_stat = status
            anew = self._is_anew(file, status, now)
            if anew is None:  # it is being written: keep the last good table
                return self._table.shown
            if anew:
                self._begin()
            self._inode = (status.st_dev, status.st_ino)
            self._read(
                file,
                status.st_size,
                at_once=anew and self._table.shown and status.st_size <= AT_ONCE,
            )
            self._settle(now)
        return self._table.shown

    # -- is it still the file that was read? -------------------------------------------------------

    def _is_anew(self, file: io.BufferedReader, status: os.stat_result, now: float) -> bool | None:
        """Tell whether to read it from the beginning; None to wait, as it is being written."""
        if self._inode is None:
            return True
        if self._inode != (status.st_dev, status.st_ino):
            self._rewritten_since = None
            return True  # another one took its place, whole
        if status.st_size >= self._blocks.size and self._rewritten_since is None:
            if self._options.append_only:
                return self._tail_widened and status.st_size > self._blocks.size
            still = self._checker.look(file, status, now)
            self._wait(self._checker.due)
            self._publisher.set_source(checking=self._checker.is_checking)
            if still:
                return self._tail_widened and status.st_size > self._blocks.size
        if self._rewritten_since is None:
            self._rewritten_since = now
        calm = _CALM if status.st_size else _CALM_WHEN_EMPTY
        if now - self._changed_at >= calm or now - self._rewritten_since >= _LONGEST_CALM:
            self._rewritten_since = None
            return True
        self._wait(now + 0.05)
        return None

    def _wait(self, due: float | None) -> None:
        if due is not None:
            self._due = due if self._due is None else min(self._due, due)

    # -- reading -----------------------------------------------------------------------------------

    def _read(self, file: io.BufferedReader, size: int, *, at_once: bool) -> None:
        """Read what is new.

        Args:
            file: The file.
            size: How large it is.
            at_once: Whether it is shown only when all of it is read.
        """
        try:
            self._read_on(file, size, at_once=at_once)
        except OtherTypes as other:
            self._read_anew(file, size, other.known, at_once=at_once)

    def _read_anew(
        self, file: io.BufferedReader, size: int, known: KnownTypes, *, at_once: bool
    ) -> None:
        """Read from the beginning, with types that fit all."""

        def read(known: KnownTypes) -> None:
            self._begin(known)
            self._read_on(file, size, at_once=at_once)

        read_until_types_fit(read, known)

    def _read_again(self, known: KnownTypes) -> None:
        """Read all of the file again, with types that fit all."""
        with self._path.open("rb") as file:
            self._read_anew(file, os.fstat(file.fileno()).st_size, known, at_once=True)

    def _read_on(self, file: io.BufferedReader, size: int, *, at_once: bool) -> None:
        lines, publisher = self._lines, self._publisher
        offset = self._blocks.size
        began = offset == 0
        if began:
            publisher.set_source(reading=0.0, checking=False, unreadable=0, lines=())
        file.seek(offset)
        kept: list[pa.Table] = []
        piece = FIRST_PIECE if began else PIECE
        while not self._stop.is_set() and (data := file.read(piece)):
            piece = PIECE
            if lines.literal_quotes and b'"' in data and self._blocks.size <= AT_ONCE:
                # It may close the quote that was taken for text.
                self._begin()
                self._read_on(file, size, at_once=True)
                return
            self._blocks.add(data)
            table = lines.add(data)
            if table is not None and at_once:
                kept.append(table)
            elif table is not None:
                self._put(table)
            if self._blocks.size < size:
                publisher.set_source(reading=self._blocks.size / size)
        if kept:
            self._put(kept[0] if len(kept) == 1 else _joined(kept))
        if not self._table.has_rows and (began or not self._table.shown) and not self._tail_line:
            self._show_nothing(lines)
        if self._tail_line and not lines.unfinished:
            publisher.drop_tail()
            self._tail_line = b""
        self._tell_unreadable()
        publisher.set_source(reading=None, settling=lines.unfinished)

    def _show_nothing(self, lines: Lines) -> None:
        """Show the columns if there is a header but no row yet."""
        if lines.names is not None and not lines.unfinished:
            self._empty = lines.empty()
            self._table.put(self._empty, anew=True)
        elif not self._blocks.size:
            if self._table.shown and self._empty is not None:
                self._table.put(self._empty, anew=True)
            raise NotYet("is empty")
        elif lines.bad and not lines.unfinished and not self._table.shown:
            first = lines.bad[0]
            raise BadFile(f"can't read any line: line {first.number} {first.reason}")

    def _put(self, table: pa.Table) -> None:
        self._tail_line = b""
        self._table.put(table)
        self._empty = table.slice(0, 0)

    def _tell_unreadable(self, *more: BadLine) -> None:
        lines = self._lines
        self._table.tell_unreadable(lines.unreadable + len(more), [*lines.bad, *more])

    # -- the line without an end -------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        """Show an unfinished last line once the file has not changed for a while."""
        lines = self._lines
        if lines.open_quote:
            self._settle_quote(now)
        if not lines.unfinished or lines.open_quote:
            return
        left = self._changed_at + SETTLED - now
        if left > 0:
            self._wait(now + left)
            return
        self._show_tail()
        self._publisher.set_source(settling=False)

    def _settle_quote(self, now: float) -> None:
        self._open_since = now if self._open_since is None else self._open_since
        due = min(self._changed_at + SETTLED, self._open_since + _STRAY)
        if now < due:
            self._wait(due)
            return
        self._open_since = None
        try:
            table = self._lines.read_quotes_as_text()
        except OtherTypes as other:
            self._read_again(other.known)
            self._wait(now + 0.05)
            return
        if table is not None:
            self._put(table)
        self._tell_unreadable()
        self._publisher.set_source(settling=self._lines.unfinished)

    def _show_tail(self) -> None:
        rest = self._lines.rest
        if rest == self._tail_line:
            return
        try:
            row = self._lines.tail()
        except OtherTypes as other:
            self._read_again(other.known)
            row = self._lines.tail()
            self._tail_widened = True
        self._tail_line = rest
        if row is not None and not row.num_rows and not self._table.shown:
            self._table.put(row, anew=True)  # there is only a header
            return
        if row is None or not row.num_rows:
            self._publisher.drop_tail()
            text = rest[:200].decode("utf-8", "replace")
            self._tell_unreadable(
                BadLine(self._lines.line, text, "does not end, and is not a whole row")
            )
            return
        self._table.put_tail(row)


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
