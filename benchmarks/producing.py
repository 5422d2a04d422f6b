"""Rows 4 and 5: what `send` costs its caller, and a large table's way to the screen."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import LIVETABLE, PYTHON, Screen, delays, feed
from benchmarks.results import Result, median


def run(folder: Path, effort: Effort) -> list[Result]:
    """Measure."""
    sent = _sending(effort)
    return [sent, _large(folder)] if effort.whole else [sent]


def _ask(*words: str) -> dict[str, float]:
    done = subprocess.run(
        [PYTHON, "-m", "benchmarks.sending", *words], capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _sending(effort: Effort) -> Result:
    small, big = _ask("send", "1000", "20"), _ask("send", "1000000", "10")
    times = big["pickle"] / big["send"]
    slower = _slow_down(effort)
    large, table = _watched(effort, 1_000_000, 10, 10), _watched(effort, 1000, 20, 30)
    tails = [one[f"watched ran {at}"] - one[f"alone ran {at}"] for one, at in (
        (large, 99), (large, 100), (table, 99))]  # fmt: skip
    return Result(
        "4", "`send(df)` in the caller, and a busy loop that sends 1,000×20 at 30/s while watched",
        "≤ 0.3 ms at 1M×10, ≤ 2 × its cost at 1k×20, send_pyobj ≥ 200×, loop ≤ 10 % slower; "
        "while watched p99 ≤ 2 ms, max ≤ 10 ms more at 1M×10, p99 ≤ 1 ms more at 1k×20",
        f"{big['send']:.2f} ms at 1M×10, {big['send'] / small['send']:.1f}× of 1k×20, "
        f"loop {slower:+.1%}; watched, 1M×10: {_told(large)}; 1k×20: {_told(table)}",
        f"the next write in place at 1M×10 {large['watched write 50']:.1f} ms, "
        f"p99 {large['watched write 99']:.0f}; send_pyobj {big['pickle']:.0f} ms: {times:.0f}×",
        big["send"] <= 0.3 and big["send"] <= 2 * small["send"] and times >= 200 and slower <= 0.1
        and tails[0] <= 2 and tails[1] <= 10 and tails[2] <= 1,
    )  # fmt: skip


def _watched(effort: Effort, rows: int, columns: int, hz: int) -> dict[str, float]:
    """Return the medians of what a watched and an unwatched loop took, of several runs."""
    sends = "600" if effort.whole else "60"
    runs = [_ask("watched", *map(str, (rows, columns, hz)), sends) for _ in range(effort.tries)]
    return {name: median([one[name] for one in runs]) for name in runs[0]}


def _told(found: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {found[f'watched ran {at}']:.2f} ms (alone {found[f'alone ran {at}']:.2f})"
        for name, at in (("p50", 50), ("p99", 99), ("max", 100))
    )


def _slow_down(effort: Effort) -> float:
    """Return how much slower a busy loop turns with a viewer than without, as a share."""
    ratios = []
    for _ in range(effort.tries):
        command = [PYTHON, "-m", "benchmarks.sending", "loop", str(effort.look)]
        alone = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loop:
            with Screen([*LIVETABLE, "busy"]) as screen:
                while loop.poll() is None:
                    screen.read(0.2)
            assert loop.stdout is not None
            watched = loop.stdout.read()
        # The second half: by then the viewer has started, which takes a core of two.
        ratios.append(float(alone.split()[1]) / float(watched.split()[1]) - 1)
    return median(ratios)


def _large(folder: Path) -> Result:
    with (
        feed(folder, 1_000_000, 10, 2, 0.1) as fed,
        Screen([*LIVETABLE, "bench"]) as screen,
    ):
        screen.read(6)
        came = screen.read(10)
        shown = delays(came, fed.sent())
    bare = _bare()
    ours = median(shown)
    return Result(
        "5", "a mixed table of 1M×10, publish → terminal", "≤ 2.5 × a bare pyzmq send and receive",
        f"{ours:.0f} ms: {ours / bare:.2f}×", f"the same bytes by pyzmq alone {bare:.0f} ms",
        ours <= 2.5 * bare,
    )  # fmt: skip


def _bare() -> float:
    """Return the milliseconds that the bytes of such a table take from process to process."""
    code = (
        "import sys, time, zmq\n"
        "s = zmq.Context().socket(zmq.PAIR); s.connect(sys.argv[1]); s.send(b'')\n"
        "while s.recv(copy=False).bytes is not None: s.send(str(time.monotonic_ns()).encode())\n"
    )
    import zmq

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.PAIR)
    socket.bind("ipc:///tmp/ltb-bare")
    size = int(_ask("size")["size"])
    body = bytes(size)
    times = []
    with subprocess.Popen([sys.executable, "-c", code, "ipc:///tmp/ltb-bare"]) as other:
        socket.recv()
        for _ in range(15):
            began = time.monotonic_ns()
            socket.send(body)
            times.append((int(socket.recv()) - began) / 1e6)
            time.sleep(0.1)
        other.kill()
    context.destroy(0)
    return median(times)
