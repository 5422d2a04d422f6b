"""livetable.feed.base.late_import: modules that are half there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import environment_for

HALF = """
import sys, threading, time
from livetable.feed import Publisher
table = Publisher("t")
thread = threading.Thread(target=lambda: __import__("pandas"))
thread.start()
while "pandas" not in sys.modules: time.sleep(.001)
for number in range(20): table.send([{"a": number}])
thread.join()
print("ok")
"""


def test_pandas_that_another_thread_imports(runtime_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HALF], env=environment_for(runtime_folder), capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("ok\n", "")


FORKED = """
import os, threading, time, sys, pandas, pyarrow
from livetable.feed import Publisher
p = Publisher("a", key="id")
threading.Thread(target=lambda: p.upsert({"id": 1})).start()
time.sleep(float(sys.argv[1]))
child = os.fork()
if not child:
    q = Publisher("b", key="id")
    q.upsert({"id": 1})
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("after", ["0.002", "0.01", "0.02", "0.03"])
def test_a_child_that_is_forked_while_a_module_is_imported(
    after: str, runtime_folder: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, after], capture_output=True, text=True,
        timeout=40, env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (7, "")
