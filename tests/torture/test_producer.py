"""The producer is sacred: what viewers do, and what breaks around it, is not felt in its loop."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import zmq

from livetable.feed import Subscriber
from livetable.feed.client.connection import Client
from livetable.feed.local.directory import find
from tests.fuzz import corpus
from tests.terminal import environment_for
from tests.waiting import killed_after, wait_for

pytestmark = pytest.mark.long

HZ = 50
ASIDE = 200
"""Viewers at once."""

PRODUCER = """
import json, sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id")
frame = pd.DataFrame({"id": range(100), "n": 0, "half": 0.5})
due, turns, took = time.perf_counter(), 0, []
last = due
while True:
    frame["n"] = turns
    began = time.perf_counter()
    orders.send(frame)
    now = time.perf_counter()
    took.append(now - began)
    turns += 1
    if now - last >= 0.5:
        took.sort()
        print(json.dumps({"pace": len(took) / (now - last), "p50": took[len(took) // 2] * 1e6,
                          "worst": took[-1] * 1e3}), flush=True)
        last, took = now, []
    due += 1 / HZ
    time.sleep(max(0.0, due - time.perf_counter()))
""".replace("HZ", str(HZ))


class Producer:
    """A process that sends, and tells how it goes."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER],
            env=environment_for(folder), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_for(lambda: find("orders"), 20, "the producer")
        (found,) = find("orders")
        self.endpoint = found.endpoint

    @property
    def memory(self) -> float:
        """Megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def pace(self, halves: int = 4) -> tuple[float, float]:
        """Return sends a second, and the median microseconds of one, over the next half seconds."""
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        os.set_blocking(fd, False)
        while os.read(fd, 65_536) if _ready(fd) else b"":
            pass  # what was told before
        os.set_blocking(fd, True)
        lines = [json.loads(self.process.stdout.readline()) for _ in range(halves + 1)][1:]
        paces = sorted(one["pace"] for one in lines)
        return paces[len(paces) // 2], sorted(one["p50"] for one in lines)[len(lines) // 2]


def _ready(fd: int) -> bool:
    import select

    return bool(select.select([fd], [], [], 0)[0])


@pytest.fixture
def producer(runtime_folder: Path) -> Iterator[Producer]:
    """Start a producer."""
    one = Producer(runtime_folder)
    yield one
    one.process.kill()
    one.process.communicate()


@contextmanager
def crowd(endpoint: str) -> Iterator[list[Client]]:
    """Connect many viewers that have asked, and are not heard of again."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    clients = [Client(endpoint, context) for _ in range(ASIDE)]
    for client in clients:
        client.ask("orders")
        client.say()
    yield clients
    for client in clients:
        client.close()
        list(client.events())
    context.destroy(0)


def test_viewers_come_stop_lie_flood_and_vanish(producer: Producer) -> None:
    alone, p50 = producer.pace()
    before = producer.memory
    said = [f"alone {alone:.1f} sends/s, {p50:.0f} us each, {before:.0f} MB"]
    slowest = alone

    def note(what: str) -> None:
        nonlocal slowest
        pace, median = producer.pace()
        slowest = min(slowest, pace)
        said.append(f"{what} {pace:.1f}/s, {median:.0f} us, {producer.memory - before:+.0f} MB")

    with crowd(producer.endpoint):
        note(f"{ASIDE} viewers that stopped")
    with ExitStack() as stack:
        readers = [stack.enter_context(Subscriber("orders", timeout=20)) for _ in range(10)]
        for reader in readers:
            reader.get_arrow()
        note("10 that read all")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    liar = context.socket(zmq.XSUB)
    liar.setsockopt(zmq.LINGER, 0)
    liar.connect(producer.endpoint)
    chance, good = random.Random(1), corpus.wants()
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for _ in range(50):
            liar.send(corpus.damaged(chance.choice(good), chance.choice(good), chance))
    note("after a flood of lies")
    liar.close()
    context.term()
    note("all vanished")
    with Subscriber("orders", timeout=20) as reader:
        assert reader.get_arrow().num_rows == 100
    print("producer: " + "; ".join(said))
    assert slowest >= 0.9 * alone
    assert producer.memory - before < 100


INTERRUPTED = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id")
orders.upsert({"id": 2, "n": 0})  # now all is imported: Python makes a RuntimeError of some there
interrupts = turns = 0
while interrupts < int(sys.argv[1]):
    try:
        print("going", flush=True)
        while True:
            turns += 1
            orders.send(pd.DataFrame({"id": [1], "n": [turns]}))
            orders.upsert({"id": 2, "n": turns})
    except KeyboardInterrupt:
        interrupts += 1
orders.send(pd.DataFrame({"id": [7], "n": [7]}))
print("done", flush=True)
time.sleep(30)
"""


def test_ctrl_c_in_any_line(runtime_folder: Path) -> None:
    times = 1000
    chance = random.Random(3)
    started = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(times)], env=environment_for(runtime_folder),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        with Subscriber("orders", timeout=20) as reader:
            reader.get_arrow()
            for number in range(times):
                time.sleep(chance.random() * 0.005)
                process.send_signal(signal.SIGINT)
                # It is told within the next `try`: an interrupt outside would be the script's own.
                next_one = "done\n" if number == times - 1 else "going\n"
                assert process.stdout.readline() == next_one
            wait_for(lambda: reader.get_arrow().column("id").to_pylist() == [7], 20, "the last")
        process.kill()
        _, errors = process.communicate()
    assert errors == ""
    print(f"Ctrl-C {times} times in send and upsert: each reached the loop, the feed goes on")


def _child(code: str, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment_for(folder), capture_output=True, text=True,
        timeout=50,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()


ONE = "from livetable.feed import Publisher\nPublisher('orders').send({'a': [1]})\n"
NOBODY = """
import fcntl, os, pandas, livetable.feed.frames.encoder, livetable.feed.server.hub
from livetable.feed import Publisher
import livetable.feed.server.publisher
os.setuid(65534)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="takes root to become nobody")
def test_no_folder_and_no_permission(runtime_folder: Path) -> None:
    closed = runtime_folder / "closed"
    closed.mkdir(mode=0o755)
    runtime_folder.chmod(0o755)
    code, said = _child(ONE, runtime_folder / "none-such")
    assert code == 0, said  # it is put where there is room: /run/user, or /tmp
    print("no XDG_RUNTIME_DIR: exit 0, in another folder")
    only = "import livetable.feed.local.folders as d, pathlib\n"
    only += f"d.folders = lambda: [pathlib.Path({str(closed)!r}) / 'livetable']\n"
    code, said = _child(NOBODY + only + ONE.splitlines()[1], closed)
    assert code == 1
    assert "RuntimeFolder" in said
    assert "Permission denied" in said
    print(f"a folder that may not be written: {said.splitlines()[-1]}")
    over_tcp = "Publisher('o', endpoint='tcp://127.0.0.1:0').send({'a': [1]})"
    code, said = _child(NOBODY + only + over_tcp, closed)
    assert code == 0, said
    print("the same over TCP: exit 0, it needs no folder")


