"""livetable.feed.sources.printed_rows: a print in pieces is rows below, or a screen anew."""

from __future__ import annotations

from typing import Any

from livetable.feed.sources.printed_rows import PrintedRows, PrintedUpdate


def read(rows: PrintedRows, text: str, *, last: bool = False) -> PrintedUpdate | None:
    rows.add(text)
    return rows.read(last=last)


def table_of(update: PrintedUpdate | None) -> dict[str, Any]:
    assert update is not None
    assert update.table is not None
    found: dict[str, Any] = update.table.to_pydict()
    return found


def test_a_header_waits_for_its_first_row() -> None:
    rows = PrintedRows(None, None)
    assert read(rows, "ID    CPU\n") is None
    assert rows.note is None
    assert rows.waiting == 10
    update = read(rows, "a     1\nb")
    assert table_of(update) == {"ID": ["a"], "CPU": [1]}
    assert update is not None
    assert update.anew
    assert rows.waiting == 1
    update = read(rows, "     2", last=True)
    assert table_of(update) == {"ID": ["b"], "CPU": [2]}
    assert update is not None
    assert not update.anew
    assert read(rows, "", last=True) is None


def test_lines_that_fit_no_header_are_told() -> None:
    rows = PrintedRows(None, None)
    read(rows, "ID    CPU\na     1\n")
    update = read(rows, "\n22222222222\n")
    assert update == PrintedUpdate(None)
    (line,) = rows.bad
    assert (line.number, line.text) == (3, "22222222222")
    assert line.reason == "does not fit the columns of the header"


def test_types_that_change_have_all_rows_read_again() -> None:
    rows = PrintedRows(None, None)
    read(rows, "ID    CPU\na     1\n")
    update = read(rows, "b     x\n")
    assert update is not None
    assert update.anew
    assert table_of(update) == {"ID": ["a", "b"], "CPU": ["1", "x"]}


def test_a_limit_forgets_the_oldest() -> None:
    rows = PrintedRows(None, 2)
    read(rows, "ID    CPU\na     1\nb     2\n")
    read(rows, "c     3\n")
    assert table_of(read(rows, "d     x\n")) == {"ID": ["c", "d"], "CPU": ["3", "x"]}


def test_a_screen_that_is_cleared_begins_anew() -> None:
    rows = PrintedRows(None, None)
    read(rows, "\x1b[H\x1b[JID    CPU\na     1\nb     2\n")
    assert read(rows, "\x1b[H\x1b[JID    CPU\n") is None  # only cleared yet
    update = read(rows, "c     3\n")
    assert table_of(update) == {"ID": ["c"], "CPU": [3]}
    assert update is not None
    assert update.anew
    # The rest of the same screen: its beginning was kept.
    assert table_of(read(rows, "d     4\n")) == {"ID": ["c", "d"], "CPU": [3, 4]}


def test_a_header_that_comes_again_begins_anew() -> None:
    rows = PrintedRows(None, None)
    read(rows, "ID    CPU\na     1\n")
    update = read(rows, "ID    CPU\nb     2\n")
    assert update is not None
    assert update.anew
    assert table_of(update) == {"ID": ["b"], "CPU": [2]}


def test_rows_without_a_header_are_numbered_columns() -> None:
    rows = PrintedRows(None, None)
    table = table_of(read(rows, "17\t./x\n18\t./y\n"))
    assert table == {"1": [17, 18], "2": ["./x", "./y"]}
    # Where the columns of further lines are nobody can tell.
    assert read(rows, "19\t./z\n") == PrintedUpdate(None)
    assert [line.text for line in rows.bad] == ["19\t./z"]
