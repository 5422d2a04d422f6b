"""livetable.feed.sources.json_values: numbers are what their texts say; what is deep is refused."""

from __future__ import annotations

from typing import Any

import pytest

from livetable.feed.sources.json_values import (
    MAX_DEPTH,
    BadJson,
    Rounded,
    is_deep,
    is_deep_text,
    loads,
)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("0.1", 0.1, float), ("0.12345678901234567890", 0.12345678901234568, Rounded),
        ("1.0000000000000000", 1.0, float), ("0.0", 0.0, float),
        ("12345678901234567890123", None, int),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float | None, kind: type) -> None:
    found = loads(text)
    assert type(found) is kind
    assert found == (int(text) if value is None else value)


@pytest.mark.parametrize("text", ["1e400", "-1e999", "1e-400"])
def test_a_number_beyond_floats_is_its_text(text: str) -> None:
    assert str(loads(text)) == text
    assert isinstance(loads(text), str)


def test_halves_of_characters_stay_as_they_are_escaped() -> None:
    text = rb'{"\ud800": ["\udfff", "x", 1, "\ud83d\ude00"], "y": "z"}'
    expected = {"\\ud800": ["\\udfff", "x", 1, "\U0001f600"], "y": "z"}
    assert loads(text) == expected
    assert loads(text.decode()) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON: line 1, column 2"), (b"\xff", "is not UTF-8"),
        ("9" * 5000, "is not JSON"),
        ("[" * 200_000, "nested too deeply"), ("[" * 61 + "]" * 61, "the limit is 60 levels"),
        (b"[" * 61 + b"]" * 61, "the limit is 60 levels"),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_can_not_be_read_is_a_sentence(text: str | bytes, says: str) -> None:
    with pytest.raises(BadJson, match=says):
        loads(text)


@pytest.mark.parametrize("depth", [1, MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize("kind", ["list", "object"])
def test_depth(kind: str, depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    assert is_deep(value) == (depth > MAX_DEPTH)


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b'{"a": 1}\n{"b": "[[[["}\n', False), (b'{"a": {"b": 1}}\n', False),
        (b"[" * 100, True), (b'{"a":' * 100, True), (b'"' + b"[" * 100 + b'"', False),
        (b"[]" * 100, False), (b"]" * 100 + b"[" * 59, False), (b"", False),
    ],
    ids=range(8),
)  # fmt: skip
def test_depth_of_a_text_that_is_not_read_yet(text: bytes, deep: bool) -> None:
    assert is_deep_text(text) == deep
