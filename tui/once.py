"""`livetable SOURCE --once`: one snapshot as text, for scripts."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, TextIO

from livetable.feed.errors import LivetableError
from livetable.tui.target import Target, ViewOptions

_SLICE: Final = 4096  # rows that are turned into text at once


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


# -- writing ------------------------------------------------------------------------------------


def _write_table(table: Any, out: TextIO) -> None:
    from livetable.feed.harmless import harmless
    from livetable.tui.format import fit
    from livetable.tui.scene import Layout

    layout = Layout(table)
    slices = list(_slices(table))
    for start, stop in slices:  # widths first: a column must not change its width half-way
        for column, form in enumerate(layout.formats):
            form.measure(form.values(table.window(column, start, stop)))
    header = [
        fit(harmless(title), form.width, right=form.right)
        for title, form in zip(layout.titles, layout.formats, strict=True)
    ]
    print("  ".join(header).rstrip(), file=out)
    for start, stop in slices:
        cells = [
            [fit(text, form.width, right=form.right) for text in form.texts(values)]
            for form, values in (
                (form, form.values(table.window(column, start, stop)))
                for column, form in enumerate(layout.formats)
            )
        ]
        rows = zip(*cells, strict=True) if cells else ((),) * (stop - start)
        out.writelines("  ".join(row).rstrip() + "\n" for row in rows)


def _write_csv(table: Any, out: TextIO) -> None:
    columns = _data_columns(table)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([table.titles[column] for column in columns])
    for start, stop in _slices(table):
        plain = [
            [_csv_bool(value) if isinstance(value, bool) else value for value in values]
            for values in plain_values(table, columns, start, stop)
        ]
        writer.writerows(zip(*plain, strict=True))


def _write_json(table: Any, out: TextIO) -> None:
    out.write("[")
    separator = "\n"
    for record in _records(table):
        out.write(separator + record)
        separator = ",\n"
    out.write("\n]\n")


def _write_jsonl(table: Any, out: TextIO) -> None:
    out.writelines(record + "\n" for record in _records(table))


WRITERS: Final[dict[str, Callable[[Any, TextIO], None]]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
    "jsonl": _write_jsonl,
}


def _slices(table: Any) -> Iterator[tuple[int, int]]:
    for start in range(0, table.rows, _SLICE):
        yield start, min(table.rows, start + _SLICE)


def _data_columns(table: Any) -> list[int]:
    """Return the columns without an index that only counts."""
    return [at for at, one in enumerate(table.headings.columns) if one.source is not None]


def plain_values(table: Any, columns: Sequence[int], start: int, stop: int) -> list[list[Any]]:
    """Return columns as values that CSV and JSON know: text, numbers, true, false and null."""
    import pyarrow as pa

    from livetable.feed.arrays import without_dictionary
    from livetable.tui.format import ColumnFormat

    plain = []
    for column in columns:
        window = table.window(column, start, stop)
        window = without_dictionary(window)
        if pa.types.is_temporal(window.type):
            form = ColumnFormat(window.type)
            values = form.values(window)
            form.measure(values)
            texts = form.texts(values)
            plain.append(
                [None if at is None else text for at, text in zip(values, texts, strict=True)]
            )
        else:
            try:
                values = window.to_pylist()
            except Exception:  # dates beyond Python's in a list
                values = ColumnFormat(window.type).values(window)
            plain.append(list(map(_json_value, values)))
    return plain


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _json_value(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(part) for part in value]
    return str(value)


def _csv_bool(value: bool) -> str:
    return "true" if value else "false"


def _records(table: Any) -> Iterator[str]:
    columns = _data_columns(table)
    names: list[str] = []
    for column in columns:  # an object can't have a name twice
        title = table.titles[column] or f"column {column}"
        name, number = title, 1
        while name in names:
            number += 1
            name = f"{title} {number}"
        names.append(name)
    for start, stop in _slices(table):
        plain = plain_values(table, columns, start, stop)
        rows = zip(*plain, strict=True) if plain else ((),) * (stop - start)
        for row in rows:
            yield json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)


def as_text(table: Any, form: str) -> str:
    """Return a table as text in one of the formats of `print_once`."""
    out = io.StringIO()
    WRITERS[form](table, out)
    return out.getvalue()
