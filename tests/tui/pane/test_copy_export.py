"""tui.pane.copy_export: what is picked, copied and written to files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from textual.widgets import OptionList

from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import frame, last_note, stage
from tests.tui.tables import table_of


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
        assert "selected rows are gone" in last_note(on)


async def test_rows_are_picked_by_position() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"n": [5, 6, 7]})))
        await on.press("g", "x", "x", "Y")
        assert on.pane.app.clipboard == "5\n6"


async def test_copying_what_is_no_number_or_only_counts() -> None:
    async with stage() as on:
        data = pd.DataFrame({"n": [float("inf"), float("nan"), None], "b": [True, False, None]})
        on.pane.show(table_of(data))
        on.pane.table_view.go_to(0, 1)
        await on.press("y")
        assert on.pane.app.clipboard == "inf"
        await on.press("j", "y")
        assert on.pane.app.clipboard == "nan"
        await on.press("l", "y")
        assert on.pane.app.clipboard == "false"
        await on.press("j", "y")
        assert on.pane.app.clipboard == "false"
        assert last_note(on) == "Nothing to copy: the cell is empty."
        on.pane.copying.copy_as("table", "csv")
        assert on.pane.app.clipboard == "n,b\ninf,true\n,false\n,\n"
        on.pane.copying.copy_as("table", "json")
        assert json.loads(on.pane.app.clipboard)[0] == {"n": None, "b": True}
        await on.press("0")
        on.pane.copying.copy_as("column", "tsv")
        assert on.pane.app.clipboard.split() == ['""', "0", "1", "2"]
        on.pane.copying.copy_as("column", "json")
        assert len(json.loads(on.pane.app.clipboard)[0]) == 1


async def test_copy_as() -> None:
    async with stage() as on:
        await on.press("ctrl+y")
        choices = on.pane.app.screen.query_one(OptionList)
        assert choices.option_count == 16
        await on.press("k", "j", "enter")
        assert on.pane.app.clipboard == "price\n3\n1\n2\n"
        on.pane.copying.copy_as("rows", "json")
        assert json.loads(on.pane.app.clipboard) == [
            {"id": "a", "price": 3, "cpu %": 1, "sector": "x"}
        ]
        on.pane.copying.copy_as("table", "markdown")
        assert on.pane.app.clipboard.count("\n") == 5
        on.pane.copying.copy_as("seen", "csv")
        assert on.pane.app.clipboard.splitlines()[0] == "id,price,cpu %,sector"
        await on.press("ctrl+y", "escape")
        big = pd.DataFrame({"id": range(2_000_000)})
        on.pane.show(table_of(big))
        on.pane.copying.copy_as("table", "csv")
        await on.until(lambda: "Too large" in last_note(on))
        on.pane.show(table_of(pd.DataFrame({"id": ["x" * 2_000_000]})))
        await on.press("l", "y")
        assert on.pane.app.clipboard.count("\n") == 4


async def test_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage() as on:
        await on.press("minus", "e")
        await on.type("out")
        await on.press("enter")
        assert "The file name must end in" in on.hint
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
        await on.until(lambda: "x.csv: disk full" in last_note(on))


def _fails(*arguments: object) -> None:
    raise OSError(28, "disk full")


async def test_copying_a_cell_and_a_row() -> None:
    async with stage() as on:
        long = "中文 \x1b]52;c;eA==\x07 " + "x" * 500
        data = pd.DataFrame({"id": [long], "when": pd.to_datetime(["2026-01-02 03:04"]), "n": None})
        on.pane.show(table_of(data, "id"))
        on.pane.table_view.go_to(0, 0)
        await on.press("y")
        assert on.pilot.app.clipboard == long
        await on.press("right", "Y")
        assert on.pilot.app.clipboard == f"{long}\t2026-01-02 03:04:00\t"
