"""tui.query.quoting: titles in backticks, names with commas between them, texts in quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.expression import parse
from livetable.tui.query.quoting import (
    QUOTED,
    REPLACED,
    blanks_for,
    outside_quotes,
    quote,
    split_names,
    unquoted,
)


@pytest.mark.parametrize(
    ("title", "written"), [("price", "price"), ("cpu %", "`cpu %`"), ("class", "`class`")]
)
def test_quoted_titles(title: str, written: str) -> None:
    assert quote(title) == written
    assert parse(f"{written} == 1", [title]).titles == (title,)


@given(st.text(max_size=20))
def test_a_title_survives_its_quotes(title: str) -> None:
    assert unquoted(quote(title)) == title


@given(st.lists(st.text("ab,` é1", max_size=6), min_size=1, max_size=5))
def test_titles_between_commas_are_split_again(titles: list[str]) -> None:
    assert [unquoted(name) for name in split_names(",".join(map(quote, titles)))] == titles


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", [""]),
        ("a, b ,c", ["a", "b", "c"]),
        ("a,,b", ["a", "", "b"]),
        ("`a,b`,c", ["`a,b`", "c"]),
        ("`a``,b`", ["`a``,b`"]),
        ("`a,b", ["`a", "b"]),  # the backtick is not closed
    ],
)
def test_names_are_split_at_commas(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_only_a_whole_name_is_unquoted() -> None:
    assert [unquoted(text) for text in ("`a b`", "`a``b`", "a`b`", "a", "")] == [
        "a b", "a`b", "a`b`", "a", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a until b", 1),
        ("'x until y'", -1),
        ("`x until y` > 1", -1),
        ("name == ' until ' until b", 17),
        ('a == "it\'s until" until b', 17),
        (r"a == 'it\'s until' until b", 18),
        ("a", -1),
    ],
)
def test_a_word_in_quotes_is_not_found(text: str, at: int) -> None:
    assert outside_quotes(text, " until ") == at


@given(st.text("ab'\"`\\ ", max_size=20))
def test_blanks_keep_every_position(text: str) -> None:
    blank = QUOTED.sub(blanks_for, text)
    assert len(blank) == len(text)
    assert all(new in (old, " ") for old, new in zip(text, blank, strict=True))


def test_what_pandas_reads_in_its_own_way() -> None:
    groups = [match.groups() for match in REPLACED.finditer("'a & b' & `c``d` | µ1 2e5")]
    assert [next(filter(None, found)) for found in groups] == [
        "'a & b'", "&", "c``d", "|", "µ1",
    ]  # fmt: skip
