"""livetable.feed.sources.utf8: any encoding, in any pieces."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.sources.utf8 import Utf8

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def in_pieces(data: bytes, size: int, encoding: str | None) -> tuple[bytes, Utf8]:
    utf8 = Utf8(encoding)
    made = b"".join(utf8.add(data[at : at + size]) for at in range(0, len(data), size))
    return made + utf8.add(b"", last=True), utf8


@given(TEXTS, st.integers(1, 7))
def test_utf8_stays(text: str, size: int) -> None:
    text = text.lstrip("\ufeff")
    made, utf8 = in_pieces(text.encode(), size, None)
    assert (made.decode(), utf8.as_latin1) == (text, None)
    assert in_pieces(codecs.BOM_UTF8 + text.encode(), size, None)[0].decode() == text


@given(TEXTS, st.integers(1, 7), st.sampled_from(["utf-16", "utf-32", "utf-16-le", "utf-16-be"]))
def test_other_encodings(text: str, size: int, encoding: str) -> None:
    text = text.lstrip("\ufeff")
    assert in_pieces(text.encode(encoding), size, encoding)[0].decode() == text
    if encoding in ("utf-16", "utf-32"):  # they have a mark
        assert in_pieces(text.encode(encoding), size, None)[0].decode() == text


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_lines_that_are_not_utf8_are_latin1(size: int) -> None:
    made, utf8 = in_pieces("a\nJosé\n".encode() + b"caf\xe9\nna\xefve", size, None)
    assert made.decode().splitlines()[:2] == ["a", "José"]
    assert "caf" in made.decode()
    assert utf8.as_latin1 is not None
    whole, utf8 = in_pieces("a\nJosé\n".encode() + b"caf\xe9\n", 100, None)
    assert (whole.decode(), utf8.as_latin1) == ("a\nJosé\ncafé\n", 3)
