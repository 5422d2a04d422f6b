"""livetable.feed.base.late_import: modules that are half there."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.base import late_import
from livetable.feed.base.late_import import loaded
from livetable.feed.errors import PublisherClosed
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


def test_a_module_is_imported_once_and_errors_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lt_slow.py").write_text("import time; time.sleep(0.05); made = object()")
    (tmp_path / "lt_broken.py").write_text("raise ZeroDivisionError('at its import')")
    monkeypatch.syspath_prepend(tmp_path)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(loaded("lt_slow"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 4
    assert len({id(one.made) for one in found}) == 1
    for _ in range(2):  # it is tried again
        with pytest.raises(ZeroDivisionError, match="at its import"):
            loaded("lt_broken")
    with pytest.raises(ModuleNotFoundError):
        loaded("lt_no_such")
    assert not late_import._loads


def test_a_module_that_this_thread_is_importing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a signal handler is answered that comes in the midst of an import."""
    (tmp_path / "lt_within.py").write_text(
        "from livetable.feed.base.late_import import loaded\n"
        "from livetable.feed.errors import LivetableError\n"
        "try: loaded('lt_within')\n"
        "except LivetableError as error: said = str(error)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    within = importlib.import_module("lt_within")
    assert within.said == "this thread is still importing lt_within: try again when it has"
    assert loaded("lt_within") is within


def test_where_there_are_no_more_threads_the_caller_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(run: object) -> None:
        raise RuntimeError("can't start new thread")

    (tmp_path / "lt_alone.py").write_text("made = 7")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(late_import, "start_thread", no_more)
    assert loaded("lt_alone").made == 7


def test_nothing_is_imported_at_the_end_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "is_finalizing", lambda: True)
        with pytest.raises(PublisherClosed, match="process is ending"):
            loaded("json")
