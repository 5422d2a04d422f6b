"""livetable.feed.base.signals: heeded also when the main thread can't be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.waiting import killed_after

CODE = """
import os, signal, sys, threading, time
from livetable.feed.base.signals import heed
heard = threading.Event()
def act(number):
    print("heard", number, flush=True)
    os._exit(0)
heed(act)
print("on", flush=True)
{}
"""

ELSEWHERE = """
other = threading.Thread(target=time.sleep, args=(60,), daemon=True)
other.start()  # the system's handler runs there: nothing interrupts the main thread
threading.Timer(0.05, lambda: signal.pthread_kill(other.ident, signal.{})).start()
time.sleep(60)
"""

HOLDING = """
with heard._cond:  # whoever sets the event from a handler would wait for this
    os.kill(os.getpid(), signal.{})
    time.sleep(60)
"""


@pytest.mark.parametrize("where", [ELSEWHERE, HOLDING], ids=["asleep", "with a lock"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_heeded(where: str, name: str) -> None:
    command = [sys.executable, "-c", CODE.format(where.format(name))]
    with killed_after(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        out, _ = process.communicate(timeout=30)
    number = getattr(signal, name).value
    assert (process.returncode, out) == (0, f"on\nheard {number}\n")
