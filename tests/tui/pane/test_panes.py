"""The panes' keys: columns, groups, rules, time, panels, and what is taken away."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from textual.widgets import OptionList

from livetable.tui.dialogs.column_picker import ColumnsScreen
from livetable.tui.query.arrange import Arrangement
from livetable.tui.query.column_choice import AS_IT_CAME
from livetable.tui.text.column_style import NumberForm, Shade
from livetable.tui.widgets.panels.chart import ChartPanel, drawing
from livetable.tui.widgets.panels.column_info import InfoPanel
from livetable.tui.widgets.panels.panel import Panel
from livetable.tui.widgets.panels.row_detail import DetailPanel
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.table_view import LiveTable
from livetable.tui.widgets.time_line import TimeLine
from tests.tui.stage import Stage, frame, stage
from tests.tui.tables import table_of


def titles(on: Stage) -> tuple[str, ...]:
    table = on.pane.live_table.table
    assert table is not None
    return table.titles


def cells(on: Stage, column: int) -> list[Any]:
    table = on.pane.live_table.table
    assert table is not None
    found: list[Any] = table.window(column, 0, table.rows).to_pylist()
    return found


def line(on: Stage, y: int) -> str:
    return on.pane.live_table.render_line(y).text


def body(panel: Panel) -> str:
    from rich.console import Console

    console = Console(width=60, record=True, file=io.StringIO())
    console.print(panel._body.content)
    return console.export_text()


def last_note(on: Stage) -> str:
    return next(reversed([note.message for note in on.pane.app._notifications]), "")


# -- columns -------------------------------------------------------------------------------------


async def test_columns_are_moved_kept_and_shown_again() -> None:
    async with stage() as on:
        await on.press("L")
        assert titles(on) == ("id", "cpu %", "price", "sector")
        assert on.pane.live_table.cursor_column == 2
        await on.press("H", "shift+right")
        assert titles(on) == ("id", "cpu %", "price", "sector")
        await on.press("z")
        assert titles(on) == ("id", "price", "cpu %", "sector")
        assert on.pane.live_table.table is not None
        assert on.pane.live_table.table.fixed == 2
        await on.press("-")
        assert titles(on) == ("id", "cpu %", "sector")
        on.pane.show(frame({"a": 1, "z": 5}))
        assert titles(on) == ("id", "cpu %", "sector")
        await on.press("plus")
        assert titles(on) == ("id", "price", "cpu %", "sector")


async def test_columns_are_picked_from_a_list() -> None:
    async with stage() as on:
        await on.press("C", "j", "space", "j", "space", "enter")
        assert titles(on) == ("id", "sector")
        await on.press("C")
        picker = on.pane.app.screen
        assert isinstance(picker, ColumnsScreen)
        assert picker.hidden == {("price", 0), ("cpu %", 0)}
        says = [str(option.prompt) for option in picker.query_one(OptionList).options]
        assert says[:2] == ["[x] id  text", "[ ] price  whole number"]
        await on.press("a", "k", "escape")
        assert titles(on) == ("id", "sector")
        await on.press("C", "a", "a", "enter")
        assert titles(on) == ("id",)  # none at all is no table


async def test_a_hidden_column_that_is_away_comes_back_hidden() -> None:
    async with stage() as on:
        await on.press("C", "j", "space", "enter")
        whole = on.pane.history.at(1)
        on.pane.show(table_of(pd.DataFrame({"id": ["a"], "cpu %": 1}), "id"))
        await on.press("C", "j", "space", "space", "enter")
        on.pane.show(whole)
        assert titles(on) == ("id", "cpu %", "sector")


async def test_columns_are_made_wider_fitted_and_aligned() -> None:
    async with stage() as on:
        widget = on.pane.live_table

        def width() -> int:
            form = widget.format_of(1)
            assert form is not None
            return form.width

        before = width()
        await on.press("greater_than_sign", "greater_than_sign")
        assert width() == before + 4
        await on.press(*["less_than_sign"] * 6)
        assert width() == 3
        on.pane.show(frame({"a": 123456, "b": 1}))
        assert "12…" in line(on, 1)  # a number that is cut says so
        await on.press("w")
        assert "123456.0" in line(on, 1) or "123456" in line(on, 1)
        await on.press("w")
        assert on.pane.columns.styles == ()
        await on.press("a")
        assert widget.format_of(1).right is False  # type: ignore[union-attr]
        await on.press("a")
        assert on.pane.columns.styles == ()


async def test_headers_are_dragged() -> None:
    async with stage() as on:
        table = on.pane.live_table

        async def drag(start: int, end: int) -> None:
            await on.pilot.mouse_down(LiveTable, offset=(start, 0))
            await on.pilot.hover(LiveTable, offset=((start + end) // 2, 0))
            await on.pilot.hover(LiveTable, offset=(end, 0))
            await on.pilot.mouse_up(LiveTable, offset=(end, 0))
            await on.pilot.pause()

        def starts(column: int) -> int:
            layout = table._composer.layout
            assert layout is not None
            return layout.starts[column] if column < len(layout.starts) else layout.total

        assert titles(on) == ("id", "price", "cpu %", "sector")
        await drag(starts(1), starts(3))
        assert titles(on) == ("id", "cpu %", "sector", "price")
        await drag(starts(3), 80)  # beside the columns: to the end, where it is
        assert titles(on) == ("id", "cpu %", "sector", "price")
        await drag(starts(3), 0)  # the fixed column stays the first
        assert titles(on) == ("id", "price", "cpu %", "sector")
        assert table.arrows == {}  # nothing was sorted by it
        wide = starts(2) - starts(1)
        await drag(starts(2) - 1, starts(2) + 4)
        assert starts(2) - starts(1) == wide + 5
        await drag(starts(2) - 1, 0)
        assert starts(2) - starts(1) == 3 + 2
        await drag(85, 80)  # no column
        assert table.arrows == {}
        await on.pilot.click(LiveTable, offset=(starts(1), 0))
        await on.until(lambda: table.arrows == {("price", 0): "↑"})


async def test_numbers_are_written_otherwise() -> None:
    async with stage() as on:
        on.pane.show(frame({"a": 1234.5, "b": 0.25}))
        await on.press("percent_sign")
        assert "1,234.50" in line(on, 1)
        await on.press(*["percent_sign"] * (len(NumberForm) - 1))
        assert "1234.5" in line(on, 1)
        await on.press("right_parenthesis")
        assert "1234.500" in line(on, 1)
        await on.press(*["left_parenthesis"] * 9)
        assert "1234 " in line(on, 1)
        assert "≈0" in line(on, 2)
        await on.press("U")
        await on.type("ms")
        await on.press("enter")
        assert "1234 ms" in line(on, 1)
        await on.press("v")
        assert "████████ 1234 ms" in line(on, 1)
        await on.press("v", "v")
        assert on.pane.columns.style_of[("price", 0)].shade is Shade.NONE
        await on.press("h", "percent_sign", "v", "U", "right_parenthesis", "d")
        assert len(on.pane.columns.styles) == 1  # a column of texts has none of these
        await on.until(lambda: "numbers" in last_note(on))


async def test_columns_are_worked_out() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("twice = price * 2")
        await on.press("enter")
        assert titles(on)[-1] == "twice"
        assert cells(on, 4) == [6, 2, 4]
        await on.press("equals_sign")
        await on.type("`cpu %` >= nope")
        assert "there is no column 'nope'" in on.hint
        await on.press("enter", "escape")
        assert not on.pane.query(Prompt)
        await on.press("f")
        await on.type("twice > 3")
        await on.press("enter")
        await on.becomes("ac")
        await on.press("$", "s")
        await on.becomes("ca")
        on.pane.show(frame({"a": 1, "b": 5, "c": 9}))
        await on.becomes("bc")
        await on.press("minus")
        await on.until(lambda: "there is no column 'twice'" in on.says)
        assert titles(on)[-1] == "sector"
        await on.press("equals_sign", "enter")
        assert titles(on)[-1] == "sector"


async def test_changes_are_a_column() -> None:
    async with stage() as on:
        await on.press("d")
        assert titles(on) == ("id", "price", "Δ price", "cpu %", "sector")
        assert cells(on, 2) == [None, None, None]
        on.pane.show(frame({"a": 4, "b": 1, "d": 2}))
        assert cells(on, 2) == [1, 0, None]
        await on.press("d")
        assert titles(on)[2] == "%Δ price"
        assert cells(on, 2) == [pytest.approx(1 / 3), 0, None]
        await on.press("d")
        assert cells(on, 2) == [1, 0, None]
        await on.press("d")
        assert titles(on) == ("id", "price", "cpu %", "sector")


async def test_a_broken_column_is_told() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("x = price + 1")
        await on.press("enter")
        on.pane.show(table_of(pd.DataFrame({"id": ["a"], "other": [1]}), "id"))
        await on.until(lambda: "x: there is no column 'price'" in on.says)
        on.pane.show(frame({"a": 1}))
        assert cells(on, 4) == [2]


async def test_colours_of_up_and_down() -> None:
    async with stage() as on:
        widget = on.pane.live_table
        await on.press("u")
        assert widget.has_class("-red-up")
        await on.press("u")
        assert widget.has_class("-blue-up")
        assert not widget.has_class("-red-up")
        await on.press("u")
        assert not widget.has_class("-blue-up")


# -- groups and rules ----------------------------------------------------------------------------


async def test_groups_open_and_close() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        assert titles(on) == ("sector", "rows", "last(id)", "sum(price)", "sum(cpu %)")
        assert cells(on, 3) == [5, 1]
        await on.press("l", "l", "l", "A")
        await on.until(lambda: titles(on)[3] == "mean(price)")
        assert cells(on, 3) == [2.5, 1]
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.until(lambda: cells(on, 3) == [5.5, 1])
        await on.press("s")
        await on.becomes("yx")
        await on.press("enter")
        await on.becomes("b")
        assert "sector == 'y'" in on.says
        await on.press("B")
        await on.becomes("yx")
        await on.press("B")
        await on.becomes("abc")
        await on.press("B", "A")
        await on.until(lambda: "group first" in last_note(on))


async def test_groups_by_two_columns() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        await on.press("b")
        await on.until(lambda: "another column" in last_note(on))
        await on.press("l", "l", "b")
        await on.becomes("xyx")
        assert titles(on)[:3] == ("sector", "id", "rows")
        await on.press("enter")
        await on.becomes("a")


async def test_rules() -> None:
    async with stage() as on:
        await on.press("r")
        await on.type("price > 2: re")
        assert "red, yellow" in on.hint
        await on.type("d")
        style = on.pane.live_table._lines[0][1].look
        await on.press("enter")
        assert "rule price > 2: red" in on.says
        looks = [cells[1].look for cells in on.pane.live_table._lines]
        assert looks[0] == style
        assert looks[0] & ~looks[1]
        on.pane.show(frame({"a": 1, "b": 9, "c": 2}))
        assert on.pane.live_table._lines[1][1].look & (7 << 16) == 1 << 16
        await on.press("r", "escape", "R")
        assert "rule" not in on.says
        await on.press("R")


# -- time ----------------------------------------------------------------------------------------


async def test_back_and_forth() -> None:
    async with stage() as on:
        for price in range(1, 40):
            on.pane.show(frame({"a": price, "b": 0}))
        assert cells(on, 1) == [39, 0]
        await on.press("comma", "comma")
        assert cells(on, 1) == [37, 0]
        says = str(on.pane.query_one(TimeLine).render())
        assert "2.0 s before the newest" in says
        assert "frame 38 of 40" in says
        await on.press("left_square_bracket")
        assert cells(on, 1) == [27, 0]
        await on.press("right_square_bracket", "full_stop")
        assert cells(on, 1) == [38, 0]
        on.pane.show(frame({"a": 99, "b": 0}))
        assert cells(on, 1) == [38, 0]
        assert on.pane.waiting == 2
        await on.press("left_curly_bracket")
        assert on.ids == "abc"  # the first one there is
        await on.press("comma")
        assert on.ids == "abc"
        await on.press("at")
        await on.type("soon")
        await on.press("enter")
        assert "'soon' is no time" in on.hint
        await on.press("escape", "at", "enter")
        await on.press("s")
        await on.press("right_curly_bracket")
        assert cells(on, 1) == [0, 99]
        assert on.pane.waiting == 0
        await on.press("space")
        await on.until(lambda: on.pane.waiting is None)
        await on.press("space")
        await on.until(lambda: (on.pane.standing, on.pane.rewound) == (40, False))
        await on.press("space")
        assert not on.pane.query_one(TimeLine).display


async def test_a_time_is_clicked() -> None:
    async with stage() as on:
        for price in range(1, 40):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("comma")
        says = str(on.pane.query_one(TimeLine).render())
        bar = min(says.index("━"), says.index("●"))
        await on.pilot.click(TimeLine, offset=(bar, 0))
        await on.pilot.pause()
        assert on.ids == "abc"
        await on.pilot.click(TimeLine, offset=(bar + 7, 0))
        await on.pilot.pause()
        assert cells(on, 1) == [39, 0]


async def test_what_differs_from_the_mark() -> None:
    async with stage() as on:
        await on.press("m")
        on.pane.show(frame({"a": 4, "b": 1, "d": 7}))
        await on.until(lambda: "1 rows differ, 1 new, 1 gone (c)" in on.says)
        assert "4.0" in line(on, 1) or "4" in line(on, 1)
        looks = [[cell.look for cell in row] for row in on.pane.live_table._lines]
        marked, new = 2048, 4096
        assert looks[0][1] & marked
        assert not looks[1][1] & marked
        assert looks[2][0] & new
        await on.press("m")
        await on.until(lambda: "0 rows differ, 0 new, 0 gone" in on.says)
        assert not on.pane.live_table._lines[0][1].look & marked
        await on.press("M")
        assert "since" not in on.says


# -- panels --------------------------------------------------------------------------------------


async def test_a_row_in_full() -> None:
    async with stage() as on:
        for price in (4, 5, 3.25):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "3.25" in body(panel))
        await on.until(lambda: "▁▅█▂" in body(panel))
        await on.press("j")
        await on.until(lambda: "row b" in str(panel._title.content))
        on.pane.show(frame({"a": 1, "b": 77}))
        await on.until(lambda: "77" in body(panel))
        await on.press("J", "K", "enter")
        assert not on.pane.query(DetailPanel)


async def test_a_row_that_is_looked_at_stays_the_cursors() -> None:
    async with stage() as on:
        await on.press("s", "s")
        await on.becomes("acb")
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "row a" in str(panel._title.content))
        on.pane.show(frame({"a": 0, "b": 1, "c": 2}))
        await on.becomes("cba")
        assert on.pane.live_table.cursor_row == 2  # it was the first line, and is the row's now
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.becomes("acb")
        assert on.pane.live_table.cursor_row == 0
        await on.press("enter")
        on.pane.show(frame({"a": 0, "b": 1, "c": 2}))
        await on.becomes("cba")
        assert on.pane.live_table.cursor_row == 0  # the top is looked at again


async def test_esc_leaves_groups_and_their_keys_are_shown_there() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.until(lambda: "by sector" in on.says)
        assert on.pane.idle_actions == frozenset()
        await on.press("B")
        await on.until(lambda: "by sector" not in on.says)
        assert on.pane.idle_actions == {"ungroup", "total"}


async def test_a_computed_column_that_is_removed_is_told() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("twice = price * 2")
        await on.press("enter", "$", "s")
        await on.until(lambda: "sort twice" in on.says)
        chosen = on.pane.columns
        on.pane.columns = AS_IT_CAME  # pressed before it is seen to be gone: nothing is left to do
        on.pane.action_hide()
        on.pane.columns = chosen
        await on.press("minus")
        await on.until(lambda: "sort" not in on.says)
        assert last_note(on) == "twice is gone: = twice = price * 2 makes it again"


async def test_a_column_in_figures() -> None:
    async with stage() as on:
        await on.press("i")
        panel = on.pane.query_one(InfoPanel)
        await on.until(lambda: "distinct" in body(panel))
        assert "column price" in str(panel._title.content)
        on.pane.show(frame({"a": 1, "b": 5, "c": 5}))
        await on.until(lambda: "3.66667" in body(panel))
        await on.press("l", "l")
        await on.until(lambda: "column sector" in str(panel._title.content))
        await on.press("enter")  # another panel takes its place
        assert on.pane.query(DetailPanel)
        assert not on.pane.query(InfoPanel)
        on.pane.close_panels()
        await on.pilot.pause()
        assert not on.pane.query(Panel)
        assert not on.pane.has_panel


async def test_charts() -> None:
    async with stage() as on:
        await on.press("h", "p")
        await on.until(lambda: "numbers" in last_note(on))
        await on.press("l", "p")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "price over the rows" in str(panel._title.content))
        await on.press("l", "p")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "price, cpu % over the rows" in str(panel._title.content))
        await on.press("p")
        await on.press("h", "P")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "of row a" in str(panel._title.content))
        await on.press("P")
        assert not on.pane.query(ChartPanel)


async def test_without_something_to_draw_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.tui.widgets.panels.chart.available", lambda: False)
    async with stage() as on:
        await on.press("p")
        says = 'charts need one more package: pip install "livetable[chart]"'
        await on.until(lambda: last_note(on) == says)


async def test_a_long_past_is_read_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.tui.model.row_history.BUDGET_SECONDS", 0)
    async with stage() as on:
        for price in (4, 5, 3.25):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "▁▅█▂" in body(panel))  # a frame a time, and again until it is whole
        await on.until(lambda: panel.is_whole)


# -- taken away ----------------------------------------------------------------------------------


async def test_rows_are_picked_and_copied() -> None:
    async with stage() as on:
        await on.press("x", "x", "Y")
        assert on.pane.app.clipboard == "a\t3\t1\tx\nb\t1\t1\ty"
        await on.press("s", "s")
        await on.becomes("acb")
        await on.press("g", "x", "Y")
        assert on.pane.app.clipboard == "b\t1\t1\ty"
        await on.press("X", "g", "Y")
        assert on.pane.app.clipboard == "a\t3\t1\tx"


async def test_picked_rows_are_copied_where_a_filter_hides_them() -> None:
    async with stage() as on:
        await on.press("x", "f")
        await on.type("price < 3")
        await on.press("enter")
        await on.becomes("bc")
        await on.press("g", "x", "Y")
        assert on.pane.app.clipboard == "b\t1\t1\ty\na\t3\t1\tx"
        on.pane.show(frame({"c": 2}))
        await on.press("Y")
        assert "picked rows are gone" in last_note(on)


async def test_rows_are_picked_by_position() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"n": [5, 6, 7]})))
        await on.press("g", "x", "x", "Y")
        assert on.pane.app.clipboard == "5\n6"


async def test_copying_what_is_no_number_or_only_counts() -> None:
    async with stage() as on:
        data = pd.DataFrame({"n": [float("inf"), float("nan"), None], "b": [True, False, None]})
        on.pane.show(table_of(data))
        on.pane.live_table.go_to(0, 1)
        await on.press("y")
        assert on.pane.app.clipboard == "inf"
        await on.press("j", "y")
        assert on.pane.app.clipboard == "nan"
        await on.press("l", "y")
        assert on.pane.app.clipboard == "false"
        await on.press("j", "y")
        assert on.pane.app.clipboard == "false"
        assert "the cell is empty" in last_note(on)
        on.pane.copy_as("table", "csv")
        assert on.pane.app.clipboard == "n,b\ninf,true\n,false\n,\n"
        on.pane.copy_as("table", "json")
        assert json.loads(on.pane.app.clipboard)[0] == {"n": None, "b": True}
        await on.press("0")
        on.pane.copy_as("column", "tsv")
        assert on.pane.app.clipboard.split() == ['""', "0", "1", "2"]
        on.pane.copy_as("column", "json")
        assert len(json.loads(on.pane.app.clipboard)[0]) == 1


async def test_copy_as() -> None:
    async with stage() as on:
        await on.press("ctrl+y")
        choices = on.pane.app.screen.query_one(OptionList)
        assert choices.option_count == 16
        await on.press("k", "j", "enter")
        assert on.pane.app.clipboard == "price\n3\n1\n2\n"
        on.pane.copy_as("rows", "json")
        assert json.loads(on.pane.app.clipboard) == [
            {"id": "a", "price": 3, "cpu %": 1, "sector": "x"}
        ]
        on.pane.copy_as("table", "markdown")
        assert on.pane.app.clipboard.count("\n") == 5
        on.pane.copy_as("seen", "csv")
        assert on.pane.app.clipboard.splitlines()[0] == "id,price,cpu %,sector"
        await on.press("ctrl+y", "escape")
        big = pd.DataFrame({"id": range(2_000_000)})
        on.pane.show(table_of(big))
        on.pane.copy_as("table", "csv")
        await on.until(lambda: "too much" in last_note(on))
        on.pane.show(table_of(pd.DataFrame({"id": ["x" * 2_000_000]})))
        await on.press("l", "y")
        assert on.pane.app.clipboard.count("\n") == 4


async def test_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage() as on:
        await on.press("minus", "e")
        await on.type("out")
        await on.press("enter")
        assert "end the file's name in" in on.hint
        await on.type(".csv")
        await on.press("enter")
        await on.until(lambda: Path("out.csv").exists())
        assert Path("out.csv").read_text() == "id,cpu %,sector\na,1,x\nb,1,y\nc,1,x\n"
        await on.press("e", "tab")
        assert on.pane.query_one(Prompt).label == "export all to: "
        await on.type("out.csv")
        await on.press("enter")
        assert "Enter again" in on.hint
        await on.press("enter")
        await on.until(lambda: "price" in Path("out.csv").read_text())
        await on.until(lambda: "out.csv: 3 rows" in last_note(on))
        await on.press("ctrl+s")
        assert "<svg" in next(tmp_path.glob("livetable-*.svg")).read_text()
        monkeypatch.setattr("os.replace", _fails)
        await on.press("e")
        await on.type("x.csv")
        await on.press("enter")
        await on.until(lambda: "x.csv can't be written: disk full" in last_note(on))


def _fails(*arguments: object) -> None:
    raise OSError(28, "disk full")


# -- what was once broken ------------------------------------------------------------------------


async def test_columns_of_groups_stay_where_they_are() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        await on.press("l", "l", "L", "H", "z", "minus", "C", "escape")
        assert on.pane.app.is_running
        await on.press("B")
        await on.becomes("abc")


async def test_a_remembered_group_can_be_left() -> None:
    async with stage() as on:
        on.pane.choose(Arrangement(groups=(("sector", 0),)))
        await on.becomes("xy")
        await on.press("B")
        await on.becomes("abc")


async def test_a_click_beside_a_prompt_leaves_it_its_keys() -> None:
    async with stage() as on:
        await on.press("slash", "b")
        await on.pilot.click(on.pane.live_table, offset=(3, 2))
        await on.press("c", "escape")
        await on.until(lambda: not on.pane.query(Prompt))
        await on.press("s")
        assert "sort" in on.says


async def test_what_opens_does_not_cover_the_cursor() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"id": range(40), "v": range(40)}), "id"))
        widget = on.pane.live_table
        widget.go_to(widget.rows_in_sight - 1, 1)
        row = widget.cursor_row
        await on.press("p")
        await on.until(lambda: widget.rows_in_sight < row)
        assert widget.view.top <= widget.cursor_row == row
        assert row < widget.view.top + widget.rows_in_sight


async def test_esc_goes_back_to_the_row_it_came_from() -> None:
    async with stage() as on:
        await on.press("j", "slash", "c")
        await on.until(lambda: on.pane.live_table.cursor_row == 2)
        on.pane.show(frame({"m": 9, "n": 9, "a": 3, "b": 1, "c": 2}))
        await on.press("escape")
        await on.until(lambda: on.pane.live_table.cursor_row == 3)


async def test_nothing_older_than_what_is_kept() -> None:
    async with stage() as on:
        on.pane.show(frame({"a": 1}))
        await on.press("comma", "comma", "comma")
        await on.until(lambda: last_note(on) == "nothing older is kept")
        assert on.ids == "abc"


async def test_values_that_no_filter_tells() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"id": ["a", "b"], "v": [[1], [2]]}), "id"))
        await on.press("ampersand")
        await on.until(lambda: last_note(on) == "no filter can tell this value")
        assert on.ids == "ab"


def test_a_chart_is_as_wide_as_it_may_be_whatever_the_terminal() -> None:
    pytest.importorskip("plotext")
    text = drawing({"n": ([0.0, 1.0, 2.0], [1.0, 3.0, 2.0])}, 190, 12)
    assert {len(line) for line in text.plain.splitlines()[:-1]} == {190}
