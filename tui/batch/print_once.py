"""`livetable SOURCE --once`: prints one snapshot, for scripts."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from livetable.feed.base.command_line import say
from livetable.tui.batch.read_loop import (
    Hint,
    NoTable,
    Reading,
    asked,
    lacking,
    nothing_of,
    shown_of,
)
from livetable.tui.target import Target, ViewOptions
from livetable.tui.text.places import started

if TYPE_CHECKING:
    from livetable.tui.workers.listing import Lister

BINARY: Final = ("arrow", "parquet")
"""Formats that are not text."""


def print_once(target: Target, options: ViewOptions, form: str, out: TextIO) -> int:
    """Print a table's newest snapshot, or the list of tables; return the exit code.

    Args:
        target: What to print.
        options: Which columns, and how long to wait.
        form: One of `FORMATS`.
        out: Where to write.

    Raises:
        NoTable: it did not arrive in time, or it lacks a column.
    """
    table, lacks = _fetch(target, options)
    table = shown_of(table, options)
    if options.columns is not None and form != "table":  # exactly what was asked for
        table = table.without_fixed()
    write(table, form, out)
    if lacks is not None:  # after the rows that could be read
        raise NoTable(lacks)
    return 0


def write(table: Any, form: str, out: TextIO) -> None:
    """Write a table in a format."""
    if form in BINARY:
        from livetable.tui.output.files import write_arrow

        write_arrow(table, form, out.buffer)
        out.buffer.flush()
        return
    from livetable.tui.output.text_formats import WRITERS, safe_out

    WRITERS[form](table, safe_out(out))
    out.flush()


def print_list(target: Target, options: ViewOptions, form: str, out: TextIO) -> int:
    """Print the live tables of this machine or of an endpoint; return the exit code."""
    from livetable.tui.workers.listing import ANSWER_SECONDS, as_table

    until = None if options.timeout is None else time.monotonic() + options.timeout
    patience = 1.0 if target.endpoint is None else ANSWER_SECONDS
    write(shown_of(as_table(tables_at(target.endpoint, until, patience), 1), options), form, out)
    return 0


def _fetch(target: Target, options: ViewOptions) -> tuple[Any, str | None]:
    """Return a table, or the list of tables, and a sentence on what could not be read."""
    from livetable.tui.workers.listing import ANSWER_SECONDS, as_table

    if target.tape is not None:
        return _of_tape(target, options), None
    until = None if options.timeout is None else time.monotonic() + options.timeout
    if target.table is not None:
        return _fetch_table(target, until, options)
    if target.endpoint is None:
        return as_table(tables_at(None, until, 1.0), 1), None
    listing = tables_at(target.endpoint, until, ANSWER_SECONDS)
    if len(listing) > 1:
        return as_table(listing, 1), None
    if listing:
        return _fetch_table(Target(target.endpoint, listing[0].name), until, options)
    with contextlib.ExitStack() as stack:
        return _fetch_table(only_table(target, options, stack), until, options)


def only_table(target: Target, options: ViewOptions, stack: contextlib.ExitStack) -> Target:
    """Return the only table of a target; read another publisher with a feed process.

    Args:
        target: What was asked for.
        options: How long to wait, and how to read another publisher.
        stack: Ends the feed process.

    Raises:
        NoTable: there are several tables, or none in time.
    """
    if target.table is not None:
        return target
    from livetable.tui.workers.feed_process import foreign_feed
    from livetable.tui.workers.listing import ANSWER_SECONDS

    until = None if options.timeout is None else time.monotonic() + options.timeout
    listing = tables_at(target.endpoint, until, 1.0 if target.endpoint is None else ANSWER_SECONDS)
    if len(listing) == 1:
        return Target(listing[0].endpoint, listing[0].name)
    if listing or target.endpoint is None or target.source is not None:
        if not listing and (feed := started(target.endpoint)) is not None:
            raise NoTable(f"{nothing_of(feed.awaits)} yet")
        names = ", ".join(sorted({one.name for one in listing})[:20])
        raise NoTable(f"Name one table: {names}" if names else "No live tables")
    return stack.enter_context(foreign_feed(target.endpoint, options.foreign)).target


def _of_tape(target: Target, options: ViewOptions) -> Any:
    """Return a tape's table at the time asked for, or at its end."""
    from livetable.feed.tape.player import Playback
    from livetable.feed.tape.reader import TapeReader
    from livetable.tui.model.tape_history import TapeHistory
    from livetable.tui.text.clock import read_moment

    assert target.tape is not None
    playback = Playback(TapeReader(target.tape))
    try:
        if options.changes_of is not None:
            from livetable.tui.batch.row_changes import changes_of

            return changes_of(playback, options.changes_of)
        history = TapeHistory(playback)
        number = history.last
        if options.at is not None:
            # "14:03" is the last 14:03 before the tape's end; "-30" counts back from the end.
            moment = read_moment(options.at, playback.time(history.last))
            if moment is None:
                raise NoTable(
                    f"Can't read --at {options.at!r} as a time. Use 14:03, 14:03:07 or -30"
                )
            if moment < playback.time(0):
                began = time.strftime("%H:%M:%S", time.localtime(playback.time(0)))
                raise NoTable(f"--at {options.at} is before the tape begins, at {began}")
            number = playback.number_at(moment)
        return history.at(number)
    finally:
        playback.close()


