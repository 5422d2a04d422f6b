"""Command lines that are refused: each with one sentence, and with nothing touched.

A call is refused before anything is done for it: no file is written, no process started, no socket
made. An audit hook watches that, and a snapshot of a folder full of recordings.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.base.command_line import split_command
from livetable.feed.cli import main as feed_command
from livetable.tui.cli import main as command
from livetable.tui.cli.options import build_parser
from livetable.tui.target import ViewOptions

ROTATED = "--record day.tape --rotate 1h --keep 1"

# What each line leads to. First what once renamed and deleted recordings before it was refused.
REFUSED = {
    f"orders {ROTATED}": "Add --headless",
    f"orders {ROTATED} --once": "Add --headless",
    f"orders {ROTATED} --follow": "Add --headless",
    f"orders {ROTATED} --headless --where x": "--headless doesn't work with",
    f"orders {ROTATED} --headless --once": "--headless doesn't work with --once",
    f"orders {ROTATED} --headless --format csv": "--headless doesn't work with --format",
    f"orders {ROTATED} --headless --list": "--headless doesn't work with --list",
    f"orders {ROTATED} --headless --follow": "--headless doesn't work with --follow",
    f"orders {ROTATED} --headless --alert 'x >'": "Can't parse this",
    f"orders {ROTATED} --headless --until 'x >'": "--headless doesn't work with",
    f"orders {ROTATED} --headless --theme nope": "No theme 'nope'",
    f"orders {ROTATED} --headless --types x=y": "--types",
    f"orders {ROTATED} --headless --view none/x.toml": "no folder",
    f"orders {ROTATED} --headless --every 2s": "--every only works with a command",
    f"orders {ROTATED} --headless --sort ,": "--headless doesn't work with",
    f"orders {ROTATED} --headless --columns ,": "--headless doesn't work with",
    "orders --sort ,": "--sort has an empty name",
    "orders --columns a,,b": "--columns has an empty name",
    f"orders {ROTATED} --headless --alert-command x": "--alert-command needs --alert",
    f"orders {ROTATED} --headless --feed-key x": "--feed-key needs exactly one SOURCE",
    f"orders {ROTATED} --headless --at 14:00": "--at only works with a tape",
    f"orders {ROTATED} --web 0": "--web doesn't work with --record",
    f"day.tape {ROTATED} --headless": "--headless needs a live table",
    f"orders prices {ROTATED} --headless": "--record needs one live table",
    f"tcp://127.0.0.1:9 {ROTATED} --headless": "--record needs one live table",
    f"data.csv#x {ROTATED} --headless": "can't name a table",
    f"data.csv {ROTATED} --headless --sep ,,": "',,' is not a separator",
    f"-- no-such-command {ROTATED} --headless": "Command not found",
    "orders --record day.tape --headless": "already exists",
    "orders --record folder.tape --headless": "is a folder",
    "orders --record folder.tape --rotate 1h --headless": "is a folder",
    "orders --record none/day.tape --headless": "no folder",
    "orders --record day.csv --headless": "the file name must end in .tape",
    "orders --record new.tape --rotate 5 --headless": "--rotate '5'",
    "orders --record new.tape --rotate 0h --headless": "a size or time above 0",
    "orders --record new.tape --rotate '' --headless": "--rotate ''",
    "orders --record new.tape --keep 2 --headless": "--keep needs --rotate",
    "orders --record new.tape --rotate 1h --keep -1 --headless": "'-1' is not a whole number",
    "orders --rotate 1h": "--rotate needs --record",
    "orders --headless": "--headless needs",
    "orders --web 99999": "'99999' is not a port",
    "orders --web -1": "-1",
    "orders --web 0 --once": "--web doesn't work with --once",
    "orders --web 0 --follow": "--web doesn't work with --follow",
    "orders --web 0 --format csv": "--web doesn't work with --format",
    "orders --web 0 --list": "--web doesn't work with --list",
    "orders --web 0 --until 'x > 1'": "--web doesn't work with --until",
    "orders --web 0 --timeout 5": "--web doesn't work with --timeout",
    "orders --web 0 --headless --alert 'x > 1'": "--web doesn't work with --headless",
    "orders --where 'x >'": "Can't parse this",
    "orders --until 'x > ('": "--until",
    "orders --timeout 0": "'0' is not a number above 0",
    "orders --timeout nan": "'nan' is not a number above 0",
    "orders --history inf": "'inf' is not a number above 0",
    "orders --stale-after x": "'x' is not a number above 0",
    "orders --format xml": "invalid choice",
    "orders --follow --once": "--follow doesn't work with --once",
    "orders --follow --format parquet": "--follow prints jsonl or csv",
    "orders --sep ;": "--sep only works with a file",
    "orders --pickle": "--pickle only works with tcp://",
    "orders --each": "--each only works with a folder",
    "data.csv --each": "--each only works with a folder",
    "data.csv --topic x": "--topic only works with tcp://",
    "data.csv --limit 0": "'0' is not a whole number from 1",
    "data.csv --limit 99999999999999999999": "is not a whole number",
    "data.csv --encoding nope": "'nope' is not an encoding",
    "data.csv --encoding base64": "'base64' is not an encoding",
    "data.csv --at 14:00": "--at only works with a tape",
    "data.csv --list": "--list takes no table",
    "data.csv other.csv --once": "Only one table can be printed",
    "data.csv orders nats://x --once": "each must name one table",
    "none/data.csv": "no folder",
    "none/*.csv --once": "no folder",
    "folder.csv --once": "is a folder",
    "folder.tape --once": "is a folder",
    "- - --once": "can only be shown once",
    "day.tape --at noon": "Can't read --at 'noon' as a time",
    "day.tape --follow": "--follow needs a live table",
    "day.tape --until 'x > 1'": "--until needs a live table",
    "day.tape --headless --alert 'x > 1'": "--headless needs a live table",
    "tcp://127.0.0.1 --once": "tcp://127.0.0.1 has no port. Use tcp://127.0.0.1:5411",
    "tcp://127.0.0.1:99999 --once": "has no port",
    "tcp://127.0.0.1:9#t --pull": "leave out #NAME",
    "tcp://127.0.0.1:9 --feed-key short": "is not a key",
    "http://[ --once": "is not an address",
    "http://x:99999 --once": "is not an address",
    "ftp://x --once": "Can't show ftp://",
    "--demo orders": "--demo shows its own table",
    "--demo --key name": "--key doesn't work with --demo",
    "--demo --limit 5": "--limit doesn't work with --demo",
    "--every 1us -- ls": "not a time from 100ms",
    "--nonsense": "unrecognized",
    "orders -- ls": "Put nothing but the command after --",
    "--": "Put nothing but the command after --",
    f"{'x' * 300}.csv --once": "File name too long",
    f"{'x' * 300} --once": "File name too long",
    f"{'x' * 100} --once": "is too long for a table's name",
}

# What the disk shows, not the command line alone.
FAILED = {
    "none.csv --once": "No such file",
    "none.tape": "No such file",
    "day.tape --once": "is not a tape",
    "-- no-such-command": "Command not found",
}

FEED_REFUSED = {
    "demo --columns 0": "'0' is not a whole number from 1",
    "demo --rows -1": "-1",
    "demo --rows 100000000": "can be at most 100,000,000 cells",
    "demo --hz 0": "'0' is not a number",
    "demo --hz 1e-300": "'1e-300' is not a number",
    "demo --seed -1": "-1",
    "demo --name a/b": "can't name a table",
    "demo --bind tcp://x": "no",
    "demo --bind x": "is not an endpoint",
    "demo --secure --insecure": "contradict",
    "demo x.tape": "replay needs a tape",
    "replay": "replay needs a tape",
    "replay folder.tape": "is a folder",
    "replay day.tape --speed 0": "'0' is not a number",
    "folder.csv": "is a folder",
    "data.csv --sep ,,": "is not a separator",
    "data.csv --types x": "--types",
    "data.csv --encoding zlib": "is not an encoding",
    "nonsense": "unknown source",
    "tcp://x": "no",
    "http://[": "is not an address",
    "keygen x": "keygen takes no argument",
    "--": "write the command after --",
    "http://127.0.0.1:5000 --max-body 0": "'0' is not a number above 0",
}

Seen = dict[str, tuple[int, bytes]]

_TOUCHING = (
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.utime", "os.fork", "os.exec", "os.posix_spawn", "os.system",
    "subprocess.Popen", "socket.__new__", "socket.bind", "socket.connect",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_watched: list[str] | None = None
"""What was touched while a call is watched; None while none is. A hook can't be taken away."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    said = f"{event} {arguments!r:.200}"
    if "__pycache__" in said:  # a module that is imported for the first time
        return
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
    if event in _TOUCHING or (writes and arguments[0] != "/dev/tty"):
        _watched.append(said)


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    global _watched
    touched = _watched = []
    try:
        yield touched
    finally:
        _watched = None


