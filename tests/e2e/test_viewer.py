"""Real feeds and real viewers in real pseudo-terminals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from livetable.feed.local import claims, directory
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for, without_hints

View = Callable[..., Terminal]
Start = Callable[..., subprocess.Popen[str]]

COUNTER = """
import itertools, sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher({name!r}, key="id")
for n in itertools.count(1):
    orders.send(pd.DataFrame({{"id": [f"row{{i:03}}" for i in range(100)], "n": n, "half": n / 2}}))
    time.sleep({seconds})
"""


@pytest.fixture
def view(runtime_folder: Path) -> Iterator[View]:
    """Start viewers; end them afterwards."""
    started: list[Terminal] = []

    def start(*command: str, **more: object) -> Terminal:
        terminal = Terminal(*command, folder=runtime_folder, **more)  # type: ignore[arg-type]
        started.append(terminal)
        return terminal

    yield start
    for terminal in started:
        terminal.kill()


@pytest.fixture
def start(runtime_folder: Path) -> Iterator[Start]:
    """Start other processes; end them afterwards."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command_line(command),
            env=environment_for(runtime_folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def counter(start: Start) -> Callable[..., subprocess.Popen[str]]:
    """Start a script of a user's own that counts in a table."""

    def run(seconds: float = 0.05, name: str = "orders") -> subprocess.Popen[str]:
        process = start(sys.executable, "-c", COUNTER.format(name=name, seconds=seconds))
        wait_for(lambda: directory.find(name), 20, "the feed")
        return process

    return run


def number(terminal: Terminal, row: str = "row000") -> int:
    """Return what the counter's row shows."""
    found = re.search(rf"{row}\s+(\d+)", terminal.text)
    return int(found[1]) if found else 0


def exceeds(terminal: Terminal, before: int, row: str = "row000") -> bool:
    """Tell whether the counter went on."""
    return number(terminal, row) > before


def marks(terminal: Terminal, line: int) -> bool:
    """Tell whether the cursor is on a line, and there only."""
    backgrounds = [terminal.cell(at, 9).bg for at in range(2, 8)]
    return [at for at in range(2, 8) if backgrounds.count(backgrounds[at - 2]) == 1] == [line]


def test_the_demo_shows_live_processes(view: View) -> None:
    terminal = view("livetable", "--demo", size=(50, 200))
    terminal.wait_for("● live")
    terminal.wait_for("cpu %")
    terminal.wait_for(str(terminal.pid))
    terminal.wait_for("q Quit")  # the footer is painted after the table
    terminal.wait_for("? Help")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


_COLOURS = re.compile(rb"\x1b\[[\d;]*?\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[\d;]*)?m")


def test_without_colour_and_in_sixteen(view: View, counter: Callable[..., object]) -> None:
    counter()
    plain = view("livetable", "orders", environment={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    few = view("livetable", "orders", environment={"TERM": "xterm"})
    for terminal in (plain, few):
        terminal.wait_for("row000")
        terminal.send("jx")
        before = number(terminal)
        terminal.wait_for(partial(exceeds, terminal, before))
    assert not _COLOURS.search(plain.raw)
    wait_for(lambda: plain.cell(3, 9).italics, 20, "the picked row")
    assert plain.cell(0, 2).reverse  # the name
    assert _COLOURS.search(few.raw)
    assert not re.search(rb"[34]8;[25];", few.raw)
    few.send("j")  # a row is picked on the way down

    wait_for(lambda: few.cell(5, 2).reverse and not few.cell(4, 2).reverse, 20, "the cursor's row")
    assert few.cell(3, 2).bg == "magenta"


def test_what_is_typed_before_it_is_there_is_not_lost(
    view: View, counter: Callable[..., object]
) -> None:
    counter(seconds=3600)
    terminal = view("livetable", "orders")
    terminal.send("fid >= 'row0977\x7f'\r-")  # the first column is hidden then
    terminal.wait_for("3 of 100 rows")
    terminal.wait_for("(1 hidden)")


def test_a_late_viewer_sees_the_table_at_once(view: View, counter: Callable[..., object]) -> None:
    counter(seconds=3600)
    terminal = view("livetable", "orders")
    terminal.wait_for("q Quit")
    began = time.monotonic()
    terminal.wait_for("row000")
    assert "● live" in terminal.text
    # The promise is 0.3 s after the first paint; what is asserted leaves room for a busy machine.
    assert time.monotonic() - began < 5


def test_three_viewers_each_with_its_own_cursor(view: View, counter: Callable[..., object]) -> None:
    counter()
    terminals = [view("livetable", "orders") for _ in range(3)]
    for moves, terminal in enumerate(terminals):
        terminal.wait_for("row000")
        terminal.send("j" * moves)
    for moves, terminal in enumerate(terminals):
        before = number(terminal)
        terminal.wait_for(partial(exceeds, terminal, before))
        terminal.wait_for(partial(marks, terminal, 2 + moves))


def test_a_killed_feed_is_gone_and_its_successor_goes_on(
    view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    feed = counter()
    terminal = view("livetable", "orders")
    terminal.wait_for("row000")
    terminal.send("\x1b[6~" * 2 + "jjj")  # two pages and three rows down
    top = "row040"
    terminal.wait_for(lambda: terminal.lines[2].split()[:1] == [top] and marks(terminal, 5))
    live = terminal.cell(5, 1).fg
    feed.kill()
    began = time.monotonic()
    terminal.wait_for("✕ gone")
    assert time.monotonic() - began < 3.5
    terminal.wait_for(lambda: " s ago" in terminal.text)
    assert terminal.lines[2].split()[0] == top
    terminal.wait_for(lambda: terminal.cell(5, 1).fg != live)  # the data dims
    counter()
    terminal.wait_for("● live")
    terminal.wait_for(lambda: number(terminal, top) > 0)
    assert terminal.lines[2].split()[0] == top
    terminal.wait_for(lambda: terminal.cell(5, 1).fg == live)


def test_a_stopped_viewer_costs_the_feed_nothing_and_then_shows_the_newest(
    view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    feed = counter(seconds=0.002)
    terminal = view("livetable", "orders")
    terminal.wait_for(lambda: number(terminal) > 100)
    memory = psutil.Process(feed.pid).memory_info().rss
    os.kill(terminal.pid, signal.SIGSTOP)
    stopped_at = number(terminal)
    time.sleep(5)  # the load is the point: this is how long it lasts
    grown = psutil.Process(feed.pid).memory_info().rss - memory
    assert grown < 20e6
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for(lambda: number(terminal) > stopped_at)
    terminal.wait_for(lambda: number(terminal) > stopped_at + 500, 10)
    assert "skipped" in terminal.text


@pytest.mark.parametrize("by_key", [True, False])
def test_the_whole_screen_is_back_after_fg(
    view: View, counter: Callable[..., subprocess.Popen[str]], by_key: bool
) -> None:
    counter(seconds=0.2)
    shell = view("bash", "--norc", "-i", environment={"PS1": "$ "})
    shell.wait_for("$")
    shell.send(f"exec 2>&1; {' '.join(command_line(['livetable', 'orders']))}\r")
    shell.wait_for("q Quit")
    viewer = psutil.Process(shell.pid).children()[0]
    for _ in range(2):
        if by_key:
            shell.send("\x1a")
        else:
            viewer.send_signal(signal.SIGSTOP)
        shell.wait_for("Stopped")
        shell.send("\x15clear\r")  # who was stopped from outside could not wait for its answers
        shell.wait_for(lambda: "row" not in shell.text and "Stopped" not in shell.text)
        shell.send("\x15fg\r")
        shell.wait_for(lambda: all(f"row{at:03}" in shell.text for at in range(20)))
        shell.wait_for("q Quit")
        shell.wait_for("● live")
    assert shell.lines[1].split() == ["id", "n", "half"]
    begun = sum(viewer.cpu_times()[:2])
    time.sleep(2)  # an input thread that finds news without end would use all of it
    assert sum(viewer.cpu_times()[:2]) - begun < 1
    shell.send("G")
    shell.wait_for("row099")
    shell.send("q")
    shell.wait_for(lambda: not viewer.is_running() or viewer.status() == psutil.STATUS_ZOMBIE)


def test_ctrl_z_where_no_shell_waits_stops_nothing(
    view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    counter(seconds=0.05)
    terminal = view("livetable", "orders", size=(24, 100))  # as `ssh -t` and tmux start it
    terminal.wait_for("● live")
    terminal.send("\x1a")
    terminal.wait_for("Can't suspend: no shell to return to")
    os.kill(terminal.pid, signal.SIGTSTP)
    before = number(terminal)
    terminal.wait_for(lambda: number(terminal) > before + 20)
    assert psutil.Process(terminal.pid).status() != psutil.STATUS_STOPPED
    terminal.send("q")
    assert terminal.wait_for_end() == 0


@pytest.mark.parametrize("late", [0.0, 0.4])
def test_ctrl_z_stops_also_who_started_it_for_the_shell(
    late: float, view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    counter(seconds=0.05)
    shell = view("bash", "--norc", "-i", environment={"PS1": "$ "}, late=late)
    shell.wait_for("$")
    words = " ".join(command_line(["livetable", "orders"]))
    shell.send(f"sh -c '{words}; echo it ended'\r")
    shell.wait_for("● live")
    shell.send("\x1a")
    shell.wait_for("Stopped")
    assert "^[" not in shell.text  # an answer to the viewer that came too late for it
    shell.send("fg\r")
    shell.send("q")
    shell.wait_for("it ended")


def test_the_list_of_tables_follows_feeds(
    view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    terminal = view("livetable", size=(24, 120))
    terminal.wait_for('Publisher("orders").send(df)')
    first = counter(name="first")
    terminal.wait_for("first")
    counter(name="second")
    terminal.wait_for("2 live tables")
    first.kill()
    first.wait()
    claims.claim("first").release()
    terminal.wait_for("1 live table")
    terminal.send("\r")
    terminal.wait_for("row000")
    terminal.send("\x1b")
    terminal.wait_for("1 live table")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_waiting_for_a_table_that_is_not_there_yet(
    view: View, counter: Callable[..., object]
) -> None:
    terminal = view("livetable", "orders")
    terminal.wait_for("waiting for a table 'orders'")
    counter()
    terminal.wait_for("row000")
    terminal.wait_for("● live")


def test_over_tcp(view: View, start: Start) -> None:
    start("livetable-feed", "demo", "--bind", "tcp://127.0.0.1:54117", "--rows", "50")
    terminal = view("livetable", "tcp://127.0.0.1:54117")
    terminal.wait_for("AAAA")
    terminal.wait_for("● live")
    named = view("livetable", "tcp://127.0.0.1:54117#demo")
    named.wait_for("AAAA")


OLD_PUBLISHER = """
import zmq, time, random
import numpy as np, pandas as pd
context = zmq.Context()
socket = context.socket(zmq.PUB)
socket.bind("tcp://*:{port}")
while True:
    df = pd.DataFrame(data=np.random.normal(0, 1, [2, 3]))
    socket.send_pyobj(df)
    time.sleep({seconds})
"""


def test_the_old_publisher_unchanged(view: View, start: Start) -> None:
    start(sys.executable, "-c", OLD_PUBLISHER.format(port=54118, seconds=0.2))
    refused = view("livetable", "tcp://localhost:54118", size=(24, 160))
    refused.wait_for("--pickle to accept DataFrames")
    admitted = view("livetable", "tcp://localhost:54118", "--pickle")
    admitted.wait_for("2 × 3")
    first = admitted.lines[2]
    admitted.wait_for(lambda: admitted.lines[2] != first)
    for terminal in (refused, admitted):
        terminal.send("q")
        assert terminal.wait_for_end() == 0


EVIL_PUBLISHER = """
import os, pickle, time, zmq
import pandas as pd
class Evil:
    def __reduce__(self):
        return (os.system, ("touch {target}",))
socket = zmq.Context().socket(zmq.PUB)
socket.bind("tcp://127.0.0.1:{port}")
while True:
    socket.send(pickle.dumps(pd.DataFrame({{"good": [1]}})))
    time.sleep(0.1)
    socket.send_pyobj(Evil())
    time.sleep(0.1)
"""


def test_an_evil_pickle_is_refused_and_the_viewer_lives(
    view: View, start: Start, tmp_path: Path
) -> None:
    target = tmp_path / "proof"
    start(sys.executable, "-c", EVIL_PUBLISHER.format(port=54119, target=target))
    terminal = view("livetable", "tcp://127.0.0.1:54119", "--pickle", size=(24, 160))
    terminal.wait_for("good")
    terminal.wait_for(lambda: "system'" in terminal.text and "nothing was run" in terminal.text)
    assert not target.exists()
    assert "good" in terminal.text
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    assert not target.exists()


@pytest.mark.parametrize("how", ["q", "\x03", signal.SIGTERM, signal.SIGHUP, "feed killed"])
def test_leaving_leaves_the_terminal_as_it_was(
    view: View, counter: Callable[..., subprocess.Popen[str]], how: object, runtime_folder: Path
) -> None:
    feed = counter()
    terminal = view("livetable", "orders")
    terminal.wait_for("row000")
    if how == "feed killed":
        feed.kill()
        terminal.wait_for("✕ gone")
        terminal.send("q")
    elif isinstance(how, str):
        terminal.send(how)
    else:
        assert isinstance(how, signal.Signals)
        os.kill(terminal.pid, how)
    code = terminal.wait_for_end()
    expected = {"q": 0, "\x03": 130, "feed killed": 0}
    assert code == (expected[how] if isinstance(how, str) else 128 + int(how))
    wait_for(lambda: terminal.raw.rstrip().endswith((b"\x1b[?1004l",)) or b"?1049l" in terminal.raw)
    after = termios.tcgetattr(terminal.fd)
    assert after == terminal.attributes
    for on, off in ((b"?1049h", b"?1049l"), (b"?25l", b"?25h"), (b"?1003h", b"?1003l")):
        assert terminal.raw.rfind(off) > terminal.raw.rfind(on)


def test_the_demos_feed_ends_with_the_viewer(view: View, runtime_folder: Path) -> None:
    terminal = view("livetable", "--demo")
    terminal.wait_for("● live")
    (child,) = [
        process
        for process in psutil.Process(terminal.pid).children()
        if "livetable.feed" in process.cmdline()
    ]
    terminal.kill()  # the viewer can't clean up
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


HOSTILE = """
import time
import pandas as pd
from livetable.feed import Publisher
evil = "\\x1b]0;owned\\x07\\x1b[2J\\x1b]52;c;aGk=\\x07\\x9b5n[/x][bold]a\\u202eb\\nc"
table = Publisher("evil table [x]", key=None)
frame = pd.DataFrame(
    {{evil: [evil, "中文", "שלום", "👩‍💻"], "n": [1, 2, 3, 4]}},
    index=[evil, "b", "c", "d"],
)
while True:
    table.send(frame)
    time.sleep(0.1)
""".replace("{{", "{").replace("}}", "}")


def test_hostile_text_stays_text(view: View, start: Start) -> None:
    start(sys.executable, "-c", HOSTILE)
    wait_for(directory.entries)
    terminal = view("livetable", size=(24, 160))
    terminal.wait_for("evil table [x]")
    terminal.send("\r")
    terminal.wait_for(lambda: "中文" in terminal.text.replace(" ", ""))
    terminal.wait_for("␛]0;owned")

    def cells() -> list[int]:
        return [
            max(
                (x for x in range(160) if terminal.cell(2 + row, x).data == str(row + 1)),
                default=-1,
            )
            for row in range(4)
        ]

    terminal.wait_for(lambda: -1 not in cells())
    assert len(set(cells())) == 1, cells()
    for control in (b"\x1b]0;", b"\x1b]52", b"\x1b[2J\x1b]", b"\x9b5n", "\u202e".encode()):
        assert control not in terminal.raw
    assert "owned" not in terminal.screen.title + terminal.screen.icon_name


def test_keys_and_help(view: View, counter: Callable[..., object]) -> None:
    counter()
    terminal = view("livetable", "orders", size=(40, 100))
    terminal.wait_for("row000")
    terminal.send("?")
    terminal.wait_for("first, last column")
    terminal.send("\x1b")
    terminal.wait_for(lambda: "first, last column" not in terminal.text)
    terminal.send("G")
    terminal.wait_for("row099")
    terminal.send("g")
    terminal.wait_for("row000")
    terminal.send("c")
    terminal.resize(24, 80)
    terminal.wait_for(lambda: "q Quit" in terminal.lines[23])
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_a_sorted_and_filtered_table_goes_on_moving(
    view: View, counter: Callable[..., subprocess.Popen[str]]
) -> None:
    counter(seconds=0.01)
    terminal = view("livetable", "orders")
    terminal.wait_for("row000")
    terminal.send("hss")
    terminal.wait_for("sort id ↓ · live")
    terminal.wait_for("row099")
    terminal.send("f")
    terminal.wait_for("filter:")
    terminal.send("id < 'row050'\r")
    terminal.wait_for("50 of 100 rows")
    terminal.wait_for("row049")
    for _ in range(20):  # each paint is answered by the terminal; none may be the last
        before = number(terminal, "row049")
        terminal.wait_for(partial(exceeds, terminal, before + 5, "row049"))
    terminal.send("y")
    terminal.wait_for(lambda: b"\x1b]52;c;" in terminal.raw)
    terminal.send(" ")
    terminal.wait_for("‖ paused")
    terminal.send(" ")
    terminal.wait_for(lambda: "paused" not in terminal.text)
    terminal.send("/row02")
    terminal.wait_for("search: row02")
    terminal.send("\r")
    terminal.wait_for("row029")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_keys_come_from_the_terminal_when_stdin_does_not(
    view: View, counter: Callable[..., object]
) -> None:
    counter()
    python = " ".join(command_line(["livetable"]))
    terminal = view("sh", "-c", f"{python} orders < /dev/null")
    terminal.wait_for("row000")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_an_idle_feed_paints_nothing(view: View, counter: Callable[..., object]) -> None:
    counter(seconds=3600)
    terminal = view("livetable", "orders")
    terminal.wait_for("row000")
    terminal.wait_for(lambda: re.search(r" [3-9] s ago", terminal.text))
    before = len(terminal.raw)
    terminal.wait_for(" 10 s ago")
    # Only the age in the trust line moves: a line a second at the most.
    assert len(terminal.raw) - before < 8 * 800
    assert b"row000" not in terminal.raw[before:]


def run(folder: Path, *command: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command_line(command),
        env=environment_for(folder),
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        **more,
    )


def test_once(counter: Callable[..., object], runtime_folder: Path) -> None:
    counter()
    table = run(runtime_folder, "livetable", "orders", "--once")
    assert table.returncode == 0, table.stderr
    assert table.stdout.split()[:3] == ["id", "n", "half"]
    assert len(table.stdout.splitlines()) == 101
    csv = run(runtime_folder, "livetable", "orders", "--format", "csv", "--columns", "n,id")
    assert csv.stdout.startswith("n,id\n")
    words = ("--where", "id >= 'row098'", "--sort", "id:desc", "--format", "csv")
    some = run(runtime_folder, "livetable", "orders", *words)
    assert [line.split(",")[0] for line in some.stdout.splitlines()] == ["id", "row099", "row098"]
    wrong = run(runtime_folder, "livetable", "orders", "--once", "--where", "nope > 1")
    assert wrong.returncode == 1
    assert wrong.stderr == "livetable: nope > 1: No column 'nope'\n"
    listing = run(runtime_folder, "livetable")
    assert "orders" in listing.stdout


def test_errors_are_one_sentence(runtime_folder: Path) -> None:
    wrong = [
        ("livetable", "--nonsense"),
        ("livetable", "a/b"),
        ("livetable", "ftp://x"),
        ("livetable", "tcp://nowhere"),
        ("livetable", "none/x.csv"),
        ("livetable", "x", "--demo"),
        ("livetable", "x", "--timeout", "-1"),
        ("livetable", "x", "--columns", "a,,b"),
        ("livetable", "x", "--sort", "a,,b"),
        ("livetable", "x", "--format", "nonsense"),
        ("livetable-feed",),
        ("livetable-feed", "nonsense"),
        ("livetable-feed", "demo", "--hz", "0"),
        ("livetable-feed", "demo", "--rows", "-1"),
    ]
    for command in wrong:
        done = run(runtime_folder, *command)
        assert done.returncode == 2, command
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith(command[0] + ": ")
    late = run(runtime_folder, "livetable", "orders", "--timeout", "0.2")
    assert (late.returncode, late.stdout) == (1, "")
    assert late.stderr == "livetable: No table 'orders'. No table is live on this machine\n"
    late = run(runtime_folder, "livetable", "/tmp/nothing-here.csv")
    assert (late.returncode, late.stdout) == (1, "")
    assert late.stderr == "livetable: /tmp/nothing-here.csv: No such file or directory\n"


def test_giving_up_on_screen(view: View) -> None:
    terminal = view("livetable", "orders", "--timeout", "0.5")
    assert terminal.wait_for_end() == 1
    assert b"No table 'orders'. " in terminal.raw


def test_versions_and_help(runtime_folder: Path) -> None:
    for command in ("livetable", "livetable-feed"):
        assert run(runtime_folder, command, "--version").stdout.startswith(f"{command} ")
        assert "Example" in run(runtime_folder, command, "--help").stdout or command == "livetable"


def test_a_reader_that_has_seen_enough(
    counter: Callable[..., object], runtime_folder: Path
) -> None:
    counter()
    python = " ".join(command_line(["livetable"]))
    done = run(runtime_folder, "sh", "-c", f"{python} orders --once | head -1")
    assert (done.stdout.split()[0], without_hints(done.stderr)) == ("id", "")


BROKEN = """
from livetable.tui.pane.marks import Marks
from livetable.tui.cli.main import main

def action_mark(self):
    raise ValueError("a [b] fault")

Marks.action_mark = action_mark
raise SystemExit(main(["orders"]))
"""


def test_a_fault_leaves_one_sentence_and_the_terminal_as_it_was(
    view: View, counter: Callable[..., object]
) -> None:
    counter()
    terminal = view(sys.executable, "-c", BROKEN, size=(24, 160))  # the file's name in one line
    terminal.wait_for("row000")
    terminal.send("m")
    assert terminal.wait_for_end() == 1
    text = "".join(terminal.text.split())  # it begins where the screen's cursor was, and wraps
    found = re.search(r"livetablecrashed:ValueError:a\[b\]fault\.Tracebacksavedto(\S+?\.txt)", text)
    assert found, text
    assert "Traceback(" not in text
    kept = Path(found[1])
    assert "action_mark" in kept.read_text()
    kept.unlink()
    assert termios.tcgetattr(terminal.fd) == terminal.attributes


LISTED = """
import atexit, sys
from pathlib import Path
out, sys.argv[1:] = Path(sys.argv[1]), ["orders"]
atexit.register(lambda: out.write_text(" ".join(sys.modules)))
from livetable.tui.cli.main import main
sys.exit(main())
"""


def test_what_takes_long_to_load_is_not_needed_for_the_first_rows(
    view: View, counter: Callable[..., object], tmp_path: Path
) -> None:
    counter()
    out = tmp_path / "modules"
    terminal = view(sys.executable, "-c", LISTED, str(out))
    terminal.wait_for("row010")
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    loaded = set(out.read_text().split())
    assert "pyarrow.lib" in loaded
    assert not loaded & {"pandas", "pyarrow.compute", "livetable.tui.query.arrange", "zoneinfo"}


def test_a_files_view_is_remembered_by_its_path(view: View, tmp_path: Path) -> None:
    for folder, rows in (("A", "alpha,1\nbeta,2\n"), ("B", "gamma,1\ndelta,2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "results.csv").write_text(f"name,val\n{rows}")
    first = view("livetable", str(tmp_path / "A/results.csv"))
    first.wait_for("beta")
    first.send("fval > 1\r")
    first.wait_for(lambda: "alpha" not in first.table and "1 of 2 rows" in first.text)
    first.send("q")
    assert first.wait_for_end() == 0
    other = view("livetable", str(tmp_path / "B/results.csv"))
    other.wait_for("delta")
    assert "gamma" in other.text
    assert "filter" not in other.lines[1]
    again = view("livetable", str(tmp_path / "A/../A/results.csv"), size=(24, 120))
    again.wait_for("Remembered view: 1 filter. Press V to clear.")
    assert "alpha" not in again.table
    again.send("V")
    again.wait_for("alpha")


@pytest.mark.parametrize("more", [(), ("--once",), ("--follow",), ("--format", "json")])
def test_a_where_that_can_not_be_applied_shows_no_row(
    view: View, tmp_path: Path, more: tuple[str, ...]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,created\nalpha,2026-01-01\nbeta,2027-01-01\n")
    terminal = view(
        "livetable", str(path), "--where", "created > 2026-11-27", *more, size=(24, 150)
    )
    assert terminal.wait_for_end() == 1
    assert "put the date in quotes, created > '2026-11-27'" in terminal.text
    assert b"alpha" not in terminal.raw