def tables_at(endpoint: str | None, until: float | None, patience: float) -> list[Any]:
    """Return the live tables.

    Args:
        endpoint: Whose tables; None: this machine's.
        until: When to give up, by the monotonic clock; None: never.
        patience: Seconds to wait for tables to describe themselves once their feed is connected.

    Raises:
        NoTable: no feed answered in time, or none ever will.
    """
    # Long, as its functions share what was listed and when to stop.
    from livetable.feed.local.directory import entries
    from livetable.tui.workers.listing import Lister

    feed = started(endpoint)
    awaits = feed.awaits if feed is not None else endpoint and f"a feed at {endpoint}"
    changed = threading.Event()
    lister = Lister(endpoint, changed.set)
    worker = threading.Thread(target=lister.run, daemon=True)
    expected = len(entries()) if endpoint is None else None
    worker.start()
    try:
        give_up = None if endpoint is not None else time.monotonic() + patience
        hint = Hint()
        while True:
            changed.clear()
            listing = lister.take()
            if endpoint is None:
                done = len(listing) >= (expected or 0) and all(one.info for one in listing)
            else:
                done = bool(lister.frames) and bool(listing)
                if lister.connected and give_up is None:
                    give_up = time.monotonic() + patience
            if done:
                return _with_warnings(listing, lister)
            if lister.problem is not None and not listing:
                raise NoTable(lister.problem)
            ends = [limit for limit in (give_up, until) if limit is not None]
            end = min(ends, default=None)
            if end is not None and time.monotonic() >= end:
                if endpoint is not None and give_up is None:
                    where = (
                        f"No feed answered at {endpoint}"
                        if feed is None
                        else nothing_of(feed.awaits)
                    )
                    raise NoTable(f"{where} in time")
                return _with_warnings(listing, lister)
            if hint.is_due():
                hint.say(f"waiting for {awaits}" if awaits is not None else "")
            changed.wait(hint.left(end))
    finally:
        lister.stop()
        worker.join(2)


def _with_warnings(listing: list[Any], lister: Lister) -> list[Any]:
    """Return a listing; say on stderr why it may be incomplete."""
    from livetable.feed.local.folders import unusable

    for problem in (lister.problem, unusable() if lister.endpoint is None else None):
        if problem is not None:
            say("livetable", problem)
    return listing


def _fetch_table(
    target: Target, until: float | None, options: ViewOptions
) -> tuple[Any, str | None]:
    """Return a table once it has arrived, has ended, or has a row that matches `until`."""
    from livetable.tui.model.feed_state import Link

    # With --until the first rows are enough: the source may never end.
    waits = options.until is not None
    reading = Reading(
        target, options.timeout, until=until, settled=not waits, conditions=asked(options)
    )
    if options.to_end and not waits:
        reading.awaits = "the end of standard input"
    watch = None
    if options.until is not None:
        from livetable.tui.query.conditions import Watch

        watch = Watch(options.until)
    said = None
    for state in reading:
        if state.table is None:
            continue
        if options.to_end and not waits and state.link is not Link.ENDED:
            continue
        if watch is None:
            return state.table, lacking(state.source)
        if len(watch.check(state.table)):
            return state.table, None
        if watch.problem is not None and watch.problem != said:
            said = watch.problem
            say("livetable", said)
        if state.link is Link.ENDED:
            raise NoTable(f"The table ended before a row matched {options.until}")
    raise NoTable("No table arrived")
