"""livetable.feed.sources.shown_table: rows are a new table, go by key, or go at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.errors import LivetableError
from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.shown_table import ShownTable, last_of_each, no_column

EMPTY = pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.string())})


def rows(*pairs: tuple[int, str]) -> pa.Table:
    return pa.table({"id": [one for one, _ in pairs], "x": [text for _, text in pairs]})


@pytest.fixture
def shown() -> Iterator[Callable[..., ShownTable]]:
    publishers: list[Publisher] = []

    def make(key: str | None = None) -> ShownTable:
        publishers.append(Publisher(f"shown-{len(publishers)}", key=key))
        return ShownTable(publishers[-1], key)

    yield make
    for one in publishers:
        one.close()


def seen(table: ShownTable) -> list[tuple[Any, ...]]:
    with pa.ipc.open_stream(pa.py_buffer(table.publisher.snapshot())) as stream:
        return [tuple(row.values()) for row in stream.read_all().to_pylist()]


def test_rows_go_at_the_end_unless_they_are_all(shown: Callable[..., ShownTable]) -> None:
    table = shown()
    table.put(rows((1, "a")))
    table.put(rows((1, "b")))
    assert seen(table) == [(1, "a"), (1, "b")]
    table.put(EMPTY)  # no rows change nothing
    assert seen(table) == [(1, "a"), (1, "b")]
    table.put(rows((2, "c")), anew=True)
    assert seen(table) == [(2, "c")]
    table.begin()
    assert table.shown
    table.put(rows((3, "d")))
    assert seen(table) == [(3, "d")]


def test_rows_go_by_key(shown: Callable[..., ShownTable]) -> None:
    table = shown("id")
    table.put(rows((1, "a"), (2, "b"), (1, "c")))
    table.put(rows((2, "d"), (3, "e")))
    assert seen(table) == [(2, "d"), (1, "c"), (3, "e")]


def test_columns_alone_are_a_table_that_the_first_rows_replace(
    shown: Callable[..., ShownTable],
) -> None:
    table = shown()
    table.put(EMPTY)
    assert (table.shown, table.has_rows, seen(table)) == (True, False, [])
    table.put(pa.table({"other": [1]}))
    assert seen(table) == [(1,)]
    table.put(EMPTY, anew=True)
    assert (table.has_rows, seen(table)) == (False, [])


@pytest.mark.parametrize("before", [(), ((1, "a"),)])
def test_a_line_without_an_end_is_replaced_by_what_comes(
    before: tuple[tuple[int, str], ...], shown: Callable[..., ShownTable]
) -> None:
    table = shown()
    if before:
        table.put(rows(*before))
    table.put_tail(rows((2, "b")))
    assert table.shown
    assert seen(table) == [*before, (2, "b")]
    table.put(rows((2, "bcd")))
    assert seen(table) == [*before, (2, "bcd")]


def test_of_lines_that_can_not_be_read_the_first_are_told(
    shown: Callable[..., ShownTable],
) -> None:
    table = shown()
    table.tell_unreadable(30, [BadLine(at, "x", "is bad") for at in range(30)])
    source = table.publisher._state._source
    assert source.unreadable == 30
    assert len(source.lines) == 20
    assert source.lines[0] == (0, "x", "is bad")


def test_a_key_that_is_no_column_is_a_sentence() -> None:
    with pytest.raises(LivetableError, match="no column 'y'; columns: 'id', 'x'"):
        last_of_each(EMPTY, "y")
    assert no_column("y", range(30)).endswith("18, 19, …")
