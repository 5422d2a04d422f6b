"""A peer can only harm itself: what it does is not felt by the producer, nor by other viewers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
import zmq

from livetable.feed import Subscriber
from livetable.feed.errors import LivetableError
from livetable.feed.server.peer import MOST_PRIVATE
from tests.peers import Peer, at_work, drain, private_topic
from tests.terminal import environment_for
from tests.waiting import killed_after, wait_for

pytestmark = pytest.mark.long

SECONDS = 10.0 if int(os.environ.get("LIVETABLE_SCENARIOS", "30")) >= 100 else 2.0
"""How long each attack lasts."""

PRODUCER = """
import json, os, resource, sys, time
import numpy as np, pandas as pd
from livetable.feed import Publisher
rows, hz, files = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
table = Publisher("t", endpoint="tcp://127.0.0.1:0")
print(table.endpoint, flush=True)
frame = pd.DataFrame(np.random.rand(rows, 10))
turns, due = 0, time.perf_counter()
last = due
while True:
    frame = frame.copy()
    frame.iat[0, 0] = turns
    table.send(frame)
    turns += 1
    now = time.perf_counter()
    if now - last >= 0.5:
        print(json.dumps({"pace": turns / (now - last)}), flush=True)
        last, turns = now, 0
    due = max(due + 1 / hz, now - 1 / hz)
    time.sleep(max(0.0, due - time.perf_counter()))
"""


class Producer:
    """A process that sends a table."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.endpoint = process.stdout.readline().strip()
        self._paces: list[float] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.pace()
        self.before = self.memory

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._paces.append(json.loads(line)["pace"])

    @property
    def memory(self) -> float:
        """Megabytes."""
        return float(psutil.Process(self._process.pid).memory_info().rss / 1e6)

    @property
    def files(self) -> int:
        """Its open files."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def pace(self, halves: int = 3) -> float:
        """Return sends a second, over the next half seconds."""
        before = len(self._paces) + 1  # the next one began before
        wait_for(lambda: len(self._paces) >= before + halves, 20, "the producer")
        return sorted(self._paces[before:][:halves])[halves // 2]

    def most_memory(self, seconds: float) -> float:
        """Return how much larger it became at most, in megabytes."""
        until, most = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            most = max(most, self.memory - self.before)
            time.sleep(0.05)
        return most


@contextmanager
def producing(folder: Path, rows: int, hz: float, files: int = 1024) -> Iterator[Producer]:
    """Start a producer."""
    started = subprocess.Popen(
        [sys.executable, "-c", PRODUCER, str(rows), str(hz), str(files)],
        env=environment_for(folder), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process:
        yield Producer(process)
        assert process.poll() is None, "the producer died"


def frames_seen(endpoint: str, seconds: float) -> tuple[int, float]:
    """Return how many frames a viewer gets, and the longest time between two."""
    with Subscriber(f"{endpoint}#t", timeout=20) as reader:
        reader.get_arrow()
        began = last = time.monotonic()
        count, longest = 0, 0.0
        while last - began < seconds:
            reader.get_arrow()
            now = time.monotonic()
            count, longest, last = count + 1, max(longest, now - last), now
    return count, longest


@pytest.mark.parametrize(
    ("act", "rate"),
    [("never_reads", 50.0), ("never_reads_on_many", 50.0), ("begins_transfers", 15.0)],
)
def test_memory_that_a_peer_takes(runtime_folder: Path, act: str, rate: float) -> None:
    """Frames of 5.6 MB, 20 a second: two of them and 64 MB are on their way at most."""
    with producing(runtime_folder, 70_000, 20) as producer:
        with at_work(producer.endpoint, act, rate=rate, seconds=4 * SECONDS) as done:
            most = producer.most_memory(SECONDS)
            count, longest = frames_seen(producer.endpoint, SECONDS)
        print(
            f"peers, {act}: {done[0]} acts, sent away {done[1]} times: {most:+.0f} MB; "
            f"another viewer got {count / SECONDS:.1f} frames/s, {longest:.2f} s apart at most"
        )
        assert most < 300
        assert count / SECONDS > 4
        assert longest < 2.5


@pytest.mark.parametrize(
    ("act", "rate"),
    [
        ("wants_what_is_not_there", 20_000.0),
        ("listens_to_all", 20_000.0),
        ("takes_and_leaves", 20_000.0),
        ("speaks_for_others", 100.0),
    ],
)
def test_floods_are_not_felt(runtime_folder: Path, act: str, rate: float) -> None:
    with producing(runtime_folder, 100, 100) as producer:
        alone = producer.pace()
        before, _ = frames_seen(producer.endpoint, SECONDS)
        with at_work(producer.endpoint, act, rate=rate, seconds=4 * SECONDS) as done:
            count, longest = frames_seen(producer.endpoint, SECONDS)
            pace = producer.pace()
        after, _ = frames_seen(producer.endpoint, 1.0)
        print(
            f"peers, {act}: {done[0]} acts, sent away {done[1]} times: "
            f"{pace:.0f} sends/s ({alone:.0f} alone), another viewer {count / SECONDS:.0f} "
            f"frames/s ({before / SECONDS:.0f} alone), {longest:.2f} s apart at most, then "
            f"{after}; {producer.memory - producer.before:+.0f} MB"
        )
        assert pace > 0.9 * alone
        assert count > 0.5 * before
        assert longest < 1.5
        assert producer.memory - producer.before < 100


@pytest.mark.parametrize("act", ["never_reads_its_table", "never_reads_all"])
def test_a_plain_subscriber_that_never_reads(runtime_folder: Path, act: str) -> None:
    """What it does not take is kept for it up to a bound; the others go on."""
    with producing(runtime_folder, 70_000, 20) as producer, ExitStack() as stack:
        peer = at_work(producer.endpoint, act, rate=5, seconds=20 * SECONDS)
        done = stack.enter_context(peer)
        most = producer.most_memory(SECONDS)
        context = zmq.Context()
        stack.callback(context.destroy, 0)
        plain = context.socket(zmq.SUB)
        plain.connect(producer.endpoint)
        plain.subscribe(b"t")
        until, count = time.monotonic() + 2 * SECONDS, 0
        while time.monotonic() < until:
            count += bool(plain.poll(100) and plain.recv_multipart())
            most = max(most, producer.memory - producer.before)
        seen, longest = frames_seen(producer.endpoint, SECONDS)
        stack.close()
        print(
            f"peers, a plain subscriber that {act}: sent away {done[1]} times, "
            f"{most:+.0f} MB; another got {count / SECONDS / 2:.1f} snapshots/s, a viewer "
            f"{seen / SECONDS:.1f} frames/s, {longest:.2f} s apart at most"
        )
        assert most < 300
        assert count > SECONDS
        assert longest < 2.5


def test_connections_leave_the_program_its_descriptors(runtime_folder: Path) -> None:
    with producing(runtime_folder, 100, 50, files=1024) as producer, ExitStack() as stack:
        alone = producer.files
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        most = alone
        for _ in range(1010):
            try:
                stack.callback(Peer(producer.endpoint).close)
            except OSError:  # turned away
                continue
            finally:
                most = max(most, producer.files)
        wait_for(lambda: producer.files < 600, 10, "those that have no place to be gone")
        held = producer.files
        time.sleep(5.5)  # who has asked for nothing by now gives way
        count, _ = frames_seen(producer.endpoint, 1.0)
        print(
            f"peers, 1,010 idle ones at 1,024 descriptors: {held} open ({most} at most, {alone} "
            f"without them); a viewer that comes then got {count} frames in a second"
        )
        assert most < 900  # of 1,024: on a busy machine some are told late to go
        assert count > 10


def test_who_has_no_place_is_told(runtime_folder: Path) -> None:
    with producing(runtime_folder, 100, 50, files=64) as producer, ExitStack() as stack:
        for _ in range(32):
            peer = Peer(producer.endpoint)
            stack.callback(peer.close)
            peer.want(1, peer.listen(private_topic()), "t")
            drain(peer, 0.01)
        done = subprocess.run(
            [sys.executable, "-m", "livetable.tui", f"{producer.endpoint}#t", "--once"],
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        print(f"peers, a viewer without a place: exit {done.returncode}, {done.stderr.strip()}")
        assert done.returncode == 1
        assert "viewers, its limit" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_peer_has_so_many_topics(runtime_folder: Path) -> None:
    """It is told nothing, and nobody else is the worse for it."""
    with producing(runtime_folder, 100, 50) as producer, ExitStack() as stack:
        peer = Peer(producer.endpoint)
        stack.callback(peer.close)
        for _ in range(MOST_PRIVATE):
            peer.listen(private_topic())
        one_more = peer.listen(private_topic())
        peer.want(1, one_more, "t")
        assert drain(peer, 1.5) < 100  # pings
        assert frames_seen(producer.endpoint, 1.0)[0] > 10


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seen by /proc")
def test_looking_does_not_end_a_program_at_its_limit(runtime_folder: Path) -> None:
    code = """
