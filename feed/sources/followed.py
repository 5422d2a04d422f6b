"""A file of lines, followed: what is added is read, and what changed in it is seen.

What is published is always what the file held at some moment since the last look; whether it still
does is looked at after each change, in all that was read.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.frames.capture import capture
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.blocks import Blocks
from livetable.feed.sources.lines import Lines, OtherTypes, last_of_each

FIRST_PIECE: Final = 1 << 20
"""A short piece comes first: its rows are seen while the rest is read."""

PIECE: Final = 16 << 20

AT_ONCE: Final = 64 << 20
"""So much is looked at in full after each change; of more samples, and the rest behind them."""

SETTLED: Final = 0.5
"""Seconds without a change after which a line without an end is a row."""

_CALM: Final = 0.1
_CALM_WHEN_EMPTY: Final = 0.5
_LONGEST_CALM: Final = 2.0
_STRAY: Final = 1.0  # seconds that lines wait for a quote that closes a field, while more come
_SHARE: Final = 0.17  # of a processor, for looking whether what was read still stands there
_SLICE: Final = 0.02
_RACY_NS: Final = 50_000_000


LATIN1: Final = "not UTF-8: shown as Latin-1. Name another encoding with --encoding"
"""Said of text in no encoding that is found out."""


class BadFile(LivetableError):
    """A file that can't be read as a table now."""


class NotYet(BadFile):
    """A file that is no table yet, but may become one: a script waits for it."""


