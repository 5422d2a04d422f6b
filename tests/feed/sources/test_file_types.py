"""livetable.feed.sources.file_types: what a name says of a file or folder."""

from __future__ import annotations

from pathlib import Path

from livetable.feed.sources.file_types import is_folder


def test_a_name_with_brackets_is_a_file_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "sales[1].csv"
    assert is_folder(str(file))
    file.write_text("a\n1\n")
    assert not is_folder(str(file))
