"""livetable.feed.sources.json_reader: lines of objects become typed rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.sources.bad_lines import BadLines
from livetable.feed.sources.fitting_types import OtherTypes
from livetable.feed.sources.json_reader import JsonReader, JsonTypes


def read(one: JsonReader, text: bytes, *, there: bool = False) -> dict[str, Any] | None:
    table, _ = one.rows(one.add(text), there)
    return None if table is None else table.to_pydict()


def test_lines_end_in_any_way_and_the_last_without() -> None:
    one = JsonReader({}, None)
    assert read(one, b'{"a": 1}\r\n{"a": 2}\r{"a"') == {"a": [1, 2]}
    assert one.rest == b'{"a"'
    assert one.add(b": 3}") == b""
    table, bad = one.tail(one.rest, True)
    assert table is not None
    assert (table.to_pydict(), bad) == ({"a": [3]}, [])
    assert one.finish() == b'{"a": 3}'
    assert one.rest == one.read_as_text() == b""
    one.begin(["a"], ",")  # there is no header to know
    assert one.rows(b" \n", True) == (None, [])


def test_rows_without_names_come_with_the_first_name() -> None:
    one = JsonReader({}, None)
    assert read(one, b"{}\n{}\n") is None
    assert read(one, b'{"a": 1}\n') == {"a": [None, None, 1]}
    assert read(one, b"{}\n", there=True) == {"a": [None]}
    assert read(one, b"not JSON\n", there=True) is None


def test_a_half_line_leaves_no_trace() -> None:
    one = JsonReader({}, None)
    one.tail(b"{}", False)
    one.tail(b'{"b": 1}', False)
    assert one.names is None
    assert read(one, b'{"a": 1}\n') == {"a": [1]}


@pytest.mark.parametrize(
    ("first", "then", "both"),
    [
        ("1", "1.5", [1.0, 1.5]), ("1", '"x"', ["1", "x"]), ("true", "1", ["true", "1"]),
        ("null", "1", None), ("1", "null", None), ('"x"', "1", None),
        ('"2026-01-02T03:04:05"', '"x"', ["2026-01-02T03:04:05", "x"]),
    ],
)  # fmt: skip
def test_types_that_change_are_read_again(first: str, then: str, both: list[Any] | None) -> None:
    one = JsonReader({}, None)
    read(one, f'{{"a": {first}}}\n'.encode())
    second = f'{{"a": {then}}}\n'.encode()
    if both is None:  # it fits
        assert read(one, second, there=True) is not None
        return
    with pytest.raises(OtherTypes) as other:
        read(one, second, there=True)
    again = JsonReader({}, other.value.known)
    assert read(again, f'{{"a": {first}}}\n{{"a": {then}}}\n'.encode()) == {"a": both}


def test_times_are_texts_that_all_are_times() -> None:
    one = JsonReader({}, None)
    assert read(one, b'{"a": null}\n{"a": "2026-01-02T03:04:05"}\n') == {
        "a": [None, datetime(2026, 1, 2, 3, 4, 5)]
    }
    assert read(one, b'{"a": null}\n', there=True) == {"a": [None]}


def test_rounded_numbers_are_marked() -> None:
    one = JsonReader({}, None)
    table, _ = one.rows(b'{"a": 0.12345678901234567890, "b": 0.5}\n', False)
    assert table is not None
    assert table.schema.field("a").metadata
    assert not table.schema.field("b").metadata


def test_a_type_that_was_said_holds_or_is_a_sentence() -> None:
    kinds = {"a": pa.int64(), "b": pa.string()}
    assert read(JsonReader(kinds, None), b'{"a": 2.0, "b": [1]}\n') == {"a": [2], "b": ["[1]"]}
    with pytest.raises(BadLines, match="column 'a'"):
        read(JsonReader(kinds, None), b'{"a": "x"}\n')


def test_what_is_known_is_copied_before_it_is_widened() -> None:
    known = JsonTypes()
    other = known.copied()
    other.widened("a", pa.array([1]))
    assert (known.types, other.types) == ({}, {"a": pa.int64()})
    assert not other.is_wider_than(known)  # a new column is no other type
    wider = other.copied()
    wider.widened("a", pa.array(["x"]))
    assert wider.is_wider_than(other)
    assert not wider.is_rounded("a")
