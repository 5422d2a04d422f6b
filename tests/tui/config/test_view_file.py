"""livetable.tui.config.view_file, settings and keys: what a person chose, in files."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table as Grid
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Static

from livetable.feed import Publisher
from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.writer import TapeWriter
from livetable.tui.app import LivetableApp, all_bindings
from livetable.tui.config.settings import BadFile, Settings, read_settings, view_path
from livetable.tui.config.view_file import Remembered, read_view, write_view
from livetable.tui.model.budget import HistorySize
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.query.arrange import Arrangement, Mode, SortKey
from livetable.tui.query.column_choice import ColumnChoice, Computed
from livetable.tui.query.rules import Rule
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import PIPE, Target, ViewOptions, origin_of
from livetable.tui.text.column_style import ColumnStyle, NumberForm, Shade
from livetable.tui.widgets.bindings import name_of, named, wrong_keys
from tests.waiting import wait_for, wait_until

TITLES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
REFS = st.tuples(TITLES, st.integers(0, 3))
STYLES = st.builds(
    ColumnStyle,
    width=st.none() | st.integers(1, 99),
    digits=st.none() | st.integers(0, 15),
    form=st.sampled_from(NumberForm),
    unit=st.text("€msK", max_size=3),
    left=st.none() | st.booleans(),
    shade=st.sampled_from(Shade),
).filter(lambda style: style != ColumnStyle())


def unique(pairs: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[list[tuple[Any, Any]]]:
    return st.lists(pairs, max_size=3, unique_by=lambda one: one[0])


VIEWS = st.builds(
    Remembered,
    arrangement=st.builds(
        Arrangement,
        sort=st.lists(st.builds(SortKey, REFS, st.booleans()), max_size=2).map(tuple),
        mode=st.sampled_from(Mode),
        filters=st.lists(TITLES, max_size=2).map(tuple),
        groups=st.lists(REFS, max_size=2).map(tuple),
        totals=st.lists(st.tuples(REFS, st.sampled_from(["sum", "last"])), max_size=2).map(tuple),
    ),
    columns=st.builds(
        ColumnChoice,
        hidden=st.frozensets(REFS, max_size=2),
        order=st.lists(REFS, max_size=2).map(tuple),
        fixed=st.lists(
            st.tuples(REFS, st.booleans()), max_size=3, unique_by=lambda one: one[0]
        ).map(lambda fixed: tuple(sorted(fixed, key=lambda one: not one[1]))),
        computed=unique(st.tuples(TITLES, TITLES)).map(
            lambda found: tuple(Computed(*one) for one in found)
        ),
        styles=unique(st.tuples(REFS, STYLES)).map(tuple),
    ),
    rules=st.lists(st.builds(Rule, st.just("a > 1"), st.sampled_from(["red", "dim"]))).map(tuple),
    colours=st.sampled_from(["", "blue and orange"]),
)


@settings(max_examples=60)
@given(VIEWS)
def test_what_is_written_is_read(view: Remembered) -> None:
    path = view_path("x/y z")
    path.unlink(missing_ok=True)
    write_view(path, "x/y\nz", view)
    assert read_view(path) == view
    assert path.name == "x%2Fy%20z.toml"


FULL = Remembered(
    arrangement=Arrangement(sort=(SortKey(("price", 0), True), SortKey(("id", 1)))),
    columns=ColumnChoice(computed=(Computed("mid", "(bid + ask) / 2"),)),
)


def test_people_can_read_it_and_their_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "v.toml"
    write_view(path, "orders", FULL)
    text = path.read_text()
    assert text == (
        "# livetable's view of orders: edit it, share it, show it with --view FILE\n"
        'sort = [["price", "desc"], ["id", 2]]\n\n[computed]\nmid = "(bid + ask) / 2"\n'
    )
    path.write_text("# mine\n" + text.replace("[computed]", "[computed] # too"))
    write_view(path, "orders", replace(FULL, arrangement=Arrangement(filters=("a > 1",))))
    assert "# mine\n" in path.read_text()
    found = tomllib.loads(path.read_text())
    assert found == {"filters": ["a > 1"], "computed": {"mid": "(bid + ask) / 2"}}
    assert read_view(tmp_path / "none.toml") == Remembered()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sort = ", "is not TOML"),
        ("sortt = 1", "there is no setting 'sortt'"),
        ("sort = 1", "write sort as a list"),
        ("sort = [1]", "sort: 1 is no column"),
        ("groups = [[1, 2]]", "groups: \\[1, 2\\] is no column"),
        ("order = 'x'", "order: 'x' is none of live, held, once"),
        ("filters = [1]", "filters: 1 is no text"),
        ("totals = [['a', 'x']]", "totals: write a column and one of"),
        ("computed = 1", "write computed as a table"),
        ("rules = ['a > 1']", "rules: end 'a > 1' in a colon"),
        ("style = [{width = 1}]", "style: write \\[\\[style\\]\\]"),
        ("style = [{column = 'a', width = 'x'}]", "whole numbers"),
        ("style = [{column = 'a', width = 0}]", "width is 1 or more"),
        ("style = [{column = 'a', align = 'up'}]", "align is left or right"),
        ("style = [{column = 'a', form = 'up'}]", "form: 'up' is none of plain"),
        ("colours = 1", "colours: 1 is no text"),
    ],
)
def test_a_broken_file_is_named_and_left(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "v.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match=says) as raised:
        read_view(path)
    assert str(path) in str(raised.value)
    assert path.read_text() == text


def test_files_that_cant_be_used(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="can't be read"):
        read_view(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="can't be written"):
        write_view(tmp_path / "file" / "v.toml", "x", FULL)
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(BadFile, match="can't be read"):
        read_view(tmp_path / "bytes")
    (tmp_path / "v.toml").mkdir()
    with pytest.raises(BadFile, match="can't be written"):
        write_view(tmp_path / "v.toml", "x", FULL)
    assert not list(tmp_path.glob(".*"))


def test_settings(runtime_folder: Path) -> None:
    assert read_settings() == Settings()
    path = runtime_folder / "config/livetable/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("theme = 'nord'\nhistory = 10\n[keys]\nsort = 'ctrl+t'\n")
    assert read_settings() == Settings("nord", HistorySize(10.0), {"sort": "ctrl+t"})
    path.write_text("history = '10/table'\n")
    assert read_settings() == Settings(history=HistorySize(10.0, each=True))
    for text, says in (
        ("x = 1", "no setting 'x'"), ("theme = 1", "theme as a text"),
        ("history = -1", "number of megabytes"), ("history = '10/tab'", "64/table"),
        ("keys = 1", "as a table"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(BadFile, match=says):
            read_settings()


# -- keys ----------------------------------------------------------------------------------------


def test_no_key_does_two_things() -> None:
    used: dict[str, str] = {}
    names: dict[str, str] = {}
    for binding in all_bindings():
        # Space plays a tape as it lets a table go on: one name.
        assert binding.id == name_of(binding.description) or binding.description == "Play/stop"
        assert binding.id is not None
        assert names.setdefault(binding.id, binding.action) == binding.action
        for key in binding.key.split(","):
            assert used.setdefault(key, binding.action) == binding.action, key
    assert len(used) > 80


def test_wrong_keys() -> None:
    bindings = [one for one in named(Binding("s", "a", "Sort"), Binding("x", "b", "Pick a row"))
                if isinstance(one, Binding)]  # fmt: skip
    assert [one.id for one in bindings] == ["sort", "pick-a-row"]
    assert wrong_keys({"sort": "t,ctrl+s"}, bindings) is None
    assert wrong_keys({"sort": "x", "pick-a-row": "s"}, bindings) is None
    assert "no key named 'none'; there are pick-a-row, sort" in str(
        wrong_keys({"none": "x"}, bindings)
    )
    assert "write its keys as a text" in str(wrong_keys({"sort": 1}, bindings))
    assert "x is for sort already" in str(wrong_keys({"sort": "x"}, bindings))


# -- in the viewer -------------------------------------------------------------------------------


class Stage:
    """A running viewer of the table "orders"."""

    def __init__(self, pilot: Pilot[int], app: LivetableApp) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def pane(self) -> TablePane:
        screen = self.app.screen
        assert isinstance(screen, TablesScreen)
        return screen.pane

    @property
    def values(self) -> list[Any]:
        table = self.pane.live_table.table
        return [] if table is None else list(table.window(1, 0, table.rows).to_pylist())

    async def until(self, condition: Any) -> None:
        await wait_until(condition, lambda: self.values)


@asynccontextmanager
async def stage(
    options: ViewOptions | None = None,
    chosen: Settings | None = None,
    *,
    target: Target | None = None,
    data: pd.DataFrame | None = None,
) -> AsyncIterator[Stage]:
    app = LivetableApp(target or Target(None, "orders"), options=options or ViewOptions())
    app.take_settings(chosen or Settings(), None)
    with Publisher("orders", key="id") as orders:
        usual = pd.DataFrame({"id": list("abc"), "v": [2, 1, 3], "w": 0})
        orders.send(usual if data is None else data)
        async with app.run_test(size=(100, 20)) as pilot:
            on = Stage(pilot, app)
            await on.until(lambda: on.values)
            yield on
            app.exit()


async def test_a_view_is_remembered() -> None:
    async with stage() as on:
        pass
    assert not view_path("orders").exists()  # nothing was chosen
    async with stage() as on:
        await on.pilot.press("s", "l", "minus", "u", "r", *"v>2:red", "enter")
        await on.until(lambda: on.values == [1, 2, 3])
    wait_for(lambda: view_path("orders").exists())
    async with stage() as on:
        await on.until(lambda: on.values == [1, 2, 3])
        table = on.pane.live_table.table
        assert table is not None
        assert table.titles == ("id", "v")
        assert on.pane.live_table.has_class("-red-up")
        assert on.pane.rules == (Rule("v>2", "red"),)
        await on.pilot.press("s", "s", "plus", "u", "u", "R")
        await on.until(lambda: on.values == [2, 1, 3])
    async with stage(ViewOptions(where=("v > 1",), remember=False)) as on:
        await on.until(lambda: on.values == [2, 3])
    assert "v > 1" not in view_path("orders").read_text()


async def test_a_view_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "shared.toml"
    path.write_text("sort = [['v', 'desc']]")
    async with stage(ViewOptions(view=path)) as on:
        await on.until(lambda: on.values == [3, 2, 1])
        await on.pilot.press("F", "s")
        await on.until(lambda: on.values == [2, 1, 3])
    assert "sort" not in path.read_text()
    path.write_text("sort = 5")
    async with stage(ViewOptions(view=path)) as on:
        await on.until(lambda: on.app._notifications)
        assert "write sort as a list" in next(iter(on.app._notifications)).message
        await on.pilot.press("s")
        await on.until(lambda: on.values == [1, 2, 3])
    assert path.read_text() == "sort = 5"


def test_files_are_remembered_by_path_and_tables_by_name(tmp_path: Path) -> None:
    one = Target(None, "results.csv", file=tmp_path / "A/results.csv")
    other = replace(one, file=tmp_path / "B/results.csv")
    around = replace(one, file=tmp_path / "B/../A/results.csv")
    table = Target(None, "results.csv")
    tape = Target(None, "results.csv", tape=tmp_path / "results.tape")
    get, head = (Target(None, "kubectl", command=("kubectl", "get", what)) for what in ("a", "b"))
    paths = [
        view_path("results.csv", origin_of(target))
        for target in (one, other, table, tape, get, head)
    ]
    assert len(set(paths)) == len(paths)
    assert paths[2].name == "results.csv.toml"
    assert view_path("results.csv", origin_of(around)) == paths[0]
    assert paths[0].name.startswith("results.csv@")
    assert view_path("results@1").name == "results%401.toml"  # no table has a file's view
    long = view_path("x" * 300), view_path("x" * 301)
    assert long[0] != long[1]
    assert max(len(path.name) for path in long) < 255
    assert origin_of(replace(table, origin="kept")) == "kept"


async def test_a_view_of_a_file_is_not_one_of_another_and_says_what_it_hides() -> None:
    first, second = (Target(None, "orders", origin=f"/{name}/orders.csv") for name in "AB")
    async with stage(target=first) as on:
        await on.pilot.press("l", "minus", "f", *"w<1&id!='a'", "enter", "b", "B")
        await on.until(lambda: on.values == [1, 3])
    wait_for(lambda: view_path("orders", first.origin).exists())
    assert "A/orders.csv" in view_path("orders", first.origin).read_text()
    for other in (second, Target(None, "orders"), Target(None, "orders", origin=PIPE)):
        async with stage(target=other) as on:
            assert on.values == [2, 1, 3]
            assert not on.app._notifications
    async with stage(target=first) as on:
        await on.until(lambda: on.values == [1, 3])
        await on.until(lambda: on.app._notifications)
        (notice,) = on.app._notifications
        assert notice.message == "Remembered view: 1 filter, 1 hidden column. Press V to clear."
        await on.pilot.press("V")
        await on.until(lambda: on.values == [2, 1, 3])
    async with stage(target=first) as on:
        assert on.values == [2, 1, 3]
        assert not on.app._notifications


async def test_what_is_piped_is_told_apart_by_its_columns() -> None:
    async with stage(target=Target(None, "orders", origin=PIPE)) as on:
        await on.pilot.press("f", *"v>1", "enter")
        await on.until(lambda: on.values == [2, 3])
    async with stage(target=Target(None, "orders", origin=PIPE)) as on:
        await on.until(lambda: on.values == [2, 3])
    other = pd.DataFrame({"id": list("abc"), "v": [2, 1, 3], "more": 0})
    async with stage(target=Target(None, "orders", origin=PIPE), data=other) as on:
        assert on.values == [2, 1, 3]


async def test_the_notice_names_the_key_of_ones_own() -> None:
    view_path("orders").parent.mkdir(parents=True)
    view_path("orders").write_text('filters = ["v > 1"]\nhidden = ["w", "none"]')
    async with stage(chosen=Settings(keys={"show-all-rows-and-columns": "f5"})) as on:
        await on.until(lambda: on.values == [2, 3])
        await on.until(lambda: on.app._notifications)
        (notice,) = on.app._notifications
        assert notice.message == "Remembered view: 1 filter, 1 hidden column. Press f5 to clear."
        await on.pilot.press("f5")
        await on.until(lambda: on.values == [2, 1, 3])


async def test_a_tapes_view_is_its_own_and_told_too(tmp_path: Path) -> None:
    path = tmp_path / "day.tape"
    data = Encoder()(capture({"id": list("abc"), "v": [2, 1, 3]})).data
    writer = TapeWriter(path, "orders")
    header = Header("snapshot", "orders", 1, Position("e", 1), rows=3, columns=2, key=("id",))
    writer.add(1700000000.0, header, data)
    writer.close()
    view = view_path("orders", str(path))
    view.parent.mkdir(parents=True)
    view.write_text('filters = ["v > 1"]')
    async with stage(target=Target(None, "day", tape=path)) as on:
        await on.until(lambda: on.values == [2, 3])
        await on.until(lambda: on.app._notifications)
        assert "Press V to clear" in next(iter(on.app._notifications)).message


async def test_keys_and_theme_of_ones_own() -> None:
    chosen = Settings(theme="nord", keys={"sort": "ctrl+t"})
    async with stage(chosen=chosen) as on:
        assert on.app.theme == "nord"
        await on.pilot.press("s")
        await on.pilot.press("ctrl+t")
        await on.until(lambda: on.values == [1, 2, 3])
        await on.pilot.press("question_mark")
        outer = on.app.screen.query_one("#help Static", Static).content
        assert isinstance(outer, Grid)
        (grid,) = outer.columns[0].cells
        assert isinstance(grid, Grid)
        assert "ctrl+t" in [str(cell) for cell in grid.columns[0].cells]
    for wrong in (Settings(theme="none"), Settings(keys={"sort": "f"})):
        async with stage(chosen=wrong) as on:
            await on.until(lambda: on.app._notifications)


async def test_every_command_is_in_the_palette() -> None:
    async with stage() as on:
        commands = {one.title: one for one in on.app.get_system_commands(on.app.screen)}
        expected = {binding.description for binding in all_bindings(tapes=False)}
        expected.discard("Interrupt")
        assert expected <= {title.partition("  (")[0] for title in commands}
        commands["Sort  (s)"].callback()
        await on.until(lambda: on.values == [1, 2, 3])
