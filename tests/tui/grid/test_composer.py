"""livetable.tui.grid.composer: what the screen should show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.tui.grid.cells import Cursor, Line, Look, Viewport
from livetable.tui.grid.composer import Composer
from livetable.tui.grid.layout import clip
from livetable.tui.grid.mark import FADE_SECONDS, FLASH_SECONDS
from livetable.tui.grid.styles import names_of
from livetable.tui.model.table import Table
from livetable.tui.text.column_format import width_of
from tests.tui.tables import table_of
from tests.ugly import ugly_frames

VIEW = Viewport(0, 10, 0, 80)


def texts(line: Line) -> list[str]:
    return [cell.text for cell in line]


def composed(composer: Composer, table: Table, now: float = 0.0, **more: Any) -> list[Line]:
    composer.load(table)
    return composer.compose(more.pop("viewport", VIEW), more.pop("cursor", Cursor()), now, **more)


def prices(*values: float, names: str = "abc") -> Table:
    return table_of({"id": list(names[: len(values)]), "p": list(values)}, "id")


@pytest.mark.parametrize("name", ugly_frames())
@pytest.mark.parametrize("viewport", [VIEW, Viewport(1, 2, 7, 11), Viewport(0, 0, 0, 0)])
def test_every_ugly_frame_is_aligned(name: str, viewport: Viewport) -> None:
    composer = Composer()
    table = table_of(ugly_frames()[name])
    lines = composed(composer, table, viewport=viewport)
    assert len(lines) == max(0, min(viewport.height, table.rows - viewport.top))
    for line in [*lines, composer.header(viewport, Cursor())]:
        for cell in line:
            assert width_of(cell.text) == cell.width
            assert cell.text.replace("\u200e", "").replace("\u3000", "").isprintable()
        fixed = composer.layout.fixed_width if composer.layout else 0
        shown = clip(line, fixed, viewport.width)
        taken = [x for cell, a, b in shown for x in range(cell.x + a, cell.x + b)]
        assert len(taken) == len(set(taken))
        assert all(0 <= x < viewport.width for x in taken)


def test_numbers_are_right_and_text_is_left() -> None:
    line = composed(Composer(), prices(1.5, 20.25))[0]
    assert texts(line) == [" a  ", "  1.50 "]


def test_changes_flash_up_and_down_and_end() -> None:
    composer = Composer()
    composed(composer, prices(1.0, 2.0, 3.0))
    lines = composed(composer, prices(2.0, 1.0, 3.0), 1.0)
    looks = [Look(line[1].look) for line in lines]
    assert looks == [Look.UP, Look.DOWN, Look.PLAIN]
    assert [line[1].text for line in lines] == [" 2.0▲", " 1.0▼", " 3.0 "]
    assert composer.next_flash_end == 1.0 + FLASH_SECONDS - FADE_SECONDS
    lines = composed(composer, prices(2.0, 1.0, 3.0), 1.0 + FLASH_SECONDS)
    assert [line[1].look for line in lines] == [0, 0, 0]
    assert composer.next_flash_end is None


def test_few_changes_fade_and_many_just_end() -> None:
    composer = Composer()
    composed(composer, prices(1.0, 2.0))
    composed(composer, prices(2.0, 2.0), 1.0)
    faint = composed(composer, prices(2.0, 2.0), 1.0 + FLASH_SECONDS - FADE_SECONDS)[0]
    assert Look(faint[1].look) == Look.UP | Look.FAINT
    assert names_of(Look(faint[1].look)) == ["up-faint"]
    assert faint[1].text == " 2.0▲"
    assert composer.next_flash_end == 1.0 + FLASH_SECONDS
    # Again while it fades: strong again.
    assert composed(composer, prices(3.0, 2.0), 1.6)[0][1].look == Look.UP
    many = pd.DataFrame({f"c{n}": range(50) for n in range(3)})
    composer = Composer()
    view = Viewport(0, 50, 0, 80)
    composer.load(table_of(many))
    composer.compose(view, Cursor(), 0.0)
    composer.load(table_of(many + 1))
    lines = composer.compose(view, Cursor(), 1.0)
    assert composer.next_flash_end == 1.0 + FLASH_SECONDS
    assert all(cell.look & Look.UP for line in lines for cell in line[1:])


def test_other_changes_are_neither_up_nor_down() -> None:
    def state(value: str | None, flag: bool) -> Table:
        rows = {"id": ["a", "b"], "s": [value, "z"], "f": [flag, True], "n": [np.nan, 1.0]}
        return table_of(rows, "id")

    composer = Composer()
    composed(composer, state("x", True))
    line = composed(composer, state(None, False), 1.0)[0]
    assert [Look(cell.look) & Look.CHANGED for cell in line] == [0, Look.CHANGED, Look.CHANGED, 0]
    assert line[1].text.endswith("•")


def test_changes_are_told_by_row_not_by_place() -> None:
    composer = Composer()
    composed(composer, prices(1.0, 2.0, names="ab"))
    lines = composed(composer, prices(2.0, 1.5, names="ba"), 1.0)
    assert [Look(line[1].look) for line in lines] == [Look.PLAIN, Look.UP]


def test_what_scrolls_into_sight_does_not_flash() -> None:
    composer = Composer()
    table = table_of({"p": list(range(50))})
    composed(composer, table)
    lines = composed(composer, table, viewport=Viewport(20, 10, 0, 80))
    assert all(cell.look & ~Look.FIXED == 0 for line in lines for cell in line)


def test_other_columns_do_not_flash() -> None:
    composer = Composer()
    composed(composer, prices(1.0))
    line = composed(composer, table_of({"id": ["a"], "q": [5.0]}, "id"))[0]
    assert line[1].look == 0


def test_the_cursor() -> None:
    composer = Composer()
    lines = composed(composer, prices(1.0, 2.0), cursor=Cursor(1, 1))
    assert [Look(cell.look) for cell in lines[1]] == [
        Look.FIXED | Look.CURSOR_ROW,
        Look.CURSOR | Look.CURSOR_ROW,
    ]
    assert composer.header(VIEW, Cursor(1, 1))[1].look & Look.CURSOR_COLUMN
    lines = composed(composer, prices(1.0, 2.0), cursor=Cursor(1, 1, whole_row=True))
    assert not lines[1][1].look & Look.CURSOR


def test_stale_data_looks_stale_everywhere() -> None:
    lines = composed(Composer(), prices(1.0, 2.0), stale=True)
    assert all(cell.look & Look.STALE for line in lines for cell in line)


def test_missing_values_are_quiet() -> None:
    line = composed(Composer(), table_of({"id": ["a"], "s": [None]}, "id"))[0]
    assert line[1].look & Look.NULL


def test_columns_grow_and_never_shrink() -> None:
    composer = Composer()
    composed(composer, prices(1.0))
    wide = composed(composer, prices(123456.5))[0][1]
    narrow = composed(composer, prices(1.0))[0][1]
    assert wide.width == narrow.width == len("123456.5") + 2


def test_widths_survive_a_column_that_comes_and_goes() -> None:
    composer = Composer()
    composed(composer, prices(123456.5))
    composed(composer, table_of({"id": ["a"], "q": ["x"], "p": [1.0]}, "id"))
    assert composer.layout is not None
    assert composer.layout.formats[2].width == len("123456.5")


def test_only_what_is_in_sight_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, int, int]] = []
    table = table_of(pd.DataFrame(np.zeros((100_000, 200))))
    composer = Composer()
    composer.load(table)
    window = Table.window

    def spy(self: Table, column: int, start: int, stop: int) -> Any:
        read.append((column, start, stop))
        return window(self, column, start, stop)

    monkeypatch.setattr(Table, "window", spy)
    composer.compose(Viewport(50_000, 40, 30, 100), Cursor(), 0.0)
    assert len(read) < 30
    assert all((start, stop) == (50_000, 50_040) for _, start, stop in read)


def test_nothing_loaded() -> None:
    composer = Composer()
    assert composer.compose(VIEW, Cursor(), 0.0) == []
    assert composer.header(VIEW, Cursor()) == ()
