"""livetable.feed.sources.table_of_texts: columns of texts get a type, and say what it hides."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.arrow.arrays import MARK, dtype_of
from livetable.feed.sources.json_documents import document
from livetable.feed.sources.table_of_texts import (
    ROUNDED,
    kinds_of,
    marked,
    table_of_texts,
    typed,
)
from livetable.feed.sources.values import Form, NotFitting

CELLS = st.sampled_from(["1", "2.5", "00501", "x", "", "true", "2026-01-02"])


def test_each_column_has_its_type() -> None:
    rows = [("1", "a", "0.5", "true"), ("2", "", "1", "false")]
    table, kinds = table_of_texts(["n", "s", "x", "b"], rows)
    assert table.to_pydict() == {
        "n": [1, 2], "s": ["a", None], "x": [0.5, 1.0], "b": [True, False]
    }  # fmt: skip
    assert [one.form for one in kinds] == [Form.INTEGER, Form.TEXT, Form.FLOAT, Form.BOOLEAN]


def test_a_table_without_rows_has_its_columns() -> None:
    table, _ = table_of_texts(["a", "b"], [], {"b": pa.int64()})
    assert (table.column_names, table.num_rows) == (["a", "b"], 0)
    assert table.schema.field("b").type == pa.int64()


def test_types_that_were_said_hold_or_are_refused() -> None:
    table, _ = table_of_texts(["zip", "n"], [("00501", "1")], {"zip": pa.string()})
    assert table.to_pylist() == [{"zip": "00501", "n": 1}]
    with pytest.raises(NotFitting, match="'x', not int64"):
        table_of_texts(["n"], [("x",)], {"n": pa.int64()})


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6), st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_pieces_are_the_whole(first: list[tuple[str, str]], second: list[tuple[str, str]]) -> None:
    """What columns were before is what the next rows are read as; both agree on a type."""
    names = ["a", "b"]
    _, kinds = table_of_texts(names, first)
    _, kinds = table_of_texts(names, second, so_far=kinds)
    whole, together = table_of_texts(names, first + second)
    assert [one.type for one in kinds] == [one.type for one in together]
    found = [table_of_texts(names, rows, so_far=kinds)[0].to_pylist() for rows in (first, second)]
    assert found[0] + found[1] == whole.to_pylist()


def test_what_a_type_does_not_say_is_marked() -> None:
    table, _ = table_of_texts(
        ["q", "r", "x"], [("12G", "0.12345678901234567890", "1.5")], units=True
    )
    assert [dtype_of(field) for field in table.schema] == ["quantity", ROUNDED, "double"]
    assert table.schema.field("x").metadata is None
    plain, _ = table_of_texts(["q"], [("12G",)])
    assert dtype_of(plain.schema.field("q")) == "string"


def test_a_comma_before_decimals() -> None:
    table, _ = typed(["x"], [pa.array(["1,5", "2"])], kinds_of(["x"], None), comma=True)
    assert table["x"].to_pylist() == [1.5, 2.0]


def test_jsons_rounded_floats_are_marked() -> None:
    made = document(b'[{"a": 0.12345678901234567890, "b": 1.5}]')
    table = marked(made)
    assert table.to_pylist() == [{"a": 0.12345678901234568, "b": 1.5}]
    assert table.schema.field("a").metadata == {MARK: ROUNDED.encode()}
    assert table.schema.field("b").metadata is None
    assert marked(document(b'[{"b": 1.5}]')).schema.field("b").metadata is None
