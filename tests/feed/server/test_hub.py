"""feed.server.hub: handlers, finalizers, forks, other libraries' threads, the very end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from livetable.feed import Publisher, Subscriber
from livetable.feed.local.directory import find
from tests.terminal import environment_for
from tests.waiting import killed_after, wait_for


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run a script that ends by itself if nothing hangs."""
    watch = "import faulthandler\nfaulthandler.dump_traceback_later(25, exit=True)\n"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", watch + code], env=environment_for(folder),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


HANDLERS = """
import gc, signal, sys, threading, time, weakref
from livetable.feed import Publisher

table = Publisher("orders", key="id")
rows = [{"id": i, "v": 0.0} for i in range(300)]
count, inside = 0, False

class Job:
    def __init__(self, number):
        self.me, self.table = self, Publisher(f"job-{number}")
        self.table.send({"a": [number]})
        weakref.finalize(self, table.delete, number % 300)

def on_alarm(*_):
    global count, inside
    if inside:
        return  # its own alarms would pile up on a slow machine, without end
    inside = True
    number = count = count + 1
    table.upsert({"id": number % 300, "v": 0.5})
    table.append({"id": 1000 + number, "v": 0.5})
    table.delete([1000 + number])
    if count % 5 == 0:
        Job(count)
        gc.collect(0)
    table.shape, table.snapshot(), table.note("x")
    inside = False

def other():
    while count < 60:
        table.upsert(rows[:20])

threads = [threading.Thread(target=other) for _ in range(2)]
signal.signal(signal.SIGALRM, on_alarm)
signal.setitimer(signal.ITIMER_REAL, .01, .01)
for thread in threads: thread.start()
while count < 60:
    table.upsert(rows)
    if count % 10 == 0:
        table.send({"id": [1, 2], "v": [0.0, 1.0]})
signal.setitimer(signal.ITIMER_REAL, 0)
for thread in threads: thread.join()
gc.collect()
table.upsert(rows)
assert table.shape == (300, 2), table.shape
print("ok")
"""


def test_calls_from_handlers_finalizers_and_threads(runtime_folder: Path) -> None:
    done = run(runtime_folder, HANDLERS)
    assert (done.stdout, done.stderr) == ("ok\n", "")


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_threads_that_are_none(runtime_folder: Path, library: str) -> None:
    pytest.importorskip(library)
    patch = {
        "gevent": "from gevent import monkey, sleep; monkey.patch_all()",
        "eventlet": "from eventlet import monkey_patch, sleep; monkey_patch()",
    }[library]
    done = run(
        runtime_folder,
        f"{patch}\nfrom livetable.feed import Publisher\n"
        "with Publisher('orders', key='id') as orders:\n"
        "    for i in range(5): orders.send({'id': [i]}); orders.upsert({'id': 7}); sleep(.01)\n"
        "    assert orders.flush(1)\nprint('ok')\n",
    )
    assert done.stdout == "ok\n", done.stderr


LATE = """
import atexit, sys
def last():
    orders.send({"a": [2]})
    from livetable.feed import Publisher
    with Publisher("late") as late:
        late.send({"a": [3]})
    print("ok", flush=True)
atexit.register(last)
from livetable.feed import Publisher
orders = Publisher("orders")
orders.send({"a": [1]})
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("end", ["", "sys.exit(3)\n", "raise KeyboardInterrupt\n"])
def test_handlers_of_atexit_still_publish_and_viewers_see_the_end(
    runtime_folder: Path, end: str
) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", LATE + end], env=environment_for(runtime_folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process, ExitStack() as stack:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        reader = stack.enter_context(Subscriber("orders", timeout=20))
        assert reader.get()["a"].to_list() == [1]
        out, _ = process.communicate("go\n", timeout=20)
        assert out == "ok\n"
        seen = [frame["a"].to_list() for frame in reader]  # ends when the table has
        assert seen[-1] == [2]


def test_each_of_several_viewers_is_told_the_end(runtime_folder: Path) -> None:
    """Said when modules can't be imported any more: what the first one's end needs is there."""
    started = subprocess.Popen(
        [sys.executable, "-c", LATE], env=environment_for(runtime_folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process, ExitStack() as stack:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        readers = [stack.enter_context(Subscriber("orders", timeout=20)) for _ in range(4)]
        assert [reader.get()["a"].to_list() for reader in readers] == [[1]] * 4
        process.communicate("go\n", timeout=20)
        for reader in readers:
            assert [frame["a"].to_list() for frame in reader][-1] == [2]


CHILD = """
import multiprocessing as mp, os, sys, time
from livetable.feed import Publisher
def work(pipe):
    mine = Publisher("child")
    mine.send({"a": [1]})
    pipe.recv()
    mine.send({"a": [2]})
