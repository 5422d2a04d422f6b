"""tui.config.settings: what a person set for all tables, and where views are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from livetable.tui.config.settings import BadFile, Settings, read_settings, view_path
from livetable.tui.model.budget import HistorySize
from livetable.tui.target import Target, origin_of


def test_settings(runtime_folder: Path) -> None:
    assert read_settings() == Settings()
    path = runtime_folder / "config/livetable/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("theme = 'nord'\nhistory = 10\n[keys]\nsort = 'ctrl+t'\n")
    assert read_settings() == Settings("nord", HistorySize(10.0), {"sort": "ctrl+t"})
    path.write_text("history = '10/table'\n")
    assert read_settings() == Settings(history=HistorySize(10.0, each=True))
    for text, says in (
        ("x = 1", "unknown setting 'x'"), ("theme = 1", "theme must be a string"),
        ("history = -1", "number of megabytes"), ("history = '10/tab'", "64/table"),
        ("keys = 1", "must be a table"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(BadFile, match=says):
            read_settings()


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
