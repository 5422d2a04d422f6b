"""livetable.feed.local.homes: a process is alive while it keeps its file locked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from livetable.feed import Publisher
from livetable.feed.local.homes import homes, is_own, lives_by
from tests.feed.local.holding import holder
from tests.waiting import killed_after


def test_a_process_lives_by_its_lock(runtime_folder: Path) -> None:
    process = holder(runtime_folder)
    with killed_after(process):
        (file,) = map(str, (runtime_folder / "livetable").glob("*.process"))
        assert lives_by(file, {})
        assert not is_own(file)
    process.wait()
    assert not lives_by(file, {})
    assert lives_by(file, {file: True})  # found out before
    assert not lives_by(file + ".none", {})


def test_its_own_file_stays_locked_when_it_is_asked_for(runtime_folder: Path) -> None:
    with Publisher("own"):
        home = homes[runtime_folder / "livetable"]
        assert is_own(home.file)
        assert lives_by(home.file, {})
        assert home.socket.endswith(".sock")
        asked = (
            "import os, sys; fd = os.open(sys.argv[1], os.O_RDWR)\n"
            "try: os.lockf(fd, os.F_TEST, 0)\n"
            "except OSError: print('locked')"
        )
        done = subprocess.run(
            [sys.executable, "-c", asked, home.file], capture_output=True, text=True, check=True
        )
        assert done.stdout == "locked\n"
