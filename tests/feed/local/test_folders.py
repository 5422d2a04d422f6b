"""livetable.feed.local.folders: only folders that other users can't write to are used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.errors import RuntimeFolder
from livetable.feed.local import claims, directory, folders


def test_the_folder_is_the_users_alone(runtime_folder: Path) -> None:
    claim = claims.claim("orders")
    folder = runtime_folder / "livetable"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert claim.endpoint == f"ipc://{folder}/orders.sock"
    claim.release()
    claim.release()
    assert {path.suffix for path in folder.iterdir()} == {".process"}  # for the next table
    claims.remove_held()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("trouble", ["mode", "link", "file"])
def test_a_folder_others_could_write_to_is_refused(runtime_folder: Path, trouble: str) -> None:
    folder = runtime_folder / "livetable"
    if trouble == "mode":
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    elif trouble == "link":
        (runtime_folder / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(runtime_folder / "elsewhere")
    else:
        folder.write_text("")
    with pytest.raises(RuntimeFolder, match=str(folder)):
        claims.claim("orders")
    assert directory.entries() == []


def test_another_users_folder_is_refused(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runtime_folder / "livetable").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(RuntimeFolder, match="belongs to user"):
        claims.claim("orders")


def test_no_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "folders", list)
    with pytest.raises(RuntimeFolder, match="tcp://"):
        claims.claim("orders")


def test_where_tables_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/x")
    assert folders.folders()[0] == Path("/run/x/livetable")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    monkeypatch.setenv("HOME", "/home/ada")
    assert folders.folders()[-2:] == [
        Path(f"/tmp/livetable-{os.getuid()}"), Path("/home/ada/.cache/livetable/run"),
    ]  # fmt: skip


def test_a_folder_that_somebody_else_took_has_a_second_place(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = runtime_folder / "livetable-1000"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    second = runtime_folder / "home/.cache/livetable/run"
    monkeypatch.setattr(folders, "folders", lambda: [taken, second])
    assert folders.own_folder() == second
    assert second.stat().st_mode & 0o777 == 0o700
    with Publisher("orders") as orders:
        assert orders.endpoint == f"ipc://{second}/orders.sock"
        assert [entry.name for entry in directory.entries()] == ["orders"]
    assert "is open to other users" in (folders.unusable() or "")
    taken.chmod(0o700)
    assert folders.unusable() is None
