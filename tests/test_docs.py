"""What the documentation shows is true: bytes decode, commands exist, the example runs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.base.command_line import split_command
from livetable.feed.cli.main import build_parser as feed_parser
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.local import directory
from livetable.feed.protocol.messages import METADATA_KEY, Header, Position, Want
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.writer import TapeWriter
from livetable.tui.batch.print_once import print_once
from livetable.tui.cli.main import build_parser
from livetable.tui.config.settings import read_settings
from livetable.tui.config.view_file import read_view
from livetable.tui.query.arrange import check_filter, filter_mask
from livetable.tui.query.expression import FUNCTIONS, parse
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.rules import read_rule
from livetable.tui.target import Target, ViewOptions
from tests.brokers import Server, missing
from tests.tui.tables import table_of
from tests.waiting import killed_after, wait_for

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()
ROWS = (ROOT / "docs/rows.md").read_text()
PROTOCOL = (ROOT / "docs/protocol.md").read_text()
DOCS = sorted((ROOT / "docs").glob("*.md"))


def blocks(text: str, kind: str) -> list[str]:
    return [
        line
        for block in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]


def test_wants_decode() -> None:
    wants = [line.encode() for line in blocks(PROTOCOL, "want")]
    assert len(wants) == 4
    assert [Want.decode(want).encode() for want in wants] == wants


def test_headers_decode() -> None:
    headers = [line.encode() for line in blocks(PROTOCOL, "header")]
    assert [json.loads(Header.decode(header).encode()) for header in headers] == list(
        map(json.loads, headers)
    )
    assert {Header.decode(header).kind for header in headers} == {
        "snapshot", "delta", "idle", "end", "absent", "catalogue",
    }  # fmt: skip


def test_a_delta_leads_from_state_to_state() -> None:
    headers = [Header.decode(line.encode()) for line in blocks(PROTOCOL, "header")]
    (header,) = [one for one in headers if one.kind == "delta"]
    (rows,) = map(json.loads, blocks(PROTOCOL, "delta"))
    found = re.findall(r"^\| (\d+) \| ([\d.]+) \|$", PROTOCOL, re.MULTILINE)
    before: dict[str, Any] = {
        "id": [int(key) for key, _ in found],
        "price": [float(price) for _, price in found],
    }
    assert len(found) == 3
    decode, follow = Decoder(), Follower()
    follow.snapshot(decode(stream(before)), 0)
    after = follow.delta(decode.delta(stream(rows)), header.gone, header.rows)
    assert after.values.whole(0).to_pylist() == [2, 3, 4]
    assert after.values.whole(1).to_pylist() == [1.5, 2.75, 4.5]


def stream(columns: Mapping[str, Any]) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_labels_decode() -> None:
    (labels,) = blocks(PROTOCOL, "labels")
    table = pa.table({"a": [1], "1": [0.5], "x": ["s"]})
    table = table.replace_schema_metadata({METADATA_KEY: labels.encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    decoded = Decoder()(bytes(sink.getvalue()))
    assert decoded.labels.columns == ("a", 1, ("x", None))


def test_every_option_is_in_the_list() -> None:
    for parser in (build_parser(), feed_parser()):
        for action in parser._actions:
            if action.help == "==SUPPRESS==" or "--help" in action.option_strings:
                continue
            for option in action.option_strings:
                assert option == "--version" or f"`{option}" in COMMANDS or f" {option}" in COMMANDS


def test_the_readmes_examples_run(runtime_folder: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", README + ROWS, re.DOTALL)
    assert len(examples) == 2
    assert README.count("\n") < 200
    wants = (("orders", "id,price\n0,"), ("fills", "id,price,qty\n1,99.5,7\n3,98.0,1\n"))
    for example, (name, wanted) in zip(examples, wants, strict=True):
        process = subprocess.Popen(
            [sys.executable, "-c", f"{example}\nimport time; time.sleep(60)"],
            env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
        )
        try:
            (found,) = wait_for(partial(directory.find, name))
            target = Target(found.endpoint, name)
            wait_for(partial(shows, target, wanted))
        finally:
            process.kill()
            process.wait()


def shows(target: Target, text: str) -> bool:
    out = io.StringIO()
    assert print_once(target, ViewOptions(timeout=10), "csv", out) == 0
    return text in out.getvalue()


def test_the_readme_shows_the_real_screen() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert "● " in (ROOT / picture).read_text().replace("&#160;", " ")
    for link in re.findall(r"\]\((docs/.*?|[A-Z]+\.md)\)", README):
        assert (ROOT / link).exists(), link


LISTING = "import runpy; print(runpy.run_path('docs/keys.py')['listing'](), end='')"


def test_the_list_of_keys_is_that_of_the_viewer() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ROOT / "docs/keys.md").read_text() == done.stdout  # else: python docs/keys.py


TAPE = (ROOT / "docs/tape.md").read_text()


def test_anybody_reads_a_tape_as_is_told(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "day.tape", "orders")
    data = Encoder()(capture({"id": [1, 2]})).data
    for seq in (7, 8):
        header = Header("snapshot", "orders", 1, Position("e", seq), rows=2, columns=1)
        writer.add(1700000000.0 + seq, header, data)
    writer.close()
    (example,) = re.findall(r"```tape\n(.*?)```", TAPE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1700000007.0 snapshot 7 2\n1700000008.0 snapshot 8 2\n"
    (about,) = blocks(TAPE, "metadata")
    with (tmp_path / "day.tape").open("rb") as file, pa.ipc.open_stream(file) as tape:
        assert json.loads(tape.schema.metadata[b"livetable.tape"]) == json.loads(about)
        fields = re.findall(r"^\| `(\w+)` \| (\w+) \|", TAPE, re.MULTILINE)
        told = [(name, {"float64": "double"}.get(kind, kind)) for name, kind in fields]
        assert told == [(field.name, str(field.type)) for field in tape.schema]
        indexes = [row for batch in tape for row in batch.to_pylist() if row["kind"] == "index"]
    assert [json.loads(row["header"]) for row in indexes] == [
        {"first": 0, "frames": 2, "times": [1700000007.0, 1700000008.0]}
    ]
    assert indexes[0]["body"].startswith(b"livetable.index\n")
    assert len(indexes[0]["body"]) == 16 + 2 * 8 + 2 * 24


def test_the_commands_of_tapes_are_read() -> None:
    (session,) = re.findall(r"```sh\n(.*?)```", TAPE, re.DOTALL)
    for line in session.splitlines():
        command, *arguments = shlex.split(line, comments=True)
        parser = {"livetable": build_parser, "livetable-feed": feed_parser}[command]()
        parser.parse_args(arguments)


SCRIPTS = (ROOT / "docs/scripts.md").read_text()


@contextlib.contextmanager
def shell(folder: Path) -> Iterator[Callable[[str], str]]:
    """Yield a shell in a folder, with the two commands and the README's table `orders`."""
    bin_ = folder / "bin"
    bin_.mkdir()
    for name, module in (("livetable", "livetable.tui"), ("livetable-feed", "livetable.feed")):
        (bin_ / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (bin_ / name).chmod(0o755)
    (bin_ / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (bin_ / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}"}

    def run(line: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", f"set -o pipefail; {line}"], cwd=folder, env=environment, check=False,
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    (orders,) = re.findall(r"```python\n(.*?import numpy.*?)```", README, re.DOTALL)
    feed = subprocess.Popen([sys.executable, "-c", orders], env=environment)
    try:
        wait_for(lambda: directory.find("orders"))
        yield run
    finally:
        feed.kill()
        feed.wait()


def test_the_commands_of_scripts_run(runtime_folder: Path, tmp_path: Path) -> None:
    with shell(tmp_path) as run:
        lines = "".join(re.findall(r"```sh\n(.*?)```", SCRIPTS, re.DOTALL)).splitlines()
        out = {line.partition("#")[0].strip(): run(line) for line in lines}
        reads, lists = re.findall(r"```python\n(.*?)```", SCRIPTS, re.DOTALL)
        for example, prints in ((reads, r"20 \('id',\)\n1\d\d"), (lists, r"orders 20 live\n")):
            (tmp_path / "example.py").write_text(example)
            assert re.match(prints, run("python example.py"))
    assert len(out) == 8
    assert all(one for line, one in out.items() if ">" not in line), out


HTTP = (ROOT / "docs/http.md").read_text()


FILES = (ROOT / "docs/files.md").read_text()


@pytest.mark.parametrize(
    ("command", "output"), re.findall(r"```sh\n(.*?)\n```\n\n```text\n(.*?)```", FILES, re.S)
)
def test_the_examples_of_files_print_what_they_show(
    command: str, output: str, runtime_folder: Path, tmp_path: Path
) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stdout == output, done.stderr


def test_the_commands_of_http_run(runtime_folder: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (feed,) = blocks(HTTP, "feed")
    with shell(tmp_path) as run:
        command = [sys.executable, "-m", "livetable.feed", feed.split()[1].replace("5000", port)]
        started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        with killed_after(started) as server:
            assert server.stderr is not None
            assert "shows how" in server.stderr.readline()
            (session,) = re.findall(r"```sh\n(.*?)```", HTTP, re.DOTALL)
            out = [run(line.replace("5000", port)) for line in session.splitlines()]
    wanted = re.findall(r"`(\{\"table\".*?\})`", HTTP)
    assert {json.dumps(json.loads(one)) for one in wanted} <= {one.strip() for one in out}
    assert out[5] == '[{"id":2,"price":7.5},{"id":3,"price":8.25}]\n'
    assert out[6] == "id,price\n2,7.5\n3,8.25\n"
    assert [one["table"] for one in json.loads(out[9])] == ["trades", "copy"]


SCALE = (ROOT / "docs/scale.md").read_text()


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_the_commands_of_brokers_run(runtime_folder: Path, tmp_path: Path) -> None:
    server = Server("nats", tmp_path / "nats")
    try:
        (example,) = re.findall(r"```python\n(.*?)```", SCALE, re.DOTALL)
        example = example.replace("4222", str(server.port))
        producer = [sys.executable, "-c", f"{example}\nimport time; time.sleep(60)"]
        with shell(tmp_path) as run, killed_after(subprocess.Popen(producer)):
            (session,) = re.findall(r"```sh\n(.*?)```", SCALE, re.DOTALL)
            lines = session.replace("4222", str(server.port)).splitlines()
            wait_for(lambda: "stock" in run(f"livetable {server.endpoint} --list"))
            out = [run(line) for line in lines]
    finally:
        server.kill()
    assert out[1] == "id,left\n1,10\n2,4\n"
    assert "left" in out[0]


MARKET = ("symbol", "sector", "bid", "ask", "last", "change %", "volume", "halted")
VIEWER = (ROOT / "docs/viewer.md").read_text()


def test_columns_rules_and_filters_can_be_read() -> None:
    columns = blocks(VIEWER, "column")
    for line in columns:
        parse(line.partition("=")[2].strip(), MARKET)
    rules = blocks(VIEWER, "rule")
    assert [str(read_rule(rule, MARKET)) for rule in rules] == rules
    titles = ("price", "sector", "cpu %", "name", "state", "done", "bid", "ask", "time")
    filters = blocks(README, "text")
    for text in filters:
        check_filter(text, titles)
    assert len(columns) > 3
    assert len(filters) > 3


def test_the_view_and_the_settings_can_be_read(tmp_path: Path, runtime_folder: Path) -> None:
    (view,) = re.findall(r"```toml\n(.*?)```", VIEWER, re.DOTALL)
    (tmp_path / "v.toml").write_text(view)
    assert read_view(tmp_path / "v.toml").columns.computed
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/keys.md").read_text(), re.DOTALL)
    path = runtime_folder / "config/livetable/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert read_settings().keys


NETWORKS = (ROOT / "docs/networks.md").read_text()


def test_the_commands_of_networks_are_those_there_are(runtime_folder: Path, tmp_path: Path) -> None:
    """What they do together stands in tests/e2e/test_keys.py."""
    lines = blocks(NETWORKS, "sh")
    assert [line.split()[:2] for line in lines] == [
        ["livetable-feed", "keygen"], ["livetable-feed", "demo"], ["livetable", "tcp://HOST:5411"],
    ]  # fmt: skip
    with shell(tmp_path) as run:
        assert run("livetable-feed keygen") == run("livetable-feed key")
    feed_parser().parse_args(shlex.split(lines[1])[1:])
    build_parser().parse_args(shlex.split(lines[2])[1:])
    assert sorted((runtime_folder / "config" / "livetable").iterdir())


EXPRESSIONS = (ROOT / "docs/expressions.md").read_text()


def rows_of(text: str, columns: int) -> list[list[str]]:
    """Return the rows of a page's tables of so many columns, cell by cell."""
    rows = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines() if line.startswith("|")
    ]  # fmt: skip
    return [row for row in rows if len(row) == columns]


def code(cell: str) -> str:
    """Return what stands as code in a cell."""
    ticks = "``" if cell.startswith("``") else "`"
    return cell.removeprefix(ticks).removesuffix(ticks).strip()


def met(frame: pd.DataFrame, expression: str, *key: str) -> str:
    """Return which rows meet an expression, or that it is refused."""
    table = table_of(frame, *key)
    try:
        return " ".join(map(str, np.flatnonzero(filter_mask(table, expression))))
    except BadExpression:
        return "refused"


def queried(frame: pd.DataFrame, expression: str) -> str:
    """Return which rows pandas finds by an expression, or that it finds none of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return " ".join(map(str, frame.query(expression).index))
        except Exception:
            return "refused"


def test_the_examples_of_expressions_find_what_they_show() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", EXPRESSIONS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    orders = names["orders"]
    checked = 0
    for form, _, shown, wanted in rows_of(EXPRESSIONS, 4):
        if not shown.startswith("`"):
            continue
        frame = orders.drop(columns="id") if "index" in form else orders
        key = () if "index" in form else ("id",)
        found = " ".join(str(int(row) + 1) for row in met(frame, code(shown), *key).split())
        assert found == wanted, shown
        checked += 1
    assert checked >= 40
    told = {name for row in rows_of(EXPRESSIONS, 4) for name in re.findall(r"`(\w+)\(", row[0])}
    assert told - {"f"} == FUNCTIONS


def test_the_table_of_differences_tells_the_truth() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", EXPRESSIONS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    rows = [row for row in rows_of(EXPRESSIONS, 5) if row[0].startswith("`")]
    for expression, frame, here, there, _ in rows:
        data = pd.DataFrame(eval(code(frame), names))
        assert met(data, code(expression)) == here, expression
        assert queried(data, code(expression)) == there, expression
    assert len(rows) >= 25


@pytest.mark.parametrize("number", range(2))
def test_the_examples_of_workers_run(runtime_folder: Path, tmp_path: Path, number: int) -> None:
    text = (ROOT / "docs/workers.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[number]
    script = tmp_path / "example.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True, timeout=50,
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (["published True\n", "requests\n"][number], "")
    assert not directory.entries()


ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
TOY_FILES = {"feed/sources/clock.py", "tests/feed/sources/test_clock.py"}
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{page.name}" for page in DOCS)]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"(?<![\w/])((?:feed|tui|tests|benchmarks|docs)/[\w/.]*\w(?:\.\w+)?)", text)
    missing_files = {name for name in named if not (ROOT / name).exists()}
    assert missing_files <= TOY_FILES


def test_every_name_that_where_do_i_gives_is_in_its_file() -> None:
    table = ARCHITECTURE.partition("## Where do I")[2].partition("###")[0]
    checked = 0
    for file, names in re.findall(r"`([\w/]+\.py)` \(((?:`\w+`(?:, )?)+)\)", table):
        for name in re.findall(r"\w+", names):
            assert re.search(rf"\b{name}\b", (ROOT / file).read_text()), f"{file} has no {name}"
            checked += 1
    assert checked >= 10


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are linked by, as GitHub makes it."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\((?!https?:)([^)\s]*)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        other = path.parent / name if name else path
        assert other.exists(), link
        assert not anchor or anchor in anchors(other), link


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_at_the_head_of_a_page_are_read(page: str) -> None:
    for line in blocks((ROOT / page).read_text(), "console"):
        arguments = shlex.split(line.rpartition("| ")[2], comments=True)
        given, _ = split_command(arguments[1:])
        assert arguments[0] == "livetable"
        build_parser().parse_args(given)
