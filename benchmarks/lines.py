"""A viewer at the other end of real lines: `python -m benchmarks.lines [--quick] [ROW…]`.

Through a real `sshd` and a proxy that limits rate and adds delay: a table of 100 x 17, in which
every cell changes 20 times a second. How old is what the screen shows, how long until a key is
seen, until `q` gives the shell back, until the first rows are there.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.remote import Line, NearTerminal, ssh_command, sshd
from benchmarks.results import quantile

FEED: Final = """
import time, numpy as np, pandas as pd
from livetable.feed import Publisher
rng = np.random.default_rng(3)
publisher = Publisher("ts", key="id")
while True:
    frame = {"id": np.arange(100), "ms": np.full(100, int(time.time() * 1000) % 10_000_000)}
    frame |= {f"c{at}": rng.normal(100, 1, 100).round(2) for at in range(15)}
    publisher.send(pd.DataFrame(frame))
    time.sleep(0.05)
"""
PROMPT: Final = "ready>"
_AGE: Final = re.compile(r"^\s*\d+[ ▲▼•]+(\d{6,7})\b", re.MULTILINE)
_SETTLE: Final = 5.0


@dataclass
class Row:
    """A line, and what is asked of it.

    Attributes:
        name: What it is called.
        rate: Bytes a second.
        delay: Seconds each way.
        size: Lines and columns.
        most: Seconds at most: age, key, leaving, first rows; None where it is not asked.
        shell: What runs on the other side: a shell, or `tmux` with one.
        answers: Whether the terminal answers.
        turns: The rates that it has one after the other, each for so many seconds.
    """

    name: str
    rate: float
    delay: float
    size: tuple[int, int]
    most: tuple[float, float | None, float | None, float | None]
    shell: str = "bash"
    answers: bool = True
    turns: tuple[tuple[float, float], ...] = ()


@dataclass
class Figures:
    """What was measured, in seconds.

    Attributes:
        ages: How old what the screen showed was, ten times a second.
        keys: From a key to the screen that shows what it did.
        leaving: From `q` to the shell.
        first: From Enter to the first rows.
        start: Bytes until the whole screen is there.
        carried: Bytes a second, afterwards.
        paint: Bytes of a paint, in which every cell of the table has changed.
    """

    ages: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    leaving: float = 0.0
    first: float = 0.0
    start: int = 0
    carried: float = 0.0
    paint: float = float("nan")


_THREE: Final = ((1e6, 15.0), (1e4, 20.0), (1e6, 15.0), (0.0, 5.0), (1e6, 15.0))
ROWS: Final = (
    Row("20 kB/s, 150 ms", 20e3, 0.15, (50, 200), (2.0, 1.5, 2.0, 4.0)),
    Row("20 kB/s, 20 ms", 20e3, 0.02, (24, 80), (0.8, 0.6, 1.0, 2.0)),
    Row("64 kB/s, 100 ms", 64e3, 0.1, (50, 200), (1.0, 0.7, 1.0, 2.0)),
    Row("1 MB/s, 150 ms", 1e6, 0.15, (50, 200), (0.6, 0.4, 0.6, 1.5)),
    Row("1 MB/s, 10 kB/s, cut 5 s", 1e6, 0.02, (40, 120), (3.0, None, None, None), turns=_THREE),
    Row("20 kB/s, 150 ms, tmux", 20e3, 0.15, (50, 200), (2.0, 1.5, 2.0, 4.0), shell="tmux"),
    Row("64 kB/s, 100 ms, tmux", 64e3, 0.1, (50, 200), (1.0, 0.7, 1.0, 2.0), shell="tmux"),
    Row("20 kB/s, 150 ms, silent", 20e3, 0.15, (50, 200), (2.0, 1.5, 2.0, 4.0), answers=False),
    Row("20 kB/s, 20 ms, silent", 20e3, 0.02, (24, 80), (0.8, 0.6, 1.0, 2.0), answers=False),
)  # fmt: skip
QUICK: Final = (0, 1)


def age_of(terminal: NearTerminal) -> float | None:
    """Return how old what the screen shows is; None if no row can be read now."""
    found = Counter(_AGE.findall(terminal.text)).most_common(1)
    if not found:
        return None
    shown = int(found[0][0])
    return ((int(time.time() * 1000) - shown) % 10_000_000) / 1000


def cursor_row(terminal: NearTerminal) -> int:
    """Return the line whose background differs from that of the lines beside it."""
    screen = terminal.screen
    backs = [screen.buffer[y][1].bg for y in range(2, screen.lines - 2)]
    usual = Counter(backs).most_common(1)[0][0]
    return next((y for y, back in enumerate(backs) if back != usual), -1)


def measure(row: Row, folder: Path, seconds: float) -> Figures:
    """Measure a row."""
    figures = Figures()
    with sshd(folder) as port:
        line = Line(port, row.rate, row.delay)
        there = {
            name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PYTHONPATH")
        }
        there |= {"LANG": "C.UTF-8", "COLORTERM": "truecolor", "XDG_STATE_HOME": str(folder)}
        there |= {"TMUX_TMPDIR": str(folder), "PATH": os.environ["PATH"]}
        shell = f"env PS1='{PROMPT}' bash --norc --noprofile -i"
        if row.shell == "tmux":
            shell = f"tmux -f /dev/null new-session {shlex.quote(shell)}"
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in there.items())
        command = ssh_command(folder, line.port, f"env {words} {shell}")
        try:
            with NearTerminal(command, row.size, answers=row.answers) as terminal:
                _look(row, terminal, line, figures, seconds)
        finally:
            line.close()
    return figures


def _look(row: Row, terminal: NearTerminal, line: Line, figures: Figures, seconds: float) -> None:
    terminal.until(lambda: PROMPT in terminal.text)
    terminal.read(1.0)
    before = terminal.received
    terminal.send(f"{sys.executable} -m livetable.tui ts\r".encode())
    figures.first = terminal.until(lambda: age_of(terminal) is not None)
    terminal.until(lambda: "Quit" in terminal.text)
    figures.start = terminal.received - before
    terminal.read(_SETTLE)
    if row.turns:
        for at, (rate, long) in enumerate(row.turns):
            line.rate = rate
            terminal.read(_SETTLE if at else 0)
            if rate and long > _SETTLE:
                _watch(terminal, figures, long - _SETTLE, keys=False)
        return
    before, began = terminal.received, time.monotonic()
    terminal.raw.clear()
    _watch(terminal, figures, seconds, keys=True)
    figures.carried = (terminal.received - before) / (time.monotonic() - began)
    if asked := terminal.raw.count(b"\x1b[6n"):
        figures.paint = len(terminal.raw) / asked
    terminal.raw.clear()
    terminal.send(b"q")
    figures.leaving = terminal.until(lambda: PROMPT.encode() in terminal.raw)


def _watch(terminal: NearTerminal, figures: Figures, seconds: float, *, keys: bool) -> None:
    until = time.monotonic() + seconds
    look = time.monotonic()
    press = look + 0.7
    pressed: tuple[float, int] | None = None
    down = True
    while (now := time.monotonic()) < until:
        terminal.take(min(look - now, 0.02))
        now = time.monotonic()
        if now >= look:
            look += 0.1
            age = age_of(terminal)
            if age is not None:
                figures.ages.append(age)
        if keys and pressed is None and now >= press:
            pressed = now, cursor_row(terminal)
            terminal.send(b"j" if down else b"k")
            down = not down
        elif pressed is not None and cursor_row(terminal) not in (-1, pressed[1]):
            figures.keys.append(now - pressed[0])
            press, pressed = now + 0.7 + (now * 7919) % 0.5, None


def report(row: Row, figures: Figures) -> tuple[str, bool]:
    """Return a line of the table, and whether all of its targets are met."""
    p95 = [quantile(figures.ages, 0.95), quantile(figures.keys, 0.95)]
    seen: list[float | None] = [
        p95[0], *((p95[1], figures.leaving, figures.first) if not row.turns else (None,) * 3)
    ]  # fmt: skip
    cells = [row.name, f"{row.size[1]} x {row.size[0]}"]
    met = True
    for value, most in zip(seen, row.most, strict=True):
        if value is None or most is None:
            cells.append("")
            continue
        met = met and value <= most
        cells.append(f"{value:.2f} (<= {most:g})")
    cells[2] += f", p50 {quantile(figures.ages, 0.5):.2f}"
    cells += [f"{figures.start / 1000:.1f} kB", f"{figures.carried / 1000:.1f} kB/s"]
    cells.append("" if math.isnan(figures.paint) else f"{figures.paint / 1000:.1f} kB")
    return f"| {' | '.join(cells)} | {'yes' if met else '**no**'} |", met


HEADER = (
    "| line | screen | age s | key s | q s | first rows s | start | carried | a paint | met |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Measure the rows that are named, or all; return 1 if a target is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, help="which, from 1 on; default: all")
    parser.add_argument("--quick", action="store_true", help="two rows, for a short while")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    numbers = [one - 1 for one in options.rows] or list(
        QUICK if options.quick else range(len(ROWS))
    )
    seconds = 15.0 if options.quick else options.seconds
    print(HEADER, flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ltl", dir="/tmp") as name:
        os.environ |= {"XDG_RUNTIME_DIR": name, "XDG_CONFIG_HOME": f"{name}/config"}
        os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
        feed = subprocess.Popen([sys.executable, "-c", FEED], stdin=subprocess.DEVNULL)
        try:
            for number in numbers:
                with tempfile.TemporaryDirectory(prefix="ltk", dir="/tmp") as folder:
                    line, met = report(ROWS[number], measure(ROWS[number], Path(folder), seconds))
                print(line, flush=True)
                failed += not met
        finally:
            feed.kill()
            feed.wait()
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