def seen(*folders: Path) -> Seen:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for folder in folders
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    names = ("day.tape", "day.20260101-000000.tape", "day.20260102-000000.tape", "other.csv")
    for name in names:
        Path(name).write_text("precious")
    Path("data.csv").write_text("a,b\n1,2\n")
    Path("folder.tape").mkdir()
    Path("folder.csv").mkdir()
    return tmp_path


def check_refused(
    main: Any, line: str, says: str, code: int, folders: tuple[Path, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = seen(*folders)
    with watched() as touched, pytest.raises(SystemExit) as ended:
        main(shlex.split(line))
    out, errors = capsys.readouterr()
    assert (ended.value.code, out) == (code, ""), errors
    assert says in errors
    assert errors.count("\n") == 1, errors
    assert ".viewer-" not in errors
    assert touched == []
    assert seen(*folders) == before


@pytest.mark.parametrize("line", REFUSED)
def test_a_refused_call_touches_nothing(
    line: str, recordings: Path, runtime_folder: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "_act", lambda *_: pytest.fail("it was not refused"))
    code = 1 if "no-such-command" in line else 2
    folders = (recordings, runtime_folder)
    check_refused(command.main, line, REFUSED[line], code, folders, capsys)


@pytest.mark.parametrize("line", FAILED)
def test_what_the_disk_shows_to_be_wrong_ends_with_1(
    line: str, recordings: Path, runtime_folder: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "_act", lambda *_: pytest.fail("it was not refused"))
    check_refused(command.main, line, FAILED[line], 1, (recordings, runtime_folder), capsys)


@pytest.mark.parametrize("line", FEED_REFUSED)
def test_a_refused_feed_touches_nothing(
    line: str, recordings: Path, runtime_folder: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(feed_command, "_publish", lambda *_: pytest.fail("it was not refused"))
    folders = (recordings, runtime_folder)
    check_refused(feed_command.main, line, FEED_REFUSED[line], 2, folders, capsys)


def test_the_watch_sees_what_is_touched(tmp_path: Path) -> None:
    with watched() as touched:
        (tmp_path / "x").write_text("x")
        (tmp_path / "x").rename(tmp_path / "y")
    assert len(touched) == 2


def test_the_view_of_a_checked_call_records_nothing(recordings: Path) -> None:
    from livetable.tui.cli.request import check

    given, behind = split_command(["orders", "--headless", *ROTATED.split()])
    with watched() as touched:
        call = check(build_parser().parse_args(given), behind)
    assert touched == []
    assert isinstance(call.view, ViewOptions)
    assert (call.view.record, call.record) == (None, Path("day.tape"))
