"""livetable.feed.protocol.names: valid names, and names made of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import BadName
from livetable.feed.protocol.names import check_name, name_from


@pytest.mark.parametrize("name", ["orders", "a.b-c_d", "größe 1", "a@b:1", "x" * 64])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "@x", "-x", ".x", "~x", " x", "x ", "a/b", "a\\b", "a#b", "a\nb", "x" * 65, "e\u0301", 1],
)
def test_bad_names(name: object) -> None:
    with pytest.raises(BadName):
        check_name(name)


@given(st.text(max_size=200))
def test_any_text_makes_a_name(text: str) -> None:
    name = name_from(text, "other")
    assert check_name(name) == name
    assert not set(name) & set("*?[]")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("flights.csv", "flights.csv"),
        ("a b.csv", "a b.csv"),
        ("/x/y", "+x+y"),
        ("\x1b]0;t\x07[b].csv", "++0;t++b+.csv"),
        ("\udcff.csv", "+.csv"),
        ("u\u0308.csv", "ü.csv"),
        ("x" * 99 + ".csv", "x" * 60 + ".csv"),
        ("ü" * 99, "ü" * 32),
        ("...", "other"),
        ("", "other"),
    ],
)
def test_names_of_files(text: str, name: str) -> None:
    assert name_from(text, "other") == name
