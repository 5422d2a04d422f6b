"""livetable.feed.sources.csv_reader: records below a header become typed rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.sources.bad_lines import BadLine, BadLines
from livetable.feed.sources.csv_reader import CsvReader, counted
from livetable.feed.sources.fitting_types import OtherTypes


def reader(separator: str | None = None, **more: Any) -> CsvReader:
    given: dict[str, Any] = {"types": {}, "known": None, "units": False, "trims": False}
    return CsvReader(separator, ",", **given | more)


def read(one: CsvReader, text: bytes, *, there: bool = False) -> dict[str, Any] | None:
    table, bad = one.rows(one.add(text), there)
    assert not bad
    return None if table is None else table.to_pydict()


def test_a_separator_is_found_out_once_there_is_a_line() -> None:
    one = reader()
    assert one.add(b"a;b") == b""
    assert one.rest == b"a;b"
    assert read(one, b"\n1,5;x\n") == {"a": [1.5], "b": ["x"]}
    assert one.names == ["a", "b"]
    assert not one.open_quote


def test_what_is_left_at_the_end_is_a_record() -> None:
    one = reader()
    assert one.add(b"a,b") == b""
    assert one.rows(one.finish(), False) == (None, [])
    assert one.names == ["a", "b"]
    nothing = reader()
    assert nothing.add(b"  ") == b""
    assert nothing.finish() == b""


def test_a_header_may_go_on_in_the_next_line_and_blank_lines_stand_above_it() -> None:
    one = reader(",", trims=True)
    assert read(one, b'\r\n\r\n" a\nb ", c \r\n1,2\r\n') == {"a\nb": [1], "c": [2]}
    assert one.header_lines == 4
    assert reader(",").rows(b"\n\n", False) == (None, [])


def test_rows_behind_a_header_that_is_known() -> None:
    one = reader()
    one.begin(["x", "y"], None)
    assert read(one, b"1,2\n") == {"x": [1], "y": [2]}
    one.begin(["x", "y"], ";")
    assert read(one, b"3;4\n") == {"x": [3], "y": [4]}


@pytest.mark.parametrize(
    ("text", "names"),
    [(b"a,b\nr1,1,2\nr2,3,4\n", ["", "a", "b"]), (b"a,b\n1,2,\n3,4,\n", ["a", "b", ""])],
    ids=["rows' names", "a separator at each end"],
)
def test_rows_of_one_more_value_than_the_header(text: bytes, names: list[str]) -> None:
    one = reader(",")
    table = read(one, text)
    assert table is not None
    assert list(table) == names


def test_a_row_of_other_length_is_told() -> None:
    one = reader(",")
    table, bad = one.rows(one.add(b"a,b\n1,2\n3\n"), False)
    assert table is not None
    assert table.num_rows == 1
    assert bad == [BadLine(1, "3", "has 1 value, not 2")]
    assert counted(1200, "value") == "1,200 values"


def test_a_line_without_an_end_is_a_row_or_a_header() -> None:
    one = reader()
    table, _ = one.tail(b"a;b", False)
    assert table is not None
    assert (table.column_names, table.num_rows) == (["a", "b"], 0)
    read(one, b"a,b\n1,2\n")
    table, _ = one.tail(b"3,4", True)
    assert table is not None
    assert table.to_pydict() == {"a": [3], "b": [4]}


def test_a_quote_that_nothing_closes_may_be_text() -> None:
    one = reader(",")
    assert read(one, b"a,b\n1,x\n") == {"a": [1], "b": ["x"]}
    assert one.add(b'2,"y\n3,z\n') == b""
    assert one.open_quote
    table, _ = one.rows(one.read_as_text(), True)
    assert table is not None
    assert table.to_pydict() == {"a": [2, 3], "b": ['"y', "z"]}


def test_types_that_change_are_read_again_and_types_that_were_said_stay() -> None:
    one = reader(",")
    read(one, b"a\n1\n")
    with pytest.raises(OtherTypes) as other:
        read(one, b"x\n", there=True)
    again = reader(",", known=other.value.known)
    assert read(again, b"a\n1\nx\n") == {"a": ["1", "x"]}
    with pytest.raises(BadLines, match="x"):
        read(reader(",", types={"a": pa.int64()}), b"a\nx\n")