parent = Publisher("parent", endpoint=sys.argv[1])
parent.send({"a": [0]})
here, there = mp.Pipe()
mp.get_context("fork").Process(target=work, args=(there,)).start()
print("ready", flush=True)
sys.stdin.readline()
here.send("go")
sys.stdin.readline()
"""


def test_a_forked_child_says_its_last_words(runtime_folder: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, "tcp://127.0.0.1:0"],
        env=environment_for(runtime_folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with killed_after(started) as process, Subscriber("child", timeout=20) as reader:
        assert process.stdin is not None
        assert reader.get()["a"].to_list() == [1]
        process.stdin.write("go\n")
        process.stdin.flush()
        assert [frame["a"].to_list() for frame in reader][-1] == [2]
        wait_for(lambda: not find("child"))


def test_a_forked_child_does_not_keep_the_port(runtime_folder: Path) -> None:
    code = (
        "import multiprocessing as mp, os, time\n"
        "from livetable.feed import Publisher, Subscriber\n"
        "table = Publisher('orders', endpoint='tcp://127.0.0.1:0'); table.send({'a': [1]})\n"
        "reader = Subscriber(table.endpoint + '#orders', timeout=20); reader.get()\n"
        "child = mp.get_context('fork').Process(target=time.sleep, args=(60,)); child.start()\n"
        "print(child.pid, table.endpoint, flush=True); os._exit(0)\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], env=environment_for(runtime_folder),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process:
        assert process.stdout is not None
        pid, endpoint = process.stdout.readline().split()
        process.wait(20)
        try:
            Publisher("orders", endpoint=endpoint).close()
        finally:
            os.kill(int(pid), signal.SIGKILL)


class Slow:
    """Its text takes long."""

    def __str__(self) -> str:
        time.sleep(0.05)
        return "slow"


def test_a_slow_table_holds_nobody_up() -> None:
    import pandas as pd

    with (
        Publisher("slow") as slow,
        Publisher("quick") as quick,
        Subscriber("slow") as looks,
        Subscriber("quick", timeout=20) as reader,
    ):
        quick.send({"i": [-1]})
        reader.get()
        slow.send(pd.DataFrame({"o": [Slow() for _ in range(40)]}))  # two seconds
        waits = []
        for number in range(10):
            began = time.monotonic()
            quick.send({"i": [number]})
            while reader.get()["i"][0] != number:
                pass
            waits.append(time.monotonic() - began)
        assert sorted(waits)[-2] < 0.5
        assert looks.get(20)["o"].to_list() == ["slow"] * 40


def test_flush() -> None:
    with Publisher("orders") as orders:
        assert orders.flush(0)  # nobody looks
        orders.send({"a": [1]})
        with Subscriber("orders", timeout=20) as reader:
            assert reader.get()["a"].to_list() == [1]
            orders.send({"a": [2]})
            assert orders.flush(20)
            assert reader.get()["a"].to_list() == [2]
            orders.end("all done")
            orders.end()
        assert orders.flush(20)  # it left


def test_thousands_of_tables_take_few_descriptors(runtime_folder: Path) -> None:
    code = (
        "import os, resource\nfrom livetable.feed import Publisher\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))\n"
        "tables = [Publisher(f't{n}') for n in range(1000)]\n"
        "assert len(os.listdir('/proc/self/fd')) < 40\n"
        "from livetable.feed.local.directory import entries\nprint(len(entries()))\n"
    )
    done = run(runtime_folder, code)
    assert done.stdout == "1000\n", done.stderr
