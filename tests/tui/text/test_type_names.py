"""tui.text.type_names: what types are called by people who do not know Arrow."""

from __future__ import annotations

import pyarrow as pa
import pytest

from livetable.tui.text.type_names import kind_of, type_name


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (pa.bool_(), "true or false", "true or false"),
        (pa.uint8(), "whole number", "a number"),
        (pa.float16(), "number", "a number"),
        (pa.decimal256(40, 2), "decimal", "a number"),
        (pa.timestamp("ns", "UTC"), "time", "a time"),
        (pa.date64(), "date", "a date"),
        (pa.duration("s"), "duration", "a duration"),
        (pa.string(), "text", "text"),
        (pa.large_string(), "text", "text"),
        (pa.string_view(), "text", "text"),
        (pa.dictionary(pa.int8(), pa.string()), "text", "text"),
        (pa.dictionary(pa.int8(), pa.int64()), "whole number", "a number"),
        (pa.list_(pa.int8()), "nested", "nested"),
        (pa.map_(pa.string(), pa.int8()), "nested", "nested"),
        (pa.struct([("a", pa.int8())]), "nested", "nested"),
    ],
    ids=str,
)
def test_types_have_names_of_people(kind: pa.DataType, name: str, value: str) -> None:
    assert (type_name(kind), kind_of(kind)) == (name, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.time32("s"), "a time of day"),
        (pa.null(), "empty"),
        (pa.binary(), "bytes"),
        (pa.large_binary(), "bytes"),
    ],
    ids=str,
)
def test_a_sentence_names_values_that_have_no_name_of_their_own(
    kind: pa.DataType, value: str
) -> None:
    assert kind_of(kind) == value
    assert type_name(kind) == str(kind)
