"""Rows 4 and 5: what `send` costs its caller, and a large table's way to the screen."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
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
    large, quick = _watched(effort, 1_000_000, 10, 10), _watched(effort, 1000, 20, 30)
    still = _watched(effort, 1_000_000, 10, 10, changed=False)
    met = (
        big["send"] <= 0.3 and big["send"] <= 2 * small["send"] and times >= 200 and slower <= 0.1
        and all(one["p99 more"] <= 2 and one["max more"] <= 10 for one in (large, still))
        and quick["p99 more"] <= 1
    )  # fmt: skip
    return Result(
        "4", "`send(df)` in the caller, and a busy loop that sends 1,000×20 at 30/s while watched",
        "≤ 0.3 ms at 1M×10, ≤ 2 × its cost at 1k×20, send_pyobj ≥ 200×, loop ≤ 10 % slower; "
        "watched: p99 ≤ unwatched + 2 ms and max + 10 at 1M×10 and 10/s, p99 + 1 at 1k×20 and 30/s",
        f"{big['send']:.2f} ms at 1M×10, {big['send'] / small['send']:.1f}× of 1k×20, "
        f"loop {slower:+.1%}; watched at 1M×10: {_told(large)}, not changed between: "
        f"{_told(still)}; at 1k×20: {_told(quick)}; the caller's next write in place at 1M×10: "
        f"p50 {large['write p50']:.1f}, p99 {large['write p99']:.1f} ms",
        f"send_pyobj {big['pickle']:.0f} ms: {times:.0f}×; unwatched the write takes "
        f"p50 {large['alone write p50']:.1f}, p99 {large['alone write p99']:.1f} ms",
        met,
    )  # fmt: skip


def _told(one: dict[str, float]) -> str:
    return (
        f"p50 {one['send p50']:.2f}, p99 {one['send p99']:.2f} ({one['p99 more']:+.2f}), "
        f"max {one['send max']:.1f} ms ({one['max more']:+.1f})"
    )


def _watched(
    effort: Effort, rows: int, columns: int, hz: int, *, changed: bool = True
) -> dict[str, float]:
    """Return what a send takes while it is watched, and how much more than unwatched: medians."""
    words = ["paced", *map(str, (rows, columns, hz, effort.sends, int(changed)))]
    runs = []
    for _ in range(effort.tries):
        alone, watched = _paced(words, watched=False), _paced(words, watched=True)
        more = {
            f"{name} more": watched[f"send {name}"] - alone[f"send {name}"]
            for name in ("p99", "max")
        }
        runs.append(watched | more | {f"alone {name}": value for name, value in alone.items()})
    return {name: median([run[name] for run in runs]) for name in runs[0]}


def _paced(words: list[str], *, watched: bool) -> dict[str, float]:
    command = [PYTHON, "-m", "benchmarks.sending", *words]
    with ExitStack() as leaving:
        sender = leaving.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        leaving.callback(sender.kill)
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdout.readline()
        screen = leaving.enter_context(Screen([*LIVETABLE, "paced"])) if watched else None
        sender.stdin.write("go\n")
        sender.stdin.flush()
        told: list[str] = []
        reader = threading.Thread(target=lambda: told.append(sender.stdout.read()))  # type: ignore[union-attr]
        reader.start()
        while screen is not None and sender.poll() is None:
            screen.read(0.2)
        reader.join()
        answer: dict[str, float] = json.loads(told[0])
    return answer


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
