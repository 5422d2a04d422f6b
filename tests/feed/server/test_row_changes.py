"""livetable.feed.server.row_changes: what a change of rows needs is loaded, not imported by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHANGES = """
import sys, threading
import pandas
from livetable.feed import Publisher

class Finder:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread() and name.startswith("livetable."):
            print(name)

p = Publisher("a", key="id")
q = Publisher("b", key="id", ttl=0.001)
sys.meta_path.insert(0, Finder())
p.upsert({"id": 1})
p.append({"id": 2})
assert p.delete([1]) == 1
q.send({"id": [1]})
q.upsert({"id": 2})
"""


def test_what_changes_rows_is_imported_by_a_thread_that_a_fork_waits_for(
    runtime_folder: Path,
) -> None:
    """A child that is forked while its parent's thread imports would wait for that for ever."""
    done = subprocess.run(
        [sys.executable, "-c", CHANGES], capture_output=True, text=True, timeout=30,
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
