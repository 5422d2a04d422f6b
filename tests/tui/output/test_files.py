"""tui.output.files: files that others read, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from livetable.tui.output.files import SUFFIXES, ExportError, destination, export, part_of
from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from tests.tui.tables import table_of
from tests.ugly import ugly_frames

FRAME = pd.DataFrame({"id": ["a", "b", "c"], "v": [3.5, None, 1.0], "n": [1, 2, 3]})
TABLE = arrange(table_of(FRAME, "id"), Arrangement(sort=(SortKey(("v", 0)),))).table
SORTED = FRAME.sort_values("v").reset_index(drop=True)

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".tsv": lambda path: pd.read_csv(path, sep="\t"),
    ".json": pd.read_json,
    ".jsonl": lambda path: pd.read_json(path, lines=True),
    ".ndjson": lambda path: pd.read_json(path, lines=True),
    ".parquet": pd.read_parquet,
    ".feather": pd.read_feather,
    ".arrow": pd.read_feather,
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_others_read_it(tmp_path: Path, suffix: str) -> None:
    path = destination(str(tmp_path / f"table{suffix}"))
    path.write_text("what was there")
    told: list[int] = []
    assert export(TABLE, path, told.append) == path.stat().st_size
    assert told[-1] == 3
    assert os.listdir(tmp_path) == [path.name]
    if suffix in READERS:
        pd.testing.assert_frame_equal(READERS[suffix](path), SORTED, check_dtype=False)
    else:
        assert "a" in path.read_text()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ugly_frames(tmp_path: Path, suffix: str) -> None:
    refused = {}
    for name, frame in ugly_frames().items():
        try:
            export(table_of(frame), tmp_path / f"t{suffix}", lambda rows: None)
        except ExportError as error:
            refused[name] = str(error)
        assert not list(tmp_path.glob(".*"))
    assert all("can't hold this table" in says for says in refused.values())
    if suffix != ".parquet":  # which has fewer types; and nothing holds a list that is no list
        assert set(refused) <= {"a list of any length"}


def test_what_cant_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, says in (
        ("x", "The file name must end"), ("/none/x.csv", "No folder /none"),
        ("~nosuchuser/x.csv", "No folder ~nosuchuser"),
        ("a" * 300 + ".csv", "Can't use this file name"),
    ):  # fmt: skip
        with pytest.raises(ExportError, match=says):
            destination(text)

    def full(path: Path) -> BinaryIO:
        return os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")

    monkeypatch.setattr("livetable.tui.output.files.open_new", full)
    with pytest.raises(ExportError, match="No space left"):
        export(TABLE, tmp_path / "t.csv", lambda rows: None)


def test_a_table_without_rows_is_a_file_too(tmp_path: Path) -> None:
    empty = table_of(FRAME.iloc[:0], "id")
    export(empty, tmp_path / "t.arrow", lambda rows: None)
    with pa.ipc.open_file(tmp_path / "t.arrow") as reader:
        assert reader.read_all().column_names == ["id", "v", "n"]


def test_nothing_is_written_through_a_link_that_somebody_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    part = tmp_path / ".x.part"
    part.symlink_to(precious)
    monkeypatch.setattr("livetable.tui.output.files.part_of", lambda path: part)
    with pytest.raises(ExportError, match=r"^Can't write "):
        export(table_of(pd.DataFrame({"a": [1]})), tmp_path / "x.csv", lambda rows: None)
    assert precious.read_text() == "precious"


def test_names_of_parts_can_not_be_foreseen(tmp_path: Path) -> None:
    assert len({part_of(tmp_path / "x.csv") for _ in range(100)}) == 100


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_polars_reads_categories_with_missing_ones(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    values = ["low", None, "high"]
    frames = (
        pd.DataFrame({"c": pd.Categorical(values, ["low", "high"], ordered=True)}),
        pl.DataFrame({"c": pl.Series(values, dtype=pl.Enum(["low", "high"]))}),
    )
    for frame in frames:
        export(table_of(frame), path, lambda rows: None)
        read = pl.read_parquet(path) if suffix == ".parquet" else pl.read_ipc(path)
        assert read["c"].to_list() == values
