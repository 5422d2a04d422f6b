"""terminal.screen_diff: whatever a screen showed, a terminal shows the next one, by few bytes."""

from __future__ import annotations

import io
import random
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from benchmarks.ideal import least
from livetable.tui.terminal.screen_diff import Front

WIDTH, HEIGHT = 30, 9
CONSOLE = Console(
    file=io.StringIO(), color_system="truecolor", force_terminal=True, width=WIDTH, height=HEIGHT
)
BACK = Style.parse("#e0e0e0 on #1e1e1e")
STYLES = [
    BACK, BACK + Style(bold=True), BACK + Style(dim=True), Style.parse("red on #1e1e1e"),
    Style.parse("#ffffff on #0178d4"), BACK + Style(underline=True), BACK + Style(reverse=True),
    Style(), BACK + Style(italic=True, strike=True),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _styles_of_no_other_console() -> None:
    # rich remembers in a style what the first console made of it, and gives the same style to
    # whoever adds up to an equal one: an app of 16 colours in the same process, for one.
    for style in STYLES:
        style._ansi = None


WORDS = [
    "a",
    "12.50",
    "  ",
    " ",
    "          ",
    "▲",
    "▼",
    "数据",
    "é",
    "e\u0301",
    "─────",
    "🙂",
    "x" * 12,
]

Lines = list[list[Segment]]


def fitted(pieces: list[tuple[str, Style]]) -> list[Segment]:
    """Return a line that is as wide as the screen."""
    line, width = [], 0
    for text, style in pieces:
        long = cell_len(text)
        if width + long <= WIDTH:
            line.append(Segment(text, style))
            width += long
    return [*line, Segment(" " * (WIDTH - width), BACK)]


lines = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(STYLES)), max_size=9).map(fitted)
screens = st.lists(lines, min_size=HEIGHT, max_size=HEIGHT)


class Shown:
    """A terminal, and the front that writes to it."""

    def __init__(self, *, erases: bool = True) -> None:
        self.front = Front(erases=erases)
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self.screen)
        self._stream.feed(b"\x1b[?7l")
        self.written = 0

    def show(self, screen: Lines) -> int:
        told = self.front.paint(screen, CONSOLE).encode()
        self._stream.feed(told)
        return len(told)

    def cells(self) -> list[list[Any]]:
        return [[seen(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def seen(cell: Any) -> Any:
    if cell.data == " ":  # of a space, only this can be seen
        back = cell.fg if cell.reverse else cell.bg
        return (" ", back, cell.underscore, cell.reverse, cell.strikethrough)
    return cell


def anew(screen: Lines) -> list[list[Any]]:
    """Return what a terminal shows that is told all of a screen."""
    one = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(one)
    stream.feed(b"\x1b[?7l")
    for y, line in enumerate(screen):
        told = "".join((style or Style()).render(text, color_system=CONSOLE._color_system)
                       for text, style, _ in line)  # fmt: skip
        stream.feed(f"\x1b[{y + 1};1H{told}".encode())
    return [[seen(one.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


@given(st.lists(screens, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_the_terminal_shows_the_last_screen(shown: list[Lines], erases: bool, blank: bool) -> None:
    terminal = Shown(erases=erases)
    if blank:
        terminal.front.clear(WIDTH, HEIGHT, CONSOLE)
    for screen in shown:
        terminal.show(screen)
        assert terminal.cells() == anew(screen)


@given(screens, st.data())
def test_a_screen_that_scrolls(screen: Lines, data: st.DataObject) -> None:
    terminal = Shown()
    terminal.show(screen)
    by = data.draw(st.integers(-HEIGHT + 1, HEIGHT - 1))
    top = data.draw(st.integers(0, 3))
    more = data.draw(screens)
    moved = [
        screen[y + by] if y >= top and top <= y + by < HEIGHT else more[y] for y in range(HEIGHT)
    ]
    moved[:top] = screen[:top]
    terminal.show(moved)
    assert terminal.cells() == anew(moved)


@given(screens)
def test_what_is_known_is_not_told_again(screen: Lines) -> None:
    terminal = Shown()
    terminal.show(screen)
    assert terminal.show([list(line) for line in screen]) == 0
    terminal.front.forget()
    assert terminal.show(screen) > 0
    assert terminal.cells() == anew(screen)


def numbers(chance: random.Random, first: int = 0) -> Lines:
    """Return a table: a header, then keys and numbers."""
    head = fitted([(" id ", STYLES[1]), ("  price  ", BACK), ("   volume ", BACK)])
    rows = [
        fitted([(f" {first + row:02} ", STYLES[1]), (f"{chance.uniform(0, 999):8.2f} ", BACK),
                (f"{chance.randrange(10**6):9} ", BACK)])
        for row in range(HEIGHT - 1)
    ]  # fmt: skip
    return [head, *rows]


@pytest.mark.parametrize("erases", [True, False])
def test_few_bytes(erases: bool) -> None:
    chance = random.Random(4)
    terminal = Shown(erases=erases)
    before = terminal.cells()
    blank = [[terminal.screen.default_char] * WIDTH] * HEIGHT
    told = ideal = 0
    for number in range(20):
        told += terminal.show(numbers(chance))
        after = [[terminal.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]
        ideal += least(blank if not number else before, after)
        before = after
    assert told <= 1.15 * ideal


def test_a_table_scrolls_by_the_terminals_own_scrolling() -> None:
    table = numbers(random.Random(2))
    longer = [*table, *numbers(random.Random(3), 8)[1:]]
    terminal = Shown()
    first = terminal.show(table)
    moved = [longer[0], *longer[3 : HEIGHT + 2]]
    assert terminal.show(moved) < first / 2
    assert terminal.cells() == anew(moved)
    assert terminal.show(table) < first / 2
    assert terminal.cells() == anew(table)


def test_another_size_is_another_screen() -> None:
    terminal = Shown()
    terminal.show(numbers(random.Random(1)))
    assert "12" in terminal.front.paint([[Segment("12", BACK)]], CONSOLE)
    wider = [Segment("x" * 31, BACK)]
    assert "x" * 31 in terminal.front.paint([wider], CONSOLE)


@settings(max_examples=20)
@given(screens)
def test_control_codes_are_no_text(screen: Lines) -> None:
    terminal = Shown()
    from rich.control import Control

    with_codes = [[Control.home().segment, *line] for line in screen]
    terminal.show(with_codes)
    assert terminal.cells() == anew(screen)
