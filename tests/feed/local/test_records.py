"""livetable.feed.local.records: what a name's file says, and whether its process is alive."""

from __future__ import annotations

from pathlib import Path

import pytest

from livetable.feed.local import directory, folders


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name":1,"endpoint":"x","pid":1}', "null"])
def test_lock_files_that_say_nothing(runtime_folder: Path, content: str) -> None:
    folder = folders.own_folder()
    (folder / "x.lock").write_text(content)
    assert directory.entries() == []
