"""How commands in scripts end: in bounded time, with a reason and a code, never a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from livetable.feed import Publisher
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter
from livetable.tui.batch.read_loop import NoTable, Reading
from livetable.tui.workers.feed_process import FeedProcess
from tests.feed.tape.tapes import body, header
from tests.terminal import Terminal, environment_for
from tests.waiting import killed_after, wait_for, without_hints

COMMANDS = f"""
livetable() {{ {sys.executable} -m livetable.tui "$@"; }}
livetable_feed() {{ {sys.executable} -m livetable.feed "$@"; }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "letters.jsonl").write_text('{"a": "Ж"}\n')
    (tmp_path / "bad.json").write_text('{"a":')
    (tmp_path / "bad.parquet").write_text("no parquet")
    (tmp_path / "bad.feather").write_text("no feather")
    (tmp_path / "list.json").write_text("17")
    return tmp_path


def shell(folder: Path, runtime_folder: Path, script: str, **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["bash", "-c", COMMANDS + script], cwd=folder, env=environment_for(runtime_folder, more),
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    errors = without_hints(done.stderr.decode())
    assert "Traceback" not in errors
    assert ".viewer-" not in errors
    return done.returncode, done.stdout.decode(), errors


NOBODY = "h" * 64  # no name of a host is so long: nobody need be asked

CANT = {
    # Nothing that waiting brings: 1, each with its reason.
    "livetable --once -- false": (1, "false ended with 1 and printed nothing"),
    "livetable --once -- sh -c 'echo why >&2; exit 3'": (1, "sh ended with 3: why"),
    "livetable --once -- sh -c 'kill -9 $$'": (1, "sh was ended by signal 9"),
    "livetable bad.json --once": (1, "bad.json: is not JSON: line 1, column 6"),
    "livetable bad.parquet --once": (1, "bad.parquet: is half written, or is not parquet"),
    "livetable bad.parquet --follow": (1, "bad.parquet: is half written"),
    "livetable bad.feather --headless --alert 'x > 1'": (1, "bad.feather: is half written"),
    "livetable bad.parquet --until 'x > 1'": (1, "bad.parquet: is half written"),
    "livetable list.json --once": (1, "list.json: "),
    "livetable t.csv --once --key nope": (1, "no column 'nope'; columns: 'a', 'b'"),
    "livetable --once --key nope < t.csv": (1, "no column 'nope'; columns: 'a', 'b'"),
    "livetable --once --key nope -- cat t.csv": (1, "no column 'nope'; columns: 'a', 'b'"),
    "printf '' | livetable --once": (1, "standard input ended without a row"),
    "livetable - --once <&-": (1, "standard input ended without a row"),
    "printf '' | livetable_feed -": (1, "standard input ended without a row"),
    "livetable_feed - <&-": (1, "standard input ended without a row"),
    "livetable tcp://127.0.0.1:9 --pull --once --timeout 1": (1, "No frame from tcp://127.0.0.1:9"),
    "livetable http://127.0.0.1:0 --once --timeout 1": (1, "No table at http://127.0.0.1:0 in"),
    "livetable t.csv --once --timeout 0.001": (1, "No rows of t.csv within 0.001 s"),
    # Hosts that nobody knows.
    f"livetable tcp://{NOBODY}:5411 --once": (1, f"unknown host '{NOBODY}'"),
    f"livetable tcp://{NOBODY}:5411 --list": (1, f"unknown host '{NOBODY}'"),
    f"livetable tcp://{NOBODY}:5411#x --follow": (1, f"unknown host '{NOBODY}'"),
    f"livetable nats://me:secret@{NOBODY} --once": (1, f"check the name in nats://{NOBODY}\n"),
    f"livetable redis://{NOBODY}#x --once": (1, f"unknown host '{NOBODY}'"),
    f"livetable_feed tcp://{NOBODY}:5411": (1, f"unknown host '{NOBODY}'"),
    f"livetable_feed demo --bind tcp://{NOBODY}:5411": (1, f"unknown host '{NOBODY}'"),
    "livetable ssh://there --once": (2, "Run livetable there: ssh -t there livetable"),
    # The way out.
    "livetable t.csv --once > /dev/full": (1, "can't write the output: No space left"),
    "livetable t.csv --once --format parquet > /dev/full": (
        1,
        "can't write the output: No space left",
    ),
    "livetable t.csv --follow > /dev/full": (1, "can't write the output: No space left"),
    "livetable --list > /dev/full": (1, "can't write the output: No space left"),
    "livetable --help > /dev/full": (1, "can't write the output: No space left"),
    "livetable_feed --help > /dev/full": (1, "can't write the output: No space left"),
    "livetable --version > /dev/full": (1, "can't write the output: No space left"),
    "livetable t.csv --once >&-": (1, "the output is closed"),
    "livetable t.csv --once --format arrow >&-": (1, "the output is closed"),
    "livetable t.csv --follow >&-": (1, "the output is closed"),
    "livetable --list >&-": (1, "the output is closed"),
    "livetable t.csv --headless --alert 'a > 0' >&-": (1, "the output is closed"),
    "livetable t.csv --headless --alert 'a > 0' > /dev/full": (1, "No space left"),
    "PYTHONIOENCODING=latin-1 livetable letters.jsonl --once --format csv": (
        1,
        "latin-1 can't write",
    ),
    "PYTHONIOENCODING=ascii livetable letters.jsonl --follow": (1, "ascii can't write"),
    "livetable t.csv --headless --record /proc/x.tape": (1, "recording stopped"),
}


# A process or two each: all of them in `make test-long`, every second one in each run.
SOME = [
    one if at % 2 == 0 else pytest.param(one, marks=pytest.mark.long) for at, one in enumerate(CANT)
]


@pytest.mark.parametrize("script", SOME)
def test_what_waiting_cant_cure_ends_it(script: str, folder: Path, runtime_folder: Path) -> None:
    code, says = CANT[script]
    ended, _, errors = shell(folder, runtime_folder, script)
    assert (ended, says in errors) == (code, True), errors


@pytest.mark.parametrize(
    "script",
    [
        "livetable t.csv --once <&-",
        "livetable t.csv --once 2>&-",
        "livetable t.csv --once <&- 2>&-",
        "livetable t.csv --once 2> /dev/full",
        "LC_ALL=C livetable t.csv --once",
        "env -u HOME XDG_CONFIG_HOME=/proc/none true && unset HOME && livetable t.csv --once",
        "XDG_CONFIG_HOME=/proc/none livetable t.csv --once",
        "XDG_RUNTIME_DIR=/proc livetable t.csv --once",
        "XDG_RUNTIME_DIR=/nonexistent livetable t.csv --once",
    ],
)
def test_what_is_closed_or_missing_and_not_needed_is_no_error(
    script: str, folder: Path, runtime_folder: Path
) -> None:
    code, out, errors = shell(folder, runtime_folder, script)
    # On a busy machine it takes long enough for a word of what is waited for.
    said = [line for line in errors.splitlines() if "waiting for" not in line]
    assert (code, out.split(), said) == (0, ["a", "b", "0", "1", "2"], [])


@pytest.mark.parametrize(
    "script",
    [
        "yes 1,2 | head -n 400000 | livetable --once --format csv | head -n 1",
        "livetable --help | head -n 1",
        "livetable --list | head -n 0",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_error(
    script: str, folder: Path, runtime_folder: Path
) -> None:
    code, _, errors = shell(folder, runtime_folder, f"set -o pipefail; {script}")
    # `yes` and `head` may be ended by the closed pipe: only livetable's own word counts.
    assert errors == ""
    if not script.startswith("yes"):
        assert code == 0


def test_help_where_the_output_has_not_all_signs(folder: Path, runtime_folder: Path) -> None:
    code, out, errors = shell(folder, runtime_folder, "PYTHONIOENCODING=ascii livetable --help")
    assert (code, errors) == (0, "")
    assert "--once" in out


@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
def test_it_records_where_its_output_is_closed(
    output: str, folder: Path, runtime_folder: Path
) -> None:
    command = f"livetable t.csv --headless --record x.tape --alert 'a > 0' {output}"
    with killed_after(
        subprocess.Popen(
            ["bash", "-c", f"{COMMANDS} exec {sys.executable} -m livetable.tui "
                           f"{command.removeprefix('livetable ')}"],
            cwd=folder, env=environment_for(runtime_folder), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
    ) as process:  # fmt: skip
        path = folder / "x.tape"
        wait_for(lambda: path.exists() and path.stat().st_size > 1000)
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, b"1 frames" in errors) == (0, True), errors
    reader = TapeReader(path)
    assert len(reader) == 1
    reader.close()


WAITS = {
    "livetable nosuch --once": "waiting for table 'nosuch'",
    "livetable nosuch --follow": "waiting for table 'nosuch'",
    "livetable nosuch --headless --alert 'x > 1'": "waiting for table 'nosuch'",
    "livetable tcp://127.0.0.1:9 --once": "waiting for a feed at tcp://127.0.0.1:9",
    "livetable tcp://127.0.0.1:9#t --once": "waiting for a feed at tcp://127.0.0.1:9",
    "livetable - --once < pipe": "waiting for rows on standard input",
    "livetable empty/ --once": "no file empty/* yet: waiting for one",
    "livetable empty.parquet --once": "empty.parquet: is empty",
    "livetable empty/ --each --list": "waiting for rows of empty",
    "livetable --once -- sleep 60": "waiting for rows of sleep",
}


@pytest.mark.parametrize("command", WAITS)
def test_what_waiting_may_cure_says_what_it_waits_for(
    command: str, folder: Path, runtime_folder: Path
) -> None:
    (folder / "empty").mkdir()
    (folder / "empty.parquet").touch()
    os.mkfifo(folder / "pipe")
    writer = os.open(folder / "pipe", os.O_RDWR)  # nobody writes, and it never ends
    line = command.removeprefix("livetable ")
    try:
        with killed_after(
            subprocess.Popen(
                ["bash", "-c", f"exec {sys.executable} -m livetable.tui {line}"], cwd=folder,
                env=environment_for(runtime_folder), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        ) as process:  # fmt: skip
            assert process.stderr is not None
            lines = iter(process.stderr.readline, b"")
            said = f"livetable: {WAITS[command]}\n".encode()
            assert said in lines  # reads up to it; that it waits may be said before
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=20)
            assert (process.returncode, out) == (130, b"")
            assert b"Traceback" not in errors
    finally:
        os.close(writer)


def test_a_feed_that_stops_answering_is_told_and_waited_for(
    folder: Path, runtime_folder: Path
) -> None:
    demo = [sys.executable, "-m", "livetable.feed", "demo", "--rows", "3", "--hz", "2"]
    follow = [sys.executable, "-m", "livetable.tui", "demo", "--follow"]
    environment = environment_for(runtime_folder)
    with killed_after(
        subprocess.Popen(
            follow, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        with killed_after(subprocess.Popen(demo, env=environment, stderr=subprocess.DEVNULL)):
            assert process.stdout.readline()
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        lines = iter(process.stderr.readline, b"")
        assert b"livetable: demo stopped answering: waiting for it\n" in lines
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        drain.join(20)


def test_a_tape_whose_times_no_clock_tells_is_refused(folder: Path, runtime_folder: Path) -> None:
    writer = TapeWriter(folder / "x.tape", "orders")
    for moment in (1000.0, float("inf")):
        writer.add(moment, header(1, 1), body(1))
    writer.close()
    for script in ("livetable x.tape --once", "livetable_feed replay x.tape"):
        code, out, errors = shell(folder, runtime_folder, script)
        assert (code, out) == (1, "")
        assert "x.tape: frame 1 has the time inf" in errors


# -- a feed of the viewer's own that dies ------------------------------------------------------


def test_a_feed_that_dies_with_a_sentence_ends_the_script() -> None:
    with FeedProcess("nonsense", "x") as feed:
        reading = Reading(feed.target, 20.0)
        with pytest.raises(NoTable, match="unknown source 'nonsense'"):
            for _ in reading:
                pass


def test_a_feed_of_standard_input_that_is_killed_ends_the_script() -> None:
    end, start = os.pipe()
    with FeedProcess("-", "stdin", data=end) as feed:
        failed = threading.Event()
        feed.listen(failed.set)
        feed._process.kill()
        assert failed.wait(20)
        with pytest.raises(NoTable, match="The process that reads standard input was killed by"):
            for _ in Reading(feed.target, 20.0):
                pass
    os.close(start)


def test_a_part_of_standard_input_is_not_taken_for_the_whole(
    folder: Path, runtime_folder: Path
) -> None:
    broken = """printf '{"id": 1}\\n{"id"\\n'"""
    code, out, errors = shell(folder, runtime_folder, f"{broken} | livetable --once")
    assert (code, out.split()) == (1, ["id", "0", "1"])
    assert "1 line could not be read: line 2 is not JSON" in errors
    code, out, errors = shell(folder, runtime_folder, f"{broken} | livetable --follow")
    assert (code, out) == (1, '{"id": 1}\n')
    assert "1 line could not be read: line 2 is not JSON" in errors


def test_a_feed_that_is_killed_with_rows_in_it_ends_the_script() -> None:
    end, start = os.pipe()
    with FeedProcess("-", "stdin", data=end) as feed:
        os.write(start, b"a,b\n1,2\n")
        rows = []

        def read() -> None:
            for state in Reading(feed.target, 20.0):
                rows.append(state.table and state.table.rows)
                if state.table is not None:
                    feed._process.kill()

        with pytest.raises(NoTable, match="The process that reads standard input was killed by"):
            read()
        assert rows[-1] == 1
    os.close(start)


def test_a_failure_is_told_to_who_listens_late() -> None:
    with FeedProcess("nonsense", "x") as feed:
        failed, late = threading.Event(), threading.Event()
        feed.listen(failed.set)
        assert failed.wait(20)
        deaf = feed.listen(late.set)
        assert late.is_set()
        deaf()
        deaf()


def test_a_failure_of_any_feed_reaches_a_script(folder: Path, runtime_folder: Path) -> None:
    with Publisher("orders") as orders:
        orders.fail("nothing in it")
        code, out, errors = shell(folder, runtime_folder, "livetable orders --once")
        assert (code, out, errors) == (1, "", "livetable: nothing in it\n")
        orders.send({"a": [1]})
        code, out, errors = shell(folder, runtime_folder, "livetable orders --format csv")
        assert (code, out, errors) == (0, "a\n1\n", "")


def test_on_the_screen_a_failure_is_a_note_and_the_viewer_stays(
    folder: Path, runtime_folder: Path
) -> None:
    path = folder / "bad.parquet"
    with Terminal("livetable", str(path), folder=runtime_folder, size=(24, 120)) as terminal:
        terminal.wait_for("is half written, or is not parquet")
        pd.DataFrame({"x": [123456]}).to_parquet(path)
        terminal.wait_for(lambda: "123,456" in terminal.table or "123456" in terminal.table)
        terminal.wait_for(lambda: "half written" not in terminal.text)
        terminal.send("q")
        assert terminal.wait_for_end() == 0


SHELL = """
import os, select, subprocess, sys, termios, tty
subprocess.run([sys.executable, "-m", "livetable.tui", *sys.argv[1:]], check=True)
tty.setraw(0, termios.TCSANOW)  # a shell that edits its line; what came already is kept
print("back", flush=True)
came = b""
while not came.endswith(b"!"):
    select.select([0], [], [])
    came += os.read(0, 100)
print("came", came, end="\\r\\n", flush=True)
"""


@pytest.mark.parametrize("answered", [0, 1])
def test_an_answer_that_comes_late_does_not_reach_the_shell(
    answered: int, folder: Path, runtime_folder: Path
) -> None:
    command = (sys.executable, "-c", SHELL, str(folder / "t.csv"))
    with Terminal(*command, folder=runtime_folder, late=1.2) as shell:
        shell.wait_for("live")
        shell.wait_for(lambda: shell.answered >= answered)
        if answered:
            with open(folder / "t.csv", "a") as file:  # so that it paints, and asks
                file.write("3,4\n")
            shell.wait_for(lambda: shell.raw.count(b"\x1b[6n") > answered)
        shell.send("q")
        shell.wait_for("back")
        shell.wait_for(lambda: shell.answered == shell.raw.count(b"\x1b[6n"))
        shell.send("!")
        shell.wait_for("came b'!'")


@pytest.mark.parametrize(("late", "each"), [(0.3, 2), (2.6, 1), (2.6, 2)])
def test_no_answer_reaches_the_shell_from_a_terminal_far_off_or_odd(
    late: float, each: int, folder: Path, runtime_folder: Path
) -> None:
    command = (sys.executable, "-c", SHELL, str(folder / "t.csv"))
    with Terminal(*command, folder=runtime_folder, late=late, each=each) as shell:
        shell.wait_for("live")
        shell.wait_for(lambda: shell.answered >= 1)
        shell.send("q")
        shell.wait_for("back", 15)
        shell.wait_for(lambda: shell.answered == shell.raw.count(b"\x1b[6n"))
        shell.send("!")
        shell.wait_for("came b'!'")


def test_an_answer_that_another_program_asked_for_is_no_key(
    folder: Path, runtime_folder: Path
) -> None:
    with Terminal(
        "livetable", str(folder / "t.csv"), folder=runtime_folder, size=(24, 100)
    ) as terminal:
        terminal.wait_for("live")
        terminal.send("\x1b[?62;1;6c")  # "?" would be help
        terminal.send("i")
        terminal.wait_for("distinct")
        assert "Esc closes" not in terminal.text
        terminal.send("\x1b[?62;c\x1b[?1;2c?")
        terminal.wait_for("Esc closes")


def test_a_letter_that_comes_in_two_parts(folder: Path, runtime_folder: Path) -> None:
    # Its answers would come between the parts, which no real terminal does.
    never = {"folder": runtime_folder, "late": 1000.0}
    with Terminal("livetable", str(folder / "t.csv"), **never) as terminal:  # type: ignore[arg-type]
        terminal.wait_for("live")
        terminal.send("/")
        terminal.wait_for("search:")
        for part in "né".encode():
            os.write(terminal.fd, bytes([part]))
            time.sleep(0.05)  # so that each is read alone
        terminal.send("e")
        terminal.wait_for("née")


def test_a_terminal_that_never_answers_is_left_soon(folder: Path, runtime_folder: Path) -> None:
    with Terminal(
        "livetable", str(folder / "t.csv"), folder=runtime_folder, late=1000.0
    ) as terminal:
        terminal.wait_for("live")
        terminal.send("q")
        assert terminal.wait_for_end(8) == 0


GONE = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "livetable.tui", *sys.argv[1:]])
"""


@pytest.mark.parametrize("source", ["t.csv", "--demo"])
@pytest.mark.parametrize("how", ["signal", "line", "line, no signal"])
def test_nothing_outlives_a_line_that_is_cut(
    how: str, source: str, folder: Path, runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    command = (sys.executable, "-c", GONE) if how == "line, no signal" else ("livetable",)
    terminal = Terminal(*command, source, folder=runtime_folder)
    try:
        terminal.wait_for("● live")
        assert len(processes_in(runtime_folder)) == 2  # the viewer, and its feed
        if how == "signal":
            os.kill(terminal.pid, signal.SIGHUP)
        else:
            terminal.hang_up()
        wait_for(lambda: not processes_in(runtime_folder), 5, "the end of both")
        assert terminal.wait_for_end() == 129
    finally:
        terminal.kill()


def processes_in(folder: Path) -> list[int]:
    """Return the processes that have a runtime folder for theirs."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            if is_alive and process.environ().get("XDG_RUNTIME_DIR") == str(folder):
                found.append(process.pid)
    return found