import os, resource, time
from livetable.feed import Publisher
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
table = Publisher("t")
table.send({"a": [1]})
held = []
try:
    while True:
        held.append(os.open("/dev/null", 0))
except OSError:
    pass
print("full", flush=True)
input()
for one in held[:64]:
    os.close(one)
print("free", flush=True)
input()
"""
    started = subprocess.Popen(
        [sys.executable, "-c", code], env=environment_for(runtime_folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with killed_after(started) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "full\n"
        said = []
        for words in (["--list"], ["t", "--once", "--timeout", "2"], ["ipc"]):
            given = [f"ipc://{runtime_folder}/livetable/t.sock", "--once", "--timeout", "2"]
            done = subprocess.run(
                [sys.executable, "-m", "livetable.tui", *(given if words == ["ipc"] else words)],
                env=environment_for(runtime_folder), capture_output=True, text=True, timeout=20,
            )  # fmt: skip
            said.append(done.stderr)
            if words != ["--list"]:
                assert "can't take another viewer" in done.stderr
            assert process.poll() is None
        with pytest.raises((TimeoutError, LivetableError)), Subscriber("t", timeout=1) as reader:
            reader.get_arrow()
        assert process.poll() is None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "free\n"
        with Subscriber("t", timeout=20) as reader:
            assert reader.get_arrow().num_rows == 1
        print(f"a program at its limit of descriptors lives on; who looks is told: {said[1]}")
