"""tui.config.view_file: views in files, which people read and write."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.tui.config.settings import BadFile, view_path
from livetable.tui.config.view_file import Remembered, read_view, write_view
from livetable.tui.query.arrange import Arrangement, Mode, SortKey
from livetable.tui.query.column_choice import ColumnChoice, Computed
from livetable.tui.query.rules import Rule
from livetable.tui.text.column_style import ColumnStyle, NumberForm, Shade

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
        ("sort = ", "is not valid TOML"),
        ("sortt = 1", "unknown setting 'sortt'"),
        ("sort = 1", "sort must be a list"),
        ("sort = [1]", "sort: 1 is not a column's title"),
        ("groups = [[1, 2]]", "groups: \\[1, 2\\] is not a column's title"),
        ("order = 'x'", "order: 'x' is not one of live, held, once"),
        ("filters = [1]", "filters: 1 is not a string"),
        ("totals = [['a', 'x']]", "totals: use a column and one of"),
        ("computed = 1", "computed must be a table"),
        ("rules = ['a > 1']", "rules: 'a > 1' must end with a colon"),
        ("style = [{width = 1}]", "style: use \\[\\[style\\]\\]"),
        ("style = [{column = 'a', width = 'x'}]", "whole numbers"),
        ("style = [{column = 'a', width = 0}]", "width must be at least 1"),
        ("style = [{column = 'a', align = 'up'}]", "align must be left or right"),
        ("style = [{column = 'a', form = 'up'}]", "form: 'up' is not one of plain"),
        ("colours = 1", "colours: 1 is not a string"),
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
    with pytest.raises(BadFile, match=r"^Can't read "):
        read_view(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match=r"^Can't write "):
        write_view(tmp_path / "file" / "v.toml", "x", FULL)
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(BadFile, match=r"^Can't read "):
        read_view(tmp_path / "bytes")
    (tmp_path / "v.toml").mkdir()
    with pytest.raises(BadFile, match=r"^Can't write "):
        write_view(tmp_path / "v.toml", "x", FULL)
    assert not list(tmp_path.glob(".*"))


def test_alerts_are_remembered_and_read(tmp_path: Path) -> None:
    from livetable.tui.config.settings import BadFile
    from livetable.tui.config.view_file import Remembered, read_view, write_view

    path = tmp_path / "t.toml"
    view = Remembered(alerts=("price > 1 until price < 0",))
    write_view(path, "t", view)
    assert read_view(path) == view
    path.write_text('alerts = ["price >"]\n')
    with pytest.raises(BadFile, match="alerts: 'price >'"):
        read_view(path)
