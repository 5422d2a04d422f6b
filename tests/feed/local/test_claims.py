"""livetable.feed.local.claims: one process holds a name until it releases it or dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from livetable.feed.errors import BadEndpoint, NameTaken
from livetable.feed.local import claims, directory, folders
from tests.feed.local.holding import HOLD, holder
from tests.waiting import wait_for


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


def test_too_long_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(folders, "folders", lambda: [deep / "livetable"])
    with pytest.raises(BadEndpoint, match="too long"):
        claims.claim("orders")