def signature(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to, unless that is within a tick of the clock."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_settled(found: os.stat_result) -> bool:
    """Tell whether a file was last written to so long ago that another write has another time."""
    newest: int = max(found.st_mtime_ns, found.st_ctime_ns)
    return abs(time.time_ns() - newest) > _RACY_NS


class FollowedLines:
    """Reads a file of lines, and what is new in it at each look.

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
        self._only_grows: bool = getattr(options, "append_only", False)
        self._inode: tuple[int, int] | None = None
        self._standing: os.stat_result | None = None  # at the last look
        self._changed_at = 0.0
        self._checker = _Checker()
        self._rewritten_since: float | None = None
        self._open_since: float | None = None
        self._tail_widened = False
        self._tail_line = b""
        self._due: float | None = None
        self._empty: pa.Table | None = None
        self._begin()
        self._shown = False  # whether anything was sent, of this file or of one before it

    def _begin(self, known: Any = None) -> None:
        self._blocks = Blocks()
        self._checker.begin(self._blocks)
        self._lines = Lines(
            self._form,
            separator=self._options.sep,
            encoding=self._options.encoding,
            types=getattr(self._options, "types", None),
            known=known,
        )
        self._sent = False
        self._tail_widened = False
        self._open_since = None

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which to look again, None if there is no need to."""
        return None if self._due is None else max(0.01, self._due - time.monotonic())

    @property
    def note(self) -> str | None:
        """What there is to say of how the file was read."""
        if self._lines.is_latin1:
            return LATIN1
        if self._lines.literal_quotes:
            return "a quote is never closed: it is shown as text"
        return None

    def look(self) -> bool:
        """Read what is new; tell whether the file is good.

        Raises:
            BadFile: it is no file of lines.
            BadLines: lines that are no table's.
            OSError: it can't be read.
        """
        self._due = None
        now = time.monotonic()
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise BadFile("is not a regular file")
            if self._standing is None or signature(found) != signature(self._standing):
                self._changed_at = now
            self._standing = found
            anew = self._is_anew(file, found, now)
            if anew is None:  # it is being written: the last good table stays meanwhile
                return self._shown
            if anew:
                self._begin()
            self._inode = (found.st_dev, found.st_ino)
            self._read(
                file, found.st_size, at_once=anew and self._shown and found.st_size <= AT_ONCE
            )
            self._settle(now)
        return self._shown

    # -- is it still the file that was read? -------------------------------------------------------

    def _is_anew(self, file: io.BufferedReader, found: os.stat_result, now: float) -> bool | None:
        """Tell whether to read it from its beginning; None: not yet, somebody is writing it."""
        if self._inode is None:
            return True
        if self._inode != (found.st_dev, found.st_ino):
            self._rewritten_since = None
            return True  # another one took its place, whole
        if found.st_size >= self._blocks.size and self._rewritten_since is None:
            if self._only_grows:
                return self._tail_widened and found.st_size > self._blocks.size
            still = self._checker.look(file, found, now)
            self._wait(self._checker.due)
            self._publisher.set_source(checking=self._checker.is_behind)
            if still:
                return self._tail_widened and found.st_size > self._blocks.size
        if self._rewritten_since is None:
            self._rewritten_since = now
        calm = _CALM if found.st_size else _CALM_WHEN_EMPTY
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
        while True:
            try:
                self._read_on(file, size, at_once=at_once)
                return
            except OtherTypes as other:  # from the beginning, with types that fit all
                self._begin(other.known)

    def _read_again(self, known: Any) -> None:
        """Read all of the file again, with types that fit all."""
        self._begin(known)
        with self._path.open("rb") as file:
            self._read(file, os.fstat(file.fileno()).st_size, at_once=True)

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
        if not self._sent and (began or not self._shown) and not self._tail_shown:
            self._show_nothing(lines)
        if self._tail_shown and not lines.unfinished:
            publisher.drop_tail()
            self._tail_line = b""
        self._tell_unreadable()
        publisher.set_source(reading=None, settling=lines.unfinished)

    @property
    def _tail_shown(self) -> bool:
        return bool(self._tail_line)

    def _show_nothing(self, lines: Lines) -> None:
        """Show columns without rows, where there is a header and no row yet."""
        if lines.names is not None and not lines.unfinished:
            self._empty = self._checked(lines.empty())
            self._publisher.send(self._empty)
            self._shown = True
        elif not self._blocks.size:
            if self._shown and self._empty is not None:
                self._publisher.send(self._empty)
            raise NotYet("is empty")
        elif lines.bad and not lines.unfinished and not self._shown:
            first = lines.bad[0]
            raise BadFile(f"no line could be read: line {first.number} {first.why}")

    def _put(self, table: pa.Table) -> None:
        self._tail_line = b""
        table = self._checked(table)
        if not self._sent:
            self._publisher.send(table)
        elif self._options.key:
            self._publisher.upsert(table)
        else:
            self._publisher.append(table)
        self._sent = self._shown = True
        self._empty = table.slice(0, 0)

    def _checked(self, table: pa.Table) -> pa.Table:
        """Return the last row of each key, if there is one."""
        return last_of_each(table, self._options.key) if self._options.key else table

    def _tell_unreadable(self, more: tuple[tuple[int, str, str], ...] = ()) -> None:
        lines = self._lines
        told = tuple((one.number, one.text, one.why) for one in lines.bad)
        self._publisher.set_source(
            unreadable=lines.unreadable + len(more), lines=(told + more)[:20]
        )

    # -- the line without an end -------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        """Show the line without an end, once the file has not changed for a while."""
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
        if row is not None and not row.num_rows and not self._shown:
            self._publisher.send(self._checked(row))  # a header is all there is
            self._shown = True
            return
        if row is None or not row.num_rows:
            self._publisher.drop_tail()
            number = self._lines.line
            text = rest[:200].decode("utf-8", "replace")
            self._tell_unreadable(((number, text, "does not end, and is no whole row"),))
            return
        row = self._checked(row)
        if self._sent:
            self._publisher.show_tail(row)
        else:
            self._publisher.send_captured(capture(row), unfinished=True)
            self._shown = True


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()


class _Checker:
    """Looks whether what was read of a file still stands there, at a share of a processor."""

    def __init__(self) -> None:
        self.due: float | None = None
        """When to look again, None if there is no need to."""
        self._blocks = Blocks()
        self._verified: tuple[int, ...] | None = None
        self._next = 0.0
        self._behind: list[int] | None = None  # blocks that are still to be looked at
        self._behind_of: tuple[int, ...] = ()
        self._again = False

    def begin(self, blocks: Blocks) -> None:
        """Look at another file's blocks from now on."""
        self._blocks = blocks
        self._verified = None
        self._behind = None
        self._again = False

    @property
    def is_behind(self) -> bool:
        """Whether not all was looked at since the last change."""
        return self._behind is not None

    def look(self, file: io.BufferedReader, found: os.stat_result, now: float) -> bool:
        """Tell whether what was read still stands there, as far as it was looked at.

        Args:
            file: The file.
            found: What the system says of it.
            now: The time, by the monotonic clock.
        """
        self.due = None
        now_is = signature(found)
        if now_is == self._verified and self._behind is None:
            return True
        if now < self._next:
            self.due = self._next
            return True
        began = time.thread_time()
        try:
            if self._blocks.size <= AT_ONCE:
                numbers = range(self._blocks.count)
                still = all(self._blocks.holds(file, number) for number in numbers)
                self._note(found, now_is)
                return still
            return self._look_behind(file, found, now_is, began)
        finally:
            cost = time.thread_time() - began
            self._next = now + min(1.0, cost / _SHARE)
            if self._verified != now_is or self._behind is not None:
                wait = max(self._next, now + _RACY_NS / 1e9 + 0.01)
                self.due = self._next if self._behind is not None else wait

    def _note(self, found: os.stat_result, now_is: tuple[int, ...]) -> None:
        # A write within the same tick of the clock would have the same time: looked at again.
        self._verified = now_is if is_settled(found) else None

    def _look_behind(
        self, file: io.BufferedReader, found: os.stat_result, now_is: tuple[int, ...], began: float
    ) -> bool:
        if self._behind is None or now_is != self._behind_of:
            if not all(self._blocks.holds(file, number) for number in self._blocks.samples()):
                return False
            if self._behind is None:
                self._behind = list(range(self._blocks.count))
                self._again = not is_settled(found)
            else:
                self._again = True  # it changed while it was looked at
            self._behind_of = now_is
        while self._behind:
            if not self._blocks.holds(file, self._behind.pop()):
                return False
            if self._behind and time.thread_time() - began > _SLICE:
                return True  # one at least: on a slow machine the samples take all of the time
        self._behind = None
        if self._again:
            self._again = False
            self._verified = None
        else:
            self._verified = now_is
        return True
