"""Tapes with real processes: recorded with and without a screen, killed, played, sent again."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from livetable.feed.local import directory
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.reader import TapeReader
from tests.e2e.test_viewer import Start, View, counter, start, view
from tests.terminal import command_line, environment_for
from tests.waiting import wait_for

__all__ = ["counter", "start", "view"]  # fixtures
Counter = Callable[..., subprocess.Popen[str]]


def frames_in(path: Path) -> int:
    try:
        reader = TapeReader(path)
    except BadTape:
        return 0
    try:
        return len(reader)
    finally:
        reader.close()


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(command), env=environment_for(folder), capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_recording_without_a_screen_that_is_killed(
    start: Start, counter: Counter, view: View, runtime_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.tape"
    counter()
    recorder = start("livetable", "orders", "--record", str(path), "--headless")
    wait_for(lambda: frames_in(path) > 5)
    recorder.kill()  # in the middle of anything
    recorder.wait()
    count = frames_in(path)
    assert count > 5
    first = rows(run(runtime_folder, "livetable", str(path), "--at=-600", "--once").stdout)
    assert first == []  # the tape does not reach back so far
    done = run(runtime_folder, "livetable", str(path), "--format", "csv")
    assert done.returncode == 0
    table = rows(done.stdout)
    assert len(table) == 100
    assert float(table[0]["half"]) == int(table[0]["n"]) / 2
    terminal = view("livetable", str(path))
    terminal.wait_for("row000")
    terminal.wait_for("tape  ×1")
    terminal.send("\x1b[H")
    terminal.wait_for(lambda: "‖ tape" in terminal.text)  # it came to its end
    terminal.wait_for(f"frame {count} of {count}")
    assert re.search(rf" {table[0]['n']}\b", terminal.lines[2])
    terminal.send(",,")
    terminal.wait_for(f"frame {count - 2} of {count}")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_a_recording_on_the_screen_ends_with_it(
    counter: Counter, view: View, runtime_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.tape"
    counter()
    terminal = view("livetable", "orders", "--record", str(path), size=(24, 100))
    terminal.wait_for("● rec ")
    wait_for(lambda: frames_in(path) > 3)
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    assert path.read_bytes().endswith(b"LTTAPE1\n")  # ended in order, with its index
    done = run(runtime_folder, "livetable", str(path), "--record", str(tmp_path / "x.tape"))
    assert done.returncode == 2
    done = run(runtime_folder, "livetable", "orders", "--record", str(path), "--headless")
    assert (done.returncode, done.stdout) == (2, "")
    assert "already exists: choose another name" in done.stderr


def test_a_recording_is_interrupted(start: Start, counter: Counter, tmp_path: Path) -> None:
    path = tmp_path / "day.tape"
    counter()
    recorder = start(
        "livetable", "orders", "--record", str(path), "--headless", "--rotate", "1GB|1h",
        "--keep", "3",
    )  # fmt: skip
    wait_for(lambda: frames_in(path) > 1)
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(10) == 130
    assert path.read_bytes().endswith(b"LTTAPE1\n")


def test_a_tape_is_published_again(
    start: Start, counter: Counter, view: View, runtime_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.tape"
    feed = counter()
    recorder = start("livetable", "orders", "--record", str(path), "--headless")
    wait_for(lambda: frames_in(path) > 5)
    recorder.terminate()
    assert recorder.wait(10) == 0
    feed.kill()
    feed.wait()
    last = rows(run(runtime_folder, "livetable", str(path), "--format", "csv").stdout)
    start("livetable-feed", "replay", str(path), "--speed", "100")
    wait_for(lambda: directory.find("orders"))
    terminal = view("livetable", "orders")
    terminal.wait_for("■ ended")
    assert re.search(rf" {last[0]['n']}\b", terminal.lines[2])
    assert terminal.lines[1].split()[:2] == ["id", "n"]  # it has its key, too


def test_every_change_of_one_row(
    start: Start, counter: Counter, runtime_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "day.tape"
    counter()
    recorder = start("livetable", "orders", "--record", str(path), "--headless")
    wait_for(lambda: frames_in(path) > 5)
    recorder.terminate()
    recorder.wait(10)
    done = run(runtime_folder, "livetable", str(path), "--changes-of", "row007", "--format", "csv")
    assert done.returncode == 0
    found = rows(done.stdout)
    assert len(found) == frames_in(path)
    assert list(found[0]) == ["time", "id", "n", "half"]
    assert {row["id"] for row in found} == {"row007"}
    counts = [int(row["n"]) for row in found]
    assert counts == sorted(set(counts))
    done = run(runtime_folder, "livetable", str(path), "--changes-of", "nobody")
    assert done.returncode == 1
    assert "No row 'nobody'" in done.stderr


def test_wrong_calls(runtime_folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tape"
    bad.write_text("hello")
    for command, sentence in {
        ("livetable", str(bad)): "is not a tape",
        ("livetable", str(tmp_path / "none.tape")): "No such file",
        ("livetable", "orders", "--headless"): "--headless needs --record FILE",
        ("livetable", "orders", "--keep", "3"): "--keep needs --record FILE",
        ("livetable", "orders", "--at", "14:03"): "--at only works with a tape",
        ("livetable", "orders", "--changes-of", "x"): "--changes-of only works with a tape",
        ("livetable", "--record", "x.tape"): "--record needs one live table",
        ("livetable", "a", "b", "--record", "x.tape"): "--record needs one live table",
        ("livetable", "a", "--record", "x.csv"): "the file name must end in .tape",
        ("livetable", "a", "--record", f"{tmp_path}/x.tape"): "Add --headless",
        ("livetable", "a", "--record", "/none/x.tape", "--headless"): "no folder /none",
        ("livetable", "a", "--record", f"{tmp_path}/x.tape", "--rotate", "x"): "--rotate 'x'",
        ("livetable-feed", "replay"): "replay needs a tape",
        ("livetable-feed", "demo", "x.tape"): "replay needs a tape",
        ("livetable-feed", "replay", str(bad)): "is not a tape",
    }.items():
        done = run(runtime_folder, *command)
        assert done.returncode in (1, 2), command
        assert sentence in done.stderr, (command, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
