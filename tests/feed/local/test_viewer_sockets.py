"""livetable.feed.local.viewer_sockets: sockets of killed viewers are removed, others stay."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from livetable.feed.local import folders, viewer_sockets


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
