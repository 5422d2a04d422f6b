"""livetable.feed.sources.printed_table: where the columns of a print are, and what draws it."""

from __future__ import annotations

import pytest

from livetable.feed.sources.printed_table import BORDER, COUNT, RULE, VALUE, Layout, cut_at

SPANS = ((0, 5), (5, 9), (9, 0))


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("ab   cd  e f", ["ab", "cd", "e f"]), ("ab", ["ab", "", ""]), ("     x", ["", "x", ""]),
        ("abcdefgh", None), ("ab   cdefgh", None),
    ],
)  # fmt: skip
def test_a_line_is_cut_unless_a_value_stands_across_an_edge(
    line: str, cells: list[str] | None
) -> None:
    assert cut_at(line, SPANS) == cells


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("ab   cd  e", ["ab", "cd", "e"]),  # by the places
        ("abcdefgh  i j  k", ["abcdefgh", "i j", "k"]),  # by gaps of two blanks
        ("abcdefgh i j k", ["abcdefgh", "i", "j k"]),  # by words, the last with the rest
        ("abcdefgh", None),
    ],
)
def test_a_line_that_is_wider_is_cut_by_its_blanks(line: str, cells: list[str] | None) -> None:
    assert Layout("ID   X   Y", 3, SPANS).cut(line) == cells


def test_a_layout_without_places_cuts_by_blanks() -> None:
    layout = Layout("A B", 2)
    assert layout.cut("x\ty") == ["x", "y"]
    assert layout.cut("x y z") == ["x", "y z"]
    assert layout.cut("x") is None


@pytest.mark.parametrize(
    ("word", "is_value"),
    [("17", True), ("1.5G", True), ("10:32:01", True), ("2026-01-02", True), ("::1/128", True),
     ("10.0.0.1:80", True), ("NAME", False), ("cpu0", False), ("-", False)],
)  # fmt: skip
def test_words_that_are_values(word: str, is_value: bool) -> None:
    assert bool(VALUE.fullmatch(word)) == is_value


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("-----+------", {"rule", "border"}), ("+----+----+", {"rule", "border"}),
        ("┌──┬──┐", {"border"}), ("==== ====", {"rule", "border"}), ("a | b", set()), ("-", set()),
    ],
)  # fmt: skip
def test_lines_that_are_drawn(line: str, drawn: set[str]) -> None:
    kinds = {"rule": RULE, "border": BORDER}
    assert {name for name, pattern in kinds.items() if pattern.fullmatch(line)} == drawn


def test_lines_that_count() -> None:
    assert COUNT.fullmatch("(3 rows)")
    assert COUNT.fullmatch("1 row in set (0.00 sec)")
    assert not COUNT.fullmatch("3 rows")
