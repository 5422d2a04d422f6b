"""tui.text.nested: lists, dicts and maps as short text, however long they say they are."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.text.nested import MAX_CHARACTERS, nested_text, scalar_text

NUMBERS = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=16)
TEXTS = st.lists(st.none() | st.text(max_size=8), max_size=16)


@given(st.lists(NUMBERS, max_size=16), TEXTS, NUMBERS)
def test_what_is_short_is_written_as_python_has_it(
    rows: list[Any], texts: list[Any], numbers: list[Any]
) -> None:
    named = {"a": texts, "it's": numbers}
    assert nested_text(pa.scalar(rows, pa.list_(pa.list_(pa.int64())))) == repr(rows)
    kind = pa.struct([("a", pa.list_(pa.string())), ("it's", pa.list_(pa.int64()))])
    assert nested_text(pa.scalar(named, kind)) == repr(named)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (pa.scalar(None, pa.list_(pa.int8())), None),
        (pa.scalar([], pa.list_(pa.int8())), "[]"),
        (pa.scalar([[[[[1]]]]]), "[[[[…]]]]"),
        (pa.scalar([[[[]]]], pa.list_(pa.list_(pa.list_(pa.list_(pa.int8()))))), "[[[[]]]]"),
        (pa.scalar([1, 2], pa.list_(pa.int8(), 2)), "[1, 2]"),
        (pa.scalar([True, None]), "[True, None]"),
        (pa.scalar([("k", None)], pa.map_(pa.string(), pa.int8())), "{'k': None}"),
        (pa.scalar(list(range(16))), f"[{', '.join(map(str, range(16)))}]"),
        (pa.scalar(dict.fromkeys(map(str, range(20)), 1)),
         "{" + "".join(f"'{at}': 1, " for at in range(16)) + "…}"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Scalar) else None,
)  # fmt: skip
def test_what_is_deep_or_long_is_cut(cell: pa.Scalar, text: str | None) -> None:
    assert nested_text(cell) == text


def test_a_list_of_any_length_is_looked_at_no_further_than_it_is_shown() -> None:
    many = pa.ListArray.from_arrays(pa.array([0, 10**8], pa.int64()).cast(pa.int32()),
                                    pa.nulls(10**8))[0]  # fmt: skip
    text = nested_text(many)
    assert text == "[" + "None, " * 16 + "…]"


def test_categories_and_texts_in_lists_are_quoted() -> None:
    kinds = pa.array(["a'b", None]).dictionary_encode()
    assert nested_text(pa.ListArray.from_arrays([0, 2], kinds)[0]) == '["a\'b", None]'
    assert nested_text(pa.scalar(["x"], pa.list_(pa.large_string()))) == "['x']"


def test_what_python_can_not_say_is_named_by_what_went_wrong() -> None:
    far = pa.array([10**9], pa.int32()).view(pa.date32())
    assert scalar_text(far[0]).startswith("<")
    assert nested_text(pa.ListArray.from_arrays([0, 1], far)[0]) == f"[{scalar_text(far[0])}]"
    assert len(scalar_text(pa.scalar("x" * 10_000))) == MAX_CHARACTERS
