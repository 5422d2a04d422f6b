"""A view that is not live and whole says so, in colour and without."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livetable.feed.local import directory
from livetable.feed.protocol.names import MAX_NAME
from tests.terminal import Terminal, environment_for
from tests.waiting import killed_after, wait_for

FEED = """
import sys
import pandas as pd
from livetable.feed import Publisher
orders = Publisher(sys.argv[1], key="id")
frame = pd.DataFrame({"id": [f"row{i:03}" for i in range(100)], "n": 0, "half": 0.5})
for line in sys.stdin:
    frame["n"] += 1
    orders.send(frame)
"""

TERMINALS = {
    "colours": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "16 colours": {"TERM": "xterm"},
    "no colours": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}

Feed = subprocess.Popen[str]


@pytest.fixture(params=["orders", "as long as a name may be ".ljust(MAX_NAME, "x")])
def name(request: pytest.FixtureRequest) -> str:
    """Return a table's name."""
    assert isinstance(request.param, str)
    return request.param


@pytest.fixture
def feed(name: str, runtime_folder: Path) -> Iterator[Feed]:
    """Start a feed that sends a frame for each line that it is given."""
    command = [sys.executable, "-c", FEED, name]
    environment = environment_for(runtime_folder)
    started = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, text=True)
    with killed_after(started) as process:
        wait_for(lambda: directory.find(name), 20, "the feed")
        send(process)
        yield process


def send(feed: Feed) -> None:
    """Have a frame sent."""
    assert feed.stdin is not None
    feed.stdin.write("\n")
    feed.stdin.flush()


def look_of(terminal: Terminal, text: str) -> bytes:
    """Return the colours and attributes that a text was last painted with."""
    look: dict[bytes, bytes] = {}
    last = b""
    for codes, run in re.findall(rb"(?:\x1b\[([\d;]*)m)?([^\x1b]*)", bytes(terminal.raw)):
        _turn(look, codes.split(b";") if codes else [])
        if text.encode() in run:
            last = b";".join(look[name] for name in sorted(look))
    return last


def _turn(look: dict[bytes, bytes], codes: list[bytes]) -> None:
    """Change a look as a terminal does: what is on, by what ends it."""
    ends = {b"1": b"22", b"2": b"22", b"3": b"23", b"4": b"24", b"7": b"27", b"9": b"29"}
    while codes:
        code = codes.pop(0)
        if code == b"0":
            look.clear()
        elif code in (b"38", b"48"):
            count = 4 if codes[0] == b"2" else 2
            look[b"39" if code == b"38" else b"49"] = b";".join([code, *codes[:count]])
            del codes[:count]
        elif code in ends:
            look[ends[code]] = look.get(ends[code], b"") + code
        elif code in (b"39", b"49", *ends.values()):
            look.pop(code, None)
        else:
            look[b"39" if code[:-1] in (b"3", b"9") else b"49"] = code


@pytest.mark.parametrize("colours", TERMINALS)
def test_what_is_not_live_says_so(
    colours: str, name: str, feed: Feed, runtime_folder: Path
) -> None:
    words = ("● live", "◌ stale", "‖ paused", "◀ rewound", "✕ gone", "✕ feed gone")

    def says(terminal: Terminal, *wanted: str) -> None:
        terminal.wait_for(lambda: all(word in terminal.lines[0] for word in wanted))
        others = [word for word in words if word not in wanted and word in terminal.lines[0]]
        assert others == [], terminal.lines[0]

    with Terminal(
        "livetable", name, "--stale-after", "2", folder=runtime_folder,
        environment=TERMINALS[colours],
    ) as terminal:  # fmt: skip
        says(terminal, "● live")
        terminal.wait_for("row003")  # the last row that is looked at
        live = look_of(terminal, "row003")
        says(terminal, "◌ stale")
        terminal.wait_for(lambda: look_of(terminal, "row003") != live)
        send(feed)
        says(terminal, "● live")
        terminal.wait_for(lambda: look_of(terminal, "row003") == live)
        terminal.send(" ")
        says(terminal, "‖ paused")
        terminal.send(",")
        says(terminal, "◀ rewound")
        terminal.send("\x1b")
        send(feed)
        says(terminal, "● live")
        feed.send_signal(signal.SIGKILL)
        says(terminal, "✕ gone")
        terminal.wait_for(lambda: look_of(terminal, "row003") != live)
        terminal.send(" ")
        says(terminal, "‖ paused", "✕ feed gone")


@pytest.mark.parametrize("name", ["orders"], indirect=True)
def test_what_is_not_whole_says_so(name: str, feed: Feed, runtime_folder: Path) -> None:
    with Terminal("livetable", name, folder=runtime_folder) as terminal:
        terminal.wait_for("row000")
        terminal.send("fid >= 'row097'\r")
        terminal.wait_for("3 of 100 rows")
        terminal.send("l-")
        terminal.wait_for("(1 hidden)")
        terminal.send("s")
        terminal.wait_for("sort")
        assert "3 of 100 rows" in terminal.text
