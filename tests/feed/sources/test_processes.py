"""livetable.feed.sources.processes: the table of this machine's processes."""

from __future__ import annotations

import os

from livetable.feed.sources import processes


def test_processes_are_real() -> None:
    frame = processes.Processes().frame().set_index("pid")
    own = frame.loc[os.getpid()]
    assert own["memory MB"] > 10
    assert "py" in own["command"]
    assert frame.index.is_unique
