"""livetable.feed.base.descriptors: a process that has no descriptor left is left alone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from livetable.feed.base import descriptors
from tests.waiting import killed_after

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seen by /proc")

HOLDING = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True: held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    for one in held[:int(sys.argv[1])]: os.close(one)
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(("free", "is_crowded"), [(0, True), (15, True), (16, False)])
def test_a_process_with_so_many_descriptors_left(free: int, is_crowded: bool) -> None:
    command = [sys.executable, "-c", HOLDING, str(free)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with killed_after(started) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        said = descriptors.crowded(process.pid)
        if is_crowded:
            assert said is not None
            assert said.startswith(
                f"process {process.pid} has {64 - free} of at most 64 files open"
            )
            assert "ulimit -n" in said
        else:
            assert said is None


def test_what_can_not_be_known_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(descriptors, "LEAST", 1 << 40)
    assert descriptors.crowded(ended.pid) is None
    assert descriptors.crowded(os.getpid()) is not None
    unlimited = resource.RLIM_INFINITY, resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "prlimit", lambda pid, what: unlimited)
    assert descriptors.crowded(os.getpid()) is None

    def others(pid: int, what: int) -> tuple[int, int]:
        raise PermissionError

    monkeypatch.setattr(resource, "prlimit", others)
    assert descriptors.crowded(os.getpid()) is None
