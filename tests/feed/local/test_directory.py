"""livetable.feed.local.directory: names, liveness, stale leftovers, other people's folders."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.errors import BadEndpoint, NameTaken, RuntimeFolder
from livetable.feed.local import claims, directory, folders, viewer_sockets
from tests.waiting import wait_for

HOLD = """
import sys, time
from livetable.feed.local import directory
from livetable.feed.server.publisher import Publisher
p = Publisher("orders")
print("ready", flush=True)
time.sleep(100)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | {"XDG_RUNTIME_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


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


def test_a_name_is_taken_once_in_a_process() -> None:
    claim = claims.claim("orders")
    with pytest.raises(NameTaken, match=rf"by this process \({os.getpid()}\)"):
        claims.claim("orders")
    claims.claim("orders", "tcp://127.0.0.1:5411").release()
    claim.release()
    claims.claim("orders").release()


def test_a_live_process_keeps_its_name_and_a_dead_one_does_not(runtime_folder: Path) -> None:
    process = holder(runtime_folder)
    with process:
        with pytest.raises(NameTaken, match=f"process {process.pid}"):
            claims.claim("orders")
        (entry,) = directory.find("orders")
        assert entry.pid == process.pid
        process.kill()
    assert directory.entries() == []
    left = runtime_folder / "livetable" / "orders.sock"
    assert left.is_symlink()  # it had no time to clean up
    before = os.readlink(left)
    claim = claims.claim("orders")
    claim.publish(claim.endpoint)
    assert os.readlink(left) != before
    claim.release()
    assert not left.is_symlink()


def test_only_one_of_many_gets_a_dead_ones_name(runtime_folder: Path) -> None:
    process = holder(runtime_folder)
    with process:
        process.kill()
    race = HOLD.replace("time.sleep(100)", "sys.stdin.read()")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", race],
            env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        assert wait_for(lambda: sum(one.poll() is not None for one in racers) == 3)
        errors = [one.stderr.read() for one in racers if one.poll() is not None and one.stderr]
        # Who asks before the winner has written its pid is told of "another process".
        assert all("is already published by" in error for error in errors), errors
    finally:
        for one in racers:
            one.communicate()


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


def test_too_long_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(folders, "folders", lambda: [deep / "livetable"])
    with pytest.raises(BadEndpoint, match="too long"):
        claims.claim("orders")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name":1,"endpoint":"x","pid":1}', "null"])
def test_lock_files_that_say_nothing(runtime_folder: Path, content: str) -> None:
    folder = folders.own_folder()
    (folder / "x.lock").write_text(content)
    assert directory.entries() == []


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


def test_sockets_of_killed_viewers_are_cleared(runtime_folder: Path) -> None:
    folder = folders.own_folder()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, reused, new = (
        folder / f".viewer-{pid}-{number}.sock"
        for number, pid in enumerate((ended.pid, os.getpid(), os.getpid()))
    )
    live = folder / f".viewer-{os.getpid()}-live.sock"
    for path in (left, reused, new):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(live))
        listening.listen()
        for path in (reused, live):
            os.utime(path, (0, 0))
        viewer_sockets.sweep()
    assert sorted(path.name for path in folder.iterdir()) == sorted([new.name, live.name])
