"""tui.terminal.pen: what a terminal is told shows what is meant, in as few bytes as can be."""

from __future__ import annotations

from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style

from livetable.tui.terminal.pen import GAP, Ink, Pen, ink_of, is_simple, parameters

WIDTH, HEIGHT = 40, 3
CONSOLE = Console(force_terminal=True, color_system="truecolor")
INKS = [
    ink_of(Style.parse(text), CONSOLE)
    for text in (
        "not bold", "bold", "bold dim red", "dim", "#102030 on #405060", "on blue", "reverse",
        "underline bright_green on bright_black", "italic strike color(201)", "bold underline",
    )
]  # fmt: skip
TEXTS = st.text("ab  ", min_size=1, max_size=30)
RUNS = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, 9), TEXTS, st.sampled_from(INKS)),
    max_size=6,
)


class Screen:
    """A terminal's cells, and how its blanks look."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def told(self, pen: Pen) -> Screen:
        self._stream.feed("".join(pen.words))
        pen.words.clear()
        return self

    @property
    def cells(self) -> list[list[Any]]:
        return [[self.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def anew(*runs: tuple[int, int, str, Ink]) -> Screen:
    """Return the screen of runs that are each drawn by a pen of its own."""
    screen = Screen()
    for run in runs:
        pen = Pen()
        pen.draw_run(*run)
        screen.told(pen)
    return screen


@given(RUNS)
def test_runs_of_one_pen_are_those_of_many(runs: list[tuple[int, int, str, Ink]]) -> None:
    pen = Pen()
    for run in runs:
        pen.draw_run(*run)
    long = len("".join(pen.words))
    assert Screen().told(pen).cells == anew(*runs).cells
    many = [Pen() for _ in runs]
    for one, run in zip(many, runs, strict=True):
        one.draw_run(*run)
    assert long <= sum(len("".join(one.words)) for one in many)


@given(st.data(), st.sampled_from(INKS), st.sampled_from(INKS), st.integers(0, 9))
def test_only_what_differs_is_drawn(data: st.DataObject, before: Ink, ink: Ink, x: int) -> None:
    was = data.draw(TEXTS)
    text = data.draw(st.text("ab ", min_size=len(was), max_size=len(was)))
    pen = Pen()
    pen.draw_run(1, x, was, before)
    screen = Screen().told(pen)
    pen.go_to(1, x)
    pen.draw(was, text, ink, before == ink, before.blank == ink.blank)
    words = "".join(pen.words)
    expected = anew((1, x, was, before), (1, x, text, ink)).cells
    for y, line in enumerate(screen.told(pen).cells):
        for at, (seen, meant) in enumerate(zip(line, expected[y], strict=True)):
            assert _looks(seen) == _looks(meant), (y, at, words)
    if before == ink and was == text:
        assert words == ""


def _looks(cell: Any) -> Any:
    """Return what can be seen of a cell: the colour of a blank's letters is not."""
    if cell.data == " " and not cell.reverse:
        return (" ", cell.bg, cell.underscore, cell.strikethrough)
    return cell


def test_a_short_way_is_written_over_and_a_long_one_leapt() -> None:
    ink = INKS[0]
    for between, leaps in ((GAP, False), (GAP + 1, True)):
        same = "x" * between
        pen = Pen()
        pen.draw_run(0, 0, "", ink)
        pen.words.clear()
        pen.go_to(0, 0)
        pen.draw(f"a{same}a", f"b{same}b", ink, same_ink=True, same_blank=True)
        assert (f"\x1b[{between}C" in pen.words) is leaps
        assert "".join(pen.words).count("x") == (0 if leaps else between)


def test_a_place_that_may_not_be_true_is_addressed_anew() -> None:
    pen = Pen()
    pen.go_to(0, 2)
    pen.draw_whole("中", INKS[0])  # as wide as the terminal thinks
    pen.draw_run(0, 4, "x", INKS[0])
    assert pen.words[-2:] == ["\x1b[1;5H", "x"]
    pen.draw_run(0, 5, "y", INKS[0])
    assert pen.words[-1] == "y"
    assert pen.words[-2] == "x"  # it goes on where it is
    pen.lose_place()
    pen.draw_run(0, 6, "z", INKS[0])
    assert "\x1b[1;7H" in pen.words
    assert pen.ink == INKS[0]


def test_blanks_are_erased_in_their_background() -> None:
    pen = Pen()
    pen.draw_blanks(0, 3, 5, INKS[5], to_the_end=False)
    pen.draw_blanks(1, 3, 0, INKS[5], to_the_end=True)
    assert [word for word in pen.words if word.endswith(("X", "K"))] == ["\x1b[5X", "\x1b[K"]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("", ("", "", frozenset())),
        ("\x1b[1;31m", ("31", "", frozenset("1"))),
        ("\x1b[38;2;1;2;3;48;5;7;4m", ("38;2;1;2;3", "48;5;7", frozenset("4"))),
        ("\x1b[93;104;53m", ("93", "104", frozenset(["53"]))),
        ("\x1b[39;49m", ("39", "49", frozenset())),
    ],
)
def test_what_sets_which_part_of_a_style(told: str, found: tuple[str, str, frozenset[str]]) -> None:
    assert parameters(told) == found


@pytest.mark.parametrize(
    ("text", "simple"), [("", True), ("a b", True), ("1.5▲", True), ("▲1", False), ("中", False),
                         ("é", False), ("a–", True)],
)  # fmt: skip
def test_which_texts_take_a_cell_a_letter(text: str, simple: bool) -> None:
    assert is_simple(text) is simple
