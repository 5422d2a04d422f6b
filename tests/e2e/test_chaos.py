"""Feeds that die and come again, viewers of all sorts, a bad line: nobody ever sees a wrong row."""

from __future__ import annotations

import json
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chaos.line import Line
from tests.terminal import Terminal, environment_for
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def run(runtime_folder: Path) -> Iterator[Run]:
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        environment = environment_for(runtime_folder) | {"PYTHONPATH": str(ROOT)}
        errors = (runtime_folder / "errors").open("ab")
        process = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)
        errors.close()
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def lines_of(log: Path) -> list[list[Any]]:
    if not log.exists():
        return []
    return [
        json.loads(line) for line in log.read_text().splitlines(keepends=True) if line[-1] == "\n"
    ]


def test_nobody_sees_a_wrong_row(run: Run, runtime_folder: Path) -> None:
    chaos(run, runtime_folder, seconds=8, seed=random.SystemRandom().randrange(10**6))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("round_", range(10))
def test_nobody_sees_a_wrong_row_for_a_minute(run: Run, runtime_folder: Path, round_: int) -> None:
    chaos(run, runtime_folder, seconds=60, seed=random.SystemRandom().randrange(10**6))


def chaos(run: Run, folder: Path, *, seconds: float, seed: int) -> None:
    print(f"seed {seed}")
    choose = random.Random(seed)
    port = free_port()
    endpoint = f"tcp://127.0.0.1:{port}"
    line = Line(port, seed)
    feed_log = folder / "feed.log"
    rate = 1000

    def life(number: int, length: float) -> subprocess.Popen[bytes]:
        return run("tests.chaos.feed", seed + number, endpoint, rate, length, feed_log)

    with closing(line):
        feed = life(0, 600)
        wait_for(lambda: lines_of(feed_log), what="the feed begins")
        logs = {name: folder / f"{name}.log" for name in ("fast", "slow", "stopped", "late", "far")}
        viewers = {
            "fast": run("tests.chaos.viewer", endpoint, 0, logs["fast"]),
            "slow": run("tests.chaos.viewer", endpoint, 0.3, logs["slow"]),
            "stopped": run("tests.chaos.viewer", endpoint, 0.01, logs["stopped"]),
            "far": run("tests.chaos.viewer", f"tcp://127.0.0.1:{line.port}", 0, logs["far"]),
        }
        screen = Terminal("livetable", "chaos", folder=folder, size=(40, 80))
        for log in (logs["fast"], logs["stopped"]):
            wait_for(partial(lines_of, log), 60, f"{log.stem} looks")
        memory: dict[str, int] = {}
        began = dict(viewers)
        until = time.monotonic() + seconds
        number, stopped = 0, None
        try:
            while time.monotonic() < until:
                time.sleep(seconds / 16)
                what = choose.choice(["kill", "pause feed", "pause viewer", "go on", "nothing"])
                if stopped is not None:
                    stopped.send_signal(signal.SIGCONT)
                    stopped = None
                if what == "kill" and number < 2:
                    feed.kill()
                    feed.wait()
                    number += 1
                    feed = life(number, 600)
                elif what.startswith("pause"):
                    stopped = feed if what == "pause feed" else viewers["stopped"]
                    stopped.send_signal(signal.SIGSTOP)
                if "late" not in viewers and time.monotonic() > until - seconds / 2:
                    viewers["late"] = run("tests.chaos.viewer", endpoint, 0, logs["late"])
                if not memory and time.monotonic() > until - seconds / 2:
                    memory = {name: resident(one) for name, one in began.items()}
            if stopped is not None:
                stopped.send_signal(signal.SIGCONT)
            feed.kill()
            feed.wait()
            line.calm_down()
            number += 1
            feed = life(number, 2)
            wait_for(lambda: isinstance(lines_of(feed_log)[-1][2], list), what="the last life ends")
            *states, (epoch, seq, rows) = lines_of(feed_log)
            existed = {(one, at): told for one, at, told in states}
            print(f"{len(states)} changes")
            assert len(states) > 100 * seconds
            check_viewers(logs, existed, [epoch, seq, rows])
            for name, before in memory.items():
                assert resident(viewers[name]) < before + (40 << 20), name
            check_screen(screen, rows)
        finally:
            screen.kill()
    assert line.cuts
    errors = (folder / "errors").read_text()
    assert not errors, errors


def resident(process: subprocess.Popen[bytes]) -> int:
    found: int = psutil.Process(process.pid).memory_info().rss
    return found


def check_viewers(
    logs: dict[str, Path], existed: dict[tuple[str, int], int], last: list[Any]
) -> None:
    kinds = {}
    for name, log in logs.items():
        ended = wait_for(partial(ended_in, log, last[:2]), what=f"{name} has the last state")
        assert ended[-1][3] == last[2], name  # cell by cell, in order
        told = lines_of(log)
        for line in told:
            assert line[0] != "refused", (name, line)
            if line[0] != "ended":
                epoch, seq, number, _ = line
                assert existed[epoch, seq] == number, (name, line)
        kinds[name] = {one[3] for one in told if one[0] not in ("ended", "refused")}
    assert kinds["fast"] == kinds["far"] == {"snapshot", "delta"}


def ended_in(log: Path, position: list[Any]) -> list[list[Any]]:
    return [line for line in lines_of(log) if line[:3] == ["ended", *position]]


def check_screen(screen: Terminal, rows: list[list[Any]]) -> None:
    """The real viewer shows the first rows of the last state."""

    def shown() -> bool:
        found = re.findall(r"^ *(\d+) +(?:[▲▼•] *)?(0\.\d+)", screen.text, re.MULTILINE)
        return (
            "ended" in screen.text
            and bool(found)
            and [int(key) for key, _ in found] == [key for key, _, _ in rows[: len(found)]]
        )

    screen.wait_for(shown)