def test_a_full_disk(runtime_folder: Path) -> None:
    full = runtime_folder / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(full)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk can't be mounted here")
    try:
        full.chmod(0o700)
        for number in range(20):
            try:
                (full / f"filler{number}").write_bytes(b"x" * 4096)
            except OSError:
                break
        code, said = _child(ONE, full)
        print(f"a full disk: exit {code}, {said.splitlines()[-1:]}")
        assert code == 1
        assert "RuntimeFolder" in said
        assert "No space left" in said
    finally:
        subprocess.run(["umount", str(full)], check=True)


SPAWNED = """
import multiprocessing, sys
from livetable.feed import Publisher
def child(how):
    with Publisher(f"child-{how}") as mine:
        mine.send({"a": [1]})
if __name__ == "__main__":
    with Publisher("orders") as orders:
        orders.send({"a": [1]})
        for how in ("fork", "spawn", "forkserver"):
            process = multiprocessing.get_context(how).Process(target=child, args=(how,))
            process.start()
            process.join(30)
            assert process.exitcode == 0, (how, process.exitcode)
        orders.send({"a": [2]})
"""


def test_fork_spawn_and_forkserver(runtime_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], env=environment_for(runtime_folder),
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list((runtime_folder / "livetable").iterdir()) == []
    print("fork, spawn, forkserver: each child publishes, exit code 0, nothing left")
