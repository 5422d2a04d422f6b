"""tui.grid.layout: where columns start, which are in sight, and what is cut at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.tui.grid.cells import Cell, Cursor, Look, Viewport
from livetable.tui.grid.composer import Composer
from livetable.tui.grid.layout import Layout, clip, cut_of, title_text, visible_part, with_cuts
from livetable.tui.text.column_format import ColumnFormat
from livetable.tui.text.column_style import ColumnStyle, Shade
from tests.tui.tables import table_of


@given(st.integers(0, 400), st.integers(0, 120))
@settings(max_examples=100, deadline=None)
def test_places(left: int, width: int) -> None:
    composer = Composer()
    composer.load(table_of(pd.DataFrame(np.zeros((3, 40)))))
    layout = composer.layout
    assert layout is not None
    visible = layout.visible(left, width)
    for x in range(layout.fixed_width, width):
        column = layout.column_at(x, left)
        assert column is None or column in visible
    for column in range(len(layout.formats)):
        moved = layout.left_for(column, left, width)
        if column < layout.fixed:
            assert moved == left
        elif width - layout.fixed_width >= layout.formats[column].width + 2:
            start = layout.starts[column] - moved
            assert layout.fixed_width <= start
            assert start + layout.formats[column].width + 2 <= width


def test_what_is_cut_says_so() -> None:
    data = {
        "id": ["a"],
        "n": [1234567.25],
        "text": ["words that go on"],
        "m": [2.5],
        "w": ["中文字"],
    }
    composer = Composer()
    composer.load(table_of(data, "id"))
    whole = composer.compose(Viewport(0, 1, 0, 80), Cursor(), 0.0)[0]
    layout = composer.layout
    assert layout is not None
    fixed = layout.fixed_width
    for left in range(layout.total - fixed):
        view = Viewport(0, 1, left, fixed + 9)
        line = composer.compose(view, Cursor(), 0.0)[0]
        for column, cell in zip((0, *layout.visible(left, view.width)), line, strict=True):
            start, end = visible_part(cell, fixed, view.width)
            full = whole[column].text
            if start >= end or len(full) < cell.width:  # out of sight, or of wide characters
                continue
            seen = cell.text[start:end]
            hidden = bool(full[: start + 1].strip()) and start > 0
            more = bool(full[end - 1 :].strip()) and end < cell.width
            if len(seen) == 1:
                assert (seen == "…") == (hidden or more), (left, full, seen)
            else:
                cuts = seen.startswith("…"), seen.endswith("…")
                assert cuts == (hidden, more), (left, full, seen)
            assert seen.strip("…") in full


def test_columns_are_scrolled_to_where_one_begins() -> None:
    table = table_of({"id": ["a"], **{f"c{at}": ["x" * (3 + at % 4)] for at in range(12)}}, "id")
    composer = Composer()
    composer.load(table)
    layout = composer.layout
    assert layout is not None
    starts = {start - layout.fixed_width for start in layout.starts}
    left = 0
    for column in (*range(13), *reversed(range(13))):
        left = layout.left_for(column, left, 40)
        assert left in starts
        if column:
            x = layout.starts[column] - left
            assert layout.fixed_width <= x
            assert x + layout.formats[column].width + 2 <= 40


TABLE = table_of({"id": ["a", "b"], "n": [1, 22], "text": ["x", "y"]}, "id")


def test_a_layout_fits_while_columns_and_styles_are_the_same() -> None:
    layout = Layout(TABLE)
    assert layout.fits(table_of({"id": ["c"], "n": [3], "text": ["z"]}, "id"), {})
    assert not layout.fits(table_of({"id": ["c"], "n": [3.5], "text": ["z"]}, "id"), {})
    assert not layout.fits(table_of({"id": ["c"], "n": [3], "text": ["z"]}), {})
    assert not layout.fits(TABLE.select(["n"]), {})
    assert not layout.fits(TABLE, {("n", 0): ColumnStyle(digits=2)})


def test_columns_keep_their_widths_by_title_type_and_style() -> None:
    before = Layout(table_of({"n": [123456789], "m": [1]}))
    after = Layout(table_of({"m": [1.5], "n": [1]}), before)
    assert after.formats[2] is before.formats[1]  # n, which has moved
    assert after.formats[1] is not before.formats[2]  # m, which has another type
    styled = Layout(table_of({"n": [1]}), before, {("n", 0): ColumnStyle(width=5)})
    assert styled.formats[1].width == 5


def test_rows_at_the_start_the_middle_and_the_end_determine_the_width() -> None:
    texts = ["a"] * 1000
    for row in (0, 500, 999):
        longer = [*texts[:row], "a" * 20, *texts[row + 1 :]]
        assert Layout(table_of({"t": longer})).formats[1].width == 20, row
    assert Layout(table_of({"t": [*texts[:250], "a" * 20, *texts[251:]]})).formats[1].width == 1


def test_columns_grow_with_new_values_only() -> None:
    layout = Layout(table_of({"t": ["a", "b"]}))
    total, version = layout.total, layout.version
    assert not layout.stretch((1,), [["a", "b"]], [("a",), ("b",)], [[], []])
    assert layout.stretch((1,), [["long", "b"]], [("long",), ("b",)], [[0], []])
    layout.grow()
    assert (layout.total, layout.version) == (total + 3, version + 1)
    assert layout.stretch((1,), [["longer", "b"]], [("longer",), ("b",)], [None, []])  # None: all


def test_the_range_of_a_shade_grows_with_new_values() -> None:
    styles = {("n", 0): ColumnStyle(shade=Shade.BAR)}
    layout = Layout(table_of({"n": [0, 10]}), None, styles)
    form = layout.formats[1]
    assert form.share(5) == 0.5
    assert layout.stretch((1,), [[0, 20]], [(0,), (20,)], [[], [0]])
    assert form.share(5) == 0.25


def test_a_value_with_more_digits_measures_the_whole_column_again() -> None:
    layout = Layout(table_of({"x": [1.5, 2.5]}))
    assert layout.stretch((1,), [[1.5, 2.125]], [(1.5,), (2.125,)], [[], [0]])
    assert layout.formats[1].texts([1.5, 2.125]) == ["1.500", "2.125"]


def test_no_column_after_the_last_and_none_without_columns() -> None:
    layout = Layout(TABLE)
    assert [layout.column_at(x, 0) for x in (0, layout.total - 1, layout.total)] == [0, 2, None]
    assert layout.left_for(99, 7, 40) == 7
    empty = Layout(table_of(pd.DataFrame(index=[])))
    assert empty.column_at(empty.total, 0) is None


def test_the_sign_of_rounding_takes_the_cell_before_the_title() -> None:
    form = ColumnFormat(TABLE.types[1])
    form.width = 4
    assert title_text("n", form) == "    n"
    form.rounds = True
    assert title_text("n", form) == "   ≈n"


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        (" 12345 ", 0, 7, " 12345 "),
        (" 12345 ", 2, 7, " 1…345 "),
        (" 12345 ", 0, 4, " 12…45 "),
        ("  5    ", 1, 7, "  5    "),  # nothing is hidden but blanks
        (" 中文  ", 2, 5, " 中文  "),
    ],
)
def test_a_cut_text_says_so(text: str, start: int, end: int, expected: str) -> None:
    assert with_cuts(text, start, end) == expected


def test_frozen_columns_cover_scrolled_ones() -> None:
    frozen = Cell(0, 4, " id ", int(Look.FIXED))
    scrolled = Cell(2, 5, " 123 ", 0)
    assert visible_part(frozen, 4, 10) == (0, 4)
    assert visible_part(scrolled, 4, 10) == (2, 5)
    assert clip((frozen, scrolled, replaced(scrolled, -2)), 4, 10) == [
        (frozen, 0, 4), (scrolled, 2, 5),
    ]  # fmt: skip
    layout = Layout(TABLE)
    assert cut_of(layout, 0, Viewport(0, 1, 0, 80)) is None
    assert cut_of(layout, 1, Viewport(0, 1, 1, 80)) == (1, 4)
    assert cut_of(layout, 1, Viewport(0, 1, 0, layout.fixed_width + 2)) == (0, 2)


def replaced(cell: Cell, x: int) -> Cell:
    return cell._replace(x=x)
