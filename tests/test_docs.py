"""What the documentation shows is true: bytes decode, commands exist, the example runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from livetable.feed import directory
from livetable.feed.__main__ import build_parser as feed_parser
from livetable.feed.decode import Decoder
from livetable.feed.wire import METADATA_KEY, Header, Want
from livetable.tui.__main__ import build_parser
from livetable.tui.arrange import check_filter
from livetable.tui.expression import parse
from livetable.tui.remembered import read_view
from livetable.tui.rules import read_rule
from livetable.tui.settings import read_settings
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROTOCOL = (ROOT / "docs/protocol.md").read_text()


def blocks(text: str, kind: str) -> list[str]:
    return [
        line
        for block in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]


def test_wants_decode() -> None:
    wants = [line.encode() for line in blocks(PROTOCOL, "want")]
    assert len(wants) == 2
    assert [Want.decode(want).encode() for want in wants] == wants


def test_headers_decode() -> None:
    headers = [line.encode() for line in blocks(PROTOCOL, "header")]
    assert [json.loads(Header.decode(header).encode()) for header in headers] == list(
        map(json.loads, headers)
    )
    assert {Header.decode(header).kind for header in headers} == {
        "snapshot", "idle", "end", "absent", "catalogue",
    }  # fmt: skip


def test_labels_decode() -> None:
    (labels,) = blocks(PROTOCOL, "labels")
    table = pa.table({"a": [1], "1": [0.5], "x": ["s"]})
    table = table.replace_schema_metadata({METADATA_KEY: labels.encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    decoded = Decoder()(bytes(sink.getvalue()))
    assert decoded.labels.columns == ("a", 1, ("x", None))


def test_every_option_is_in_the_readme() -> None:
    for parser in (build_parser(), feed_parser()):
        for action in parser._actions:
            if action.help == "==SUPPRESS==" or "--help" in action.option_strings:
                continue
            for option in action.option_strings:
                assert option == "--version" or f"`{option}" in README or f" {option}" in README


def test_the_readmes_example_runs(runtime_folder: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    process = subprocess.Popen(
        [sys.executable, "-c", example],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )
    try:
        wait_for(lambda: directory.find("orders"))
    finally:
        process.kill()
        process.wait()


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
