"""livetable.feed.base.command_line: numbers are checked, each end is one sentence."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.base import command_line as line
from livetable.feed.errors import BadName

READ: list[tuple[Callable[[str], Any], str, Any]] = [
    (line.positive, "2.5", 2.5), (line.positive, "1e-9", 1e-9), (line.pace, "0.001", 0.001),
    (line.count, "0", 0), (line.count, "100000000", 10**8), (line.from_one, "007", 7),
    (line.port, "0", 0), (line.port, "65535", 65_535), (line.every, "500ms", 0.5),
    (line.every, "2", 2.0), (line.every, "2s", 2.0), (line.every, "1m", 60.0),
    (line.every, "24h", 86_400.0), (line.separator, ";", ";"), (line.separator, "\\t", "\t"),
    (line.separator, "tab", "\t"), (line.separator, " ", " "),
    (line.encoding, "latin-1", "latin-1"), (line.encoding, "utf-16", "utf-16"),
]  # fmt: skip

WRONG: list[tuple[Callable[[str], Any], str]] = [
    (line.positive, "0"), (line.positive, "-1"), (line.positive, "nan"), (line.positive, "inf"),
    (line.positive, "1e9"), (line.positive, ""), (line.pace, "1e-4"), (line.pace, "nan"),
    (line.pace, "1e7"), (line.count, "-1"), (line.count, "1.0"), (line.count, "１"),
    (line.count, "100000001"), (line.count, "9" * 5000), (line.from_one, "0"), (line.count, "1_0"),
    (line.port, "65536"), (line.port, "-1"), (line.port, "²"), (line.port, ""),
    (line.every, "99ms"), (line.every, "25h"), (line.every, "s"), (line.every, "nan"),
    (line.every, "1d"), (line.separator, ""), (line.separator, ";;"), (line.separator, "\n"),
    (line.separator, '"'), (line.separator, "é"), (line.separator, "\0"),
    (line.encoding, "klingon"), (line.encoding, "base64"), (line.encoding, ""),
    (line.encoding, "a\0b"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "text", "value"), READ)
def test_what_is_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(("read", "text"), WRONG)
def test_what_is_refused_is_shown_and_short(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        read(text)
    assert len(str(refused.value)) < 150
    assert repr(text)[:20] in str(refused.value)


@given(st.text(max_size=12) | st.from_regex(r"[0-9.e+-]{1,12}(ms|s|m|h)?", fullmatch=True))
def test_any_text_is_a_number_in_its_bounds_or_refused(text: str) -> None:
    bounds: list[tuple[Callable[[str], float], float, float]] = [
        (line.positive, 0, 1e9), (line.pace, 1e-3, 1e6), (line.count, 0, 1e8),
        (line.from_one, 1, 1e8), (line.port, 0, 65_535), (line.every, 0.1, 86_400),
    ]  # fmt: skip
    for read, least, most in bounds:
        try:
            value = read(text)
        except argparse.ArgumentTypeError:
            continue
        assert least <= value <= most


@pytest.mark.parametrize(
    ("given_", "own", "command"),
    [
        (["a", "--", "ls", "-l"], ["a"], ["ls", "-l"]), (["a"], ["a"], None),
        (["--"], [], []), (["--", "sh", "--", "x"], [], ["sh", "--", "x"]),
    ],
)  # fmt: skip
def test_the_command_behind_the_dashes(
    given_: list[str], own: list[str], command: list[str] | None
) -> None:
    assert line.split_command(given_) == (own, command)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadName("no such name"), "no such name"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.csv"), "x.csv: No such file"),
        (FileNotFoundError(errno.ENOENT, "No such file", b"\xff.csv"), "\udcff.csv: No such file"),
        (OSError(errno.EBADF, "Bad descriptor"), "can't write: the output is closed"),
        (OSError(errno.ENOSPC, "No space left"), "can't write the output: No space left"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (OSError("only words"), "only words"),
    ],
)  # fmt: skip
def test_errors_as_sentences(error: Exception, sentence: str) -> None:
    assert line.sentence_of(error) == sentence


def test_a_sentence_shows_no_secret_no_socket_and_no_control(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line.say("livetable", "nats://ann:w0rd@h: \x1b[2J of ipc:///run/x/.viewer-7-3.sock is away")
    said = capsys.readouterr().err
    assert said == "livetable: nats://ann:***@h: ␛[2J of the viewer's own socket is away\n"
    line.say("livetable", "")
    assert capsys.readouterr().err == ""


def test_help_in_an_encoding_that_lacks_its_signs() -> None:
    code = (
        "from livetable.feed.base.command_line import Parser\n"
        "Parser(prog='p', description='a → b').parse_args(['--help'])\n"
    )
    done = ended(code, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a ? b" in done.stdout


def ended(
    code: str, *, stdout: int = subprocess.PIPE, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | more, stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=30,
    )  # fmt: skip


RUN = """
import os, sys
from livetable.feed.base.command_line import run_command, fail
from livetable.feed.errors import BadName
def act():
    {}
    return 3
sys.exit(run_command("lt", act))
"""


@pytest.mark.parametrize(
    ("act", "code", "said"),
    [
        ("print('fine')", 3, ""),
        ("raise BadName('no')", 1, "lt: no\n"),
        ("open('/no/such')", 1, "lt: /no/such: No such file or directory\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("fail('lt', 'wrong', 2)", 2, "lt: wrong\n"),
        ("print('é')", 1, "lt: the output's encoding ascii can't write '\\xe9': "
                          "set PYTHONIOENCODING=utf-8\n"),
    ],
)  # fmt: skip
def test_each_end_of_a_command(act: str, code: int, said: str) -> None:
    done = ended(RUN.format(act), PYTHONIOENCODING="ascii:strict")
    assert (done.returncode, done.stderr) == (code, said)


def test_what_nobody_thought_of_is_a_sentence_and_a_file(tmp_path: Path) -> None:
    done = ended(RUN.format("{}['nats://ann:w0rd@h']"), TMPDIR=str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert done.returncode == 1
    assert done.stderr == (
        f"lt crashed: KeyError: 'nats://ann:***@h'. Traceback saved to {file}; please report it.\n"
    )
    assert "KeyError" in file.read_text()
    assert "w0rd" not in file.read_text()


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = ended(RUN.format("print('x' * 100_000)"), stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_broken_pipe_is_one() -> None:
    done = ended(RUN.format("raise BrokenPipeError(32, 'Broken pipe')"))
    assert (done.returncode, done.stderr) == (1, "lt: Broken pipe\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's >&-")
@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        ("<&-", 3, ""),
        (">&-", 1, "lt: can't write: the output is closed\n"),
        ("2>&-", 3, ""),
        (">/dev/full", 1, "lt: can't write the output: No space left on device\n"),
    ],
)
def test_standard_files_that_are_closed(closed: str, code: int, said: str, tmp_path: Path) -> None:
    """What is printed never goes into a file that happens to get their number."""
    script = tmp_path / "run.py"
    script.write_text(RUN.format(f"file = open({str(tmp_path / 'other')!r}, 'w'); print('x')"))
    done = subprocess.run(
        ["sh", "-c", f'"$0" "$1" {closed}', sys.executable, str(script)],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, said)
    assert (tmp_path / "other").read_text() == ""
