"""livetable.feed.protocol.fields: fields are read one by one, anything wrong is a WireError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import WireError
from livetable.feed.protocol import fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
READERS: list[Callable[[Any], object]] = [
    lambda value: fields.text_of({"x": value}, "x", 8),
    lambda value: fields.table_name({"name": value}),
    lambda value: fields.count_of({"x": value}, "x"),
    lambda value: fields.seconds_of({"x": value}, "x"),
    lambda value: fields.labels_of({"x": value}, "x"),
    lambda value: fields.ranges_of({"gone": value}),
]


@given(value=JSON, read=st.sampled_from(READERS))
def test_a_field_is_read_or_refused(value: Any, read: Callable[[Any], object]) -> None:
    with contextlib.suppress(WireError):
        read(value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{" * 100, "longer than the limit of 50"), (b"nonsense", "must be JSON"),
        (b"[" * 49, "must be JSON"), (b"[]", 'JSON object with "livetable":1'),
        (b"{}", 'JSON object with "livetable":1'), (b'{"livetable":2}', "version 2"),
    ],
)  # fmt: skip
def test_messages_that_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        fields.json_object(data, 50, "want")


def test_missing_fields_have_their_defaults() -> None:
    assert fields.json_object(b'{"livetable":1}', 50, "want") == {"livetable": 1}
    assert fields.count_of({}, "x", 3) == 3
    assert fields.seconds_of({}, "x") is None
    assert fields.labels_of({}, "x") == ()
    assert fields.ranges_of({}) == ()


def test_ranges_ascend_and_do_not_overlap() -> None:
    assert fields.ranges_of({"gone": [[0, 2], [2, 1]]}) == ((0, 2), (2, 1))
    for wrong in ([[0, 2], [1, 1]], [[0, 0]], [[3]], [[0, 1]] * (fields.MAX_RANGES + 1)):
        with pytest.raises(WireError, match="gone"):
            fields.ranges_of({"gone": wrong})


def test_surrogates_are_not_text() -> None:
    with pytest.raises(WireError, match="Unicode"):
        fields.text_of({"x": "\ud800"}, "x", 8)
