"""`livetable SOURCE --once`: one snapshot as text, for scripts."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any, TextIO

from livetable.feed.errors import LivetableError
from livetable.tui.target import Target, ViewOptions


class NoTable(LivetableError):
    """No table came."""


def print_once(target: Target, options: ViewOptions, form: str, out: TextIO) -> int:
    """Print a table's newest snapshot, or the list of tables; return the exit code.

    Args:
        target: What to print.
        options: Which columns, and how long to wait.
        form: ``table``, ``csv``, ``json`` or ``jsonl``.
        out: Where to.

    Raises:
        NoTable: none came in time, or it lacks a column.
    """
    try:
        table = _arranged(_fetch(target, options), options)
        if options.columns is not None:
            if missing := table.missing(options.columns):
                known = ", ".join(map(repr, table.titles))
                raise NoTable(f"there is no column {missing[0]!r}; there are {known}")
            table = table.select(options.columns)
            if form != "table":  # exactly what was asked for
                table = _without_fixed(table)
        from livetable.tui.writing import WRITERS

        WRITERS[form](table, out)
        out.flush()
    except BrokenPipeError:
        # Who read this has seen enough. Python would complain once more on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _without_fixed(table: Any) -> Any:
    return table.without_fixed()


def _arranged(table: Any, options: ViewOptions) -> Any:
    """Return a table with the rows and the order that are asked for."""
    if not options.sort and not options.where:
        return table
    from livetable.tui.arrange import arrange, first_arrangement

    done = arrange(table, first_arrangement(options.sort, options.where))
    if done.problems:
        raise NoTable(done.problems[0])
    return done.table


def _fetch(target: Target, options: ViewOptions) -> Any:
    from livetable.tui.launch import foreign_feed
    from livetable.tui.lister import ANSWER_SECONDS, as_table

    until = None if options.timeout is None else time.monotonic() + options.timeout
    if target.table is not None:
        return _fetch_table(target, until, options)
    if target.endpoint is None:
        return as_table(_list(None, until, 1.0), 1)
    listing = _list(target.endpoint, until, ANSWER_SECONDS)
    if len(listing) > 1:
        return as_table(listing, 1)
    if listing:
        return _fetch_table(Target(target.endpoint, listing[0].name), until, options)
    with foreign_feed(target.endpoint, pickle=options.pickle) as feed:
        return _fetch_table(feed.target, until, options)


def _list(endpoint: str | None, until: float | None, patience: float) -> list[Any]:
    """Return the tables there are; each may take `patience` seconds to tell about itself."""
    from livetable.feed.directory import entries
    from livetable.tui.lister import Lister

    changed = threading.Event()
    lister = Lister(endpoint, changed.set)
    worker = threading.Thread(target=lister.run, daemon=True)
    expected = len(entries()) if endpoint is None else None
    worker.start()
    try:
        give_up = None if endpoint is not None else time.monotonic() + patience
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
                return listing
            ends = [at for at in (give_up, until) if at is not None]
            left = min(ends) - time.monotonic() if ends else None
            if left is not None and left <= 0:
                if endpoint is not None and give_up is None:
                    raise NoTable(f"nobody answered on {endpoint} in time")
                return listing
            changed.wait(left)
    finally:
        lister.stop()
        worker.join(2)


def _fetch_table(target: Target, until: float | None, options: ViewOptions) -> Any:
    from livetable.tui.subscriber import Subscriber

    news = threading.Event()
    subscriber = Subscriber(target, news.set)
    worker = threading.Thread(target=subscriber.run, daemon=True)
    worker.start()
    said = None
    try:
        while True:
            news.clear()
            state = subscriber.take()
            if state.table is not None:
                return state.table
            if state.note and state.note != said:
                said = state.note
                from livetable.feed.harmless import harmless

                print(f"livetable: {harmless(said)}", file=sys.stderr)
            subscriber.credit()
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                where = f" on {target.endpoint}" if target.endpoint else ""
                raise NoTable(f"no table {target.table!r}{where} within {options.timeout:g} s")
            news.wait(left)
    finally:
        subscriber.stop()
        worker.join(2)
