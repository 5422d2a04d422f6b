"""Sources with real processes: files that are followed."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import subprocess
import urllib.request
from pathlib import Path

import pandas as pd
import psutil
import pyarrow as pa
import zmq

from livetable.feed.local import directory, records
from livetable.tui.target import Target, origin_of
from tests.e2e.test_viewer import Start, View, start, view
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for, without_hints

__all__ = ["start", "view"]  # fixtures


def test_a_file_is_followed(view: View, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("symbol,price\nAAA,1.5\n")
    terminal = view("livetable", str(path), "--key", "symbol")
    terminal.wait_for("AAA")
    terminal.wait_for("● live")
    assert terminal.lines[0].split()[0] == "prices.csv"
    with path.open("a") as file:
        file.write("BBB,2.5\nAAA,3.5\n")
    terminal.wait_for("BBB")
    terminal.wait_for(lambda: "3.5" in terminal.lines[2])
    path.unlink()
    terminal.wait_for("No such file")
    assert "BBB" in terminal.text
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    assert not leftovers()


def leftovers() -> list[records.Entry]:
    return directory.entries()


def test_a_feather_file_that_is_rewritten(view: View, tmp_path: Path) -> None:
    path = tmp_path / "state.feather"
    pd.DataFrame({"id": ["a"], "n": [1]}).to_feather(path)
    terminal = view("livetable", str(path))
    terminal.wait_for("a   1")
    pd.DataFrame({"id": ["a"], "n": [2]}).to_feather(path)
    terminal.wait_for("a   2")


def test_a_file_that_is_not_there_yet(view: View, tmp_path: Path) -> None:
    path = tmp_path / "later.jsonl"
    terminal = view("livetable", str(path))
    terminal.wait_for("No such file")
    path.write_text('{"a": 1, "b": "x"}\n')
    terminal.wait_for("● live")
    terminal.wait_for("x")


def test_a_file_is_published(start: Start, view: View, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\n1\tx\n")
    start("livetable-feed", str(path), "--name", "shared")
    wait_for(lambda: directory.find("shared"))
    terminals: list[Terminal] = [view("livetable", "shared") for _ in range(2)]
    for terminal in terminals:
        terminal.wait_for("x")


def test_rows_are_piped_in_and_keys_come_from_the_terminal(view: View) -> None:
    first, second = '{"id": 1, "x": 2}', '{"id": 2, "x": 2.5}'
    producer = f"echo '{first}'; sleep 0.5; echo '{second}'; sleep 60"
    terminal = view("sh", "-c", f"({producer}) | livetable --key id")
    terminal.wait_for("stdin")
    terminal.wait_for(lambda: "2.5" in terminal.table)  # whole numbers became others
    assert "● live" in terminal.text
    terminal.send("f")
    terminal.wait_for("filter:")
    terminal.send("x > 2.1\r")
    terminal.wait_for("1 of 2 rows")
    terminal.send("q")


def test_what_ps_prints(view: View) -> None:
    terminal = view("sh", "-c", "ps aux | livetable", size=(24, 140))
    terminal.wait_for("■ ended")  # the pipe has ended, the rows can be looked at
    terminal.wait_for(lambda: terminal.lines[1].split()[:3] == ["USER", "PID", "%CPU"])
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_the_newest_file_of_a_folder(view: View, tmp_path: Path) -> None:
    terminal = view("livetable", f"{tmp_path}/part-*.csv")
    terminal.wait_for("no file")
    (tmp_path / "part-1.csv").write_text("a,b\n1,first\n")
    (tmp_path / "other.csv").write_text("a,b\n1,wrong\n")
    terminal.wait_for("first")
    terminal.wait_for("part-1.csv")
    with (tmp_path / "part-1.csv").open("a") as file:
        file.write("2,more\n")
    terminal.wait_for("more")
    (tmp_path / "part-2.csv").write_text("a,b\n3,second\n")
    terminal.wait_for("second")
    terminal.wait_for("part-2.csv")
    assert "more" not in terminal.text
    assert "wrong" not in terminal.text
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_each_file_of_a_folder(view: View, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"x": "{name}"}}\n')
    terminal = view("livetable", f"{tmp_path}/", "--each")
    terminal.wait_for("one.jsonl")
    terminal.wait_for("two.jsonl")
    (tmp_path / "three.csv").write_text("x\nthree\n")
    terminal.wait_for("three.csv")
    terminal.send("\r")
    terminal.wait_for("● live")
    terminal.send("q")


def test_types_of_columns(runtime_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "zip.csv"
    path.write_text("zip,n,when\n01234,1,2026-01-02\n99999,2,2026-01-03\n")
    show = ("livetable", str(path), "--format", "csv", "--timeout", "5")
    typed = piped(runtime_folder, b"", *show, "--types", "zip=text,n=float,when=time")
    assert typed[1].splitlines()[1] == "01234,1.0,2026-01-02"
    code, _, errors = piped(runtime_folder, b"", *show, "--types", "zip=word")
    assert (code, "one of text, int" in errors) == (2, True)
    lines = b'{"zip": "01", "n": 1}\n'
    pipe = ("livetable", "-", "--format", "csv", "--types", "n=float")
    assert piped(runtime_folder, lines, *pipe)[1] == "zip,n\n01,1.0\n"


def test_a_command_is_run_again_and_again(view: View, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("PID NAME\n1 one\n2 two words\n")
    terminal = view("livetable", "--every", "200ms", "--key", "PID", "--", "cat", str(path))
    terminal.wait_for("two words")
    assert terminal.lines[0].split()[0] == "cat"
    path.write_text("PID NAME\n1 changed\n3 three\n")
    terminal.wait_for("changed")
    terminal.wait_for("three")
    path.unlink()
    terminal.wait_for("cat ended with 1")
    assert "three" in terminal.text
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_commands_in_scripts(runtime_folder: Path) -> None:
    def run(*command: str) -> tuple[int, str, str]:
        return piped(runtime_folder, b"", "livetable", *command)

    assert run("--format=csv", "--", "printf", "a,b\\n1,x\\n") == (0, "a,b\n1,x\n", "")
    assert run("--format=csv", "--", "printf", "no table\\n") == (0, "line\nno table\n", "")
    for wrong, says in (
        (("--", "no-such-command"), "Command not found: 'no-such-command'"),
        (("--every", "2s", "orders"), "--every only works with a command"),
        (("--every", "x", "--", "ls"), "--every"),
        (("orders", "--", "ls"), "Put nothing but the command after --"),
    ):
        code, _, errors = run(*wrong)
        assert code in (1, 2)
        assert says in errors
        assert "Traceback" not in errors


def test_json_lines_of_several_types(runtime_folder: Path, tmp_path: Path) -> None:
    mixed = b'{"id":1,"x":2}\n{"id":"x","x":3}\n{"id":null,"x":4}\n'
    show = ("livetable", "--format", "csv")
    assert piped(runtime_folder, mixed, *show)[1] == "id,x\n1,2\nx,3\n,4\n"
    (tmp_path / "m.jsonl").write_bytes(mixed)
    path = str(tmp_path / "m.jsonl")
    assert piped(runtime_folder, b"", *show, path, "--timeout", "9")[1] == "id,x\n1,2\nx,3\n,4\n"


def test_a_command_without_end_is_no_table(view: View) -> None:
    terminal = view(
        "livetable", "--", "sh", "-c", "yes $(printf %0200d 7) | head -c 100000000; sleep 60"
    )
    terminal.wait_for("sh wrote more than", 60)  # at 80 columns the line is cut
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def test_a_push_socket_in_the_viewer(view: View) -> None:
    with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
        sender.linger = 0
        port = sender.bind_to_random_port("tcp://127.0.0.1")
        terminal = view("livetable", f"tcp://127.0.0.1:{port}", "--pull", "--limit", "3")
        for at in range(5):
            sender.send_json({"n": 100 + at})
        terminal.wait_for(lambda: "104" in terminal.table)
        assert "101" not in terminal.table
        terminal.send("q")
        assert terminal.wait_for_end() == 0


def test_arrow_in_a_pipe(runtime_folder: Path) -> None:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("id", pa.int64())])) as writer:
        for start in (0, 1):
            writer.write_batch(pa.record_batch({"id": [start, start + 1]}))
    stream = sink.getvalue()
    csv = ("livetable", "--format", "csv")
    assert piped(runtime_folder, stream, *csv) == (0, "id\n0\n1\n1\n2\n", "")
    assert piped(runtime_folder, stream, *csv, "-", "--key", "id")[1] == "id\n0\n1\n2\n"
    out = io.BytesIO()
    pd.DataFrame({"x": [1.5]}).to_feather(out)
    assert piped(runtime_folder, out.getvalue(), *csv)[:2] == (0, "x\n1.5\n")
    code, _, errors = piped(runtime_folder, stream[:-40], *csv, "--timeout", "2")
    assert "the Arrow stream is incomplete" in errors or code == 0


def test_tables_by_http(view: View) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def put(price: float) -> None:
        request = urllib.request.Request(
            f"{url}/tables/orders", json.dumps([{"id": 1, "price": price}]).encode(), method="PUT"
        )
        urllib.request.urlopen(request, timeout=10).close()

    terminal = view("livetable", url)
    terminal.wait_for("q Quit")
    put(9.5)
    terminal.wait_for("orders")
    terminal.send("\r")
    terminal.wait_for(lambda: "9.5" in terminal.table)
    put(8.25)
    terminal.wait_for(lambda: "8.25" in terminal.table)
    other = view("livetable", url)
    assert other.wait_for_end() == 1
    assert b"can't listen at" in other.raw
    terminal.send("q")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


def piped(folder: Path, text: bytes, *command: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command_line(command), env=environment_for(folder), input=text, capture_output=True,
        check=False, timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), without_hints(done.stderr.decode())


def test_pipes_in_scripts(runtime_folder: Path) -> None:
    lines = b"a,b\n" + b"".join(b"%d,x\n" % at for at in range(100_000))
    code, out, errors = piped(runtime_folder, lines, "livetable", "--format", "csv")
    assert code == 0
    assert errors == ""
    assert out.splitlines()[::50_000] == ["a,b", "49999,x", "99999,x"]
    code, out, _ = piped(runtime_folder, lines, "livetable", "--limit", "3", "--format", "csv")
    assert out.splitlines() == ["a,b", "99997,x", "99998,x", "99999,x"]
    command = ("livetable", "-", "--key", "id", "--format", "jsonl")
    twice = b'{"id":1,"x":1}\n{"id":2,"x":2}\n{"id":1,"x":3}\n'
    code, out, _ = piped(runtime_folder, twice, *command)
    assert [json.loads(line) for line in out.splitlines()] == [
        {"id": 2, "x": 2}, {"id": 1, "x": 3}
    ]  # fmt: skip
    for text, sentence in (
        (b"", "ended without a row"), (b'{"id": 1}\n{"id"\n', "line 2 is not JSON"),
        (b"a,b\n1,2\n", "no column 'id'"),
    ):  # fmt: skip
        code, out, errors = piped(runtime_folder, text, *command, "--timeout", "4")
        assert code == 1, errors
        assert sentence in errors


def test_a_commands_password_is_only_on_its_own_command_line(view: View) -> None:
    script = "test -n \"$1\" && sleep 0.4; echo 'no https://ann:s3cretPW@h' >&2; exit 3"
    command = ("sh", "-c", script, "--token", "s3cretPW", "https://ann:s3cretPW@h")
    terminal = view("livetable", "--", *command)
    seen = set[str]()

    def words() -> bool:
        viewer = psutil.Process(terminal.pid)
        for one in viewer.children():
            with contextlib.suppress(psutil.Error):
                if (told := one.cmdline()) != viewer.cmdline():  # forked, and not itself yet
                    seen.add(" ".join(told))
        return any("livetable.feed" in one for one in seen)

    wait_for(words)
    terminal.wait_for("sh ended with 3: no https://ann:***@h")
    assert words()
    assert "s3cretPW" not in str(seen)
    assert "--token *** https://ann:***@h" in str(seen)
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    target = Target(None, "sh", command=command)
    assert "s3cretPW" not in repr(target)
    assert "s3cretPW" not in (origin_of(target) or "")  # in the view's file, and a browser's `ps`
