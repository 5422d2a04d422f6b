"""What docs/architecture.md adds step by step works: done to a copy, the copy's own tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text()
COPIED = ("feed", "tui", "top", "tests", ".links", "docs")


def snippets(goal: str) -> list[str]:
    """Return the code of a section of the page, in its order."""
    section = re.split(r"\n##", PAGE.partition(f"### {goal}\n")[2])[0]
    return [
        dedent(code) for code in re.findall(r" +```(?:python|text)\n(.*?) +```", section, re.DOTALL)
    ]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what the additions are made to."""
    left_out = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def insert(file: Path, code: str, indentation: int, *, before: str = "", after: str = "") -> None:
    """Put code before or after the first line that begins so."""
    text, place = file.read_text(), before or after
    start = text.index(place)
    at = start if before else text.index("\n", start) + 1
    file.write_text(text[:at] + indent(code, " " * indentation) + text[at:])


def passes(copy: Path, *tests: str) -> None:
    environment = os.environ | {"PYTHONPATH": f"{copy / '.links'}:{copy}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=copy, env=environment, capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.long
def test_a_source_is_added(copy: Path) -> None:
    module, line, test = snippets("Add a source")
    (copy / "feed/sources/clock.py").write_text(module)
    insert(copy / "feed/sources/source_table.py", line, 4, after="SOURCES: Final")
    tests = copy / "tests/feed/sources"
    (tests / "test_clock.py").write_text(test)
    passes(copy, str(tests / "test_clock.py"), str(tests / "test_registry.py"))


@pytest.mark.long
def test_a_key_is_added(copy: Path) -> None:
    binding, action, test = snippets("Add a key")
    file = copy / "tui/pane/columns.py"
    insert(file, binding, 8, after="    BINDINGS:")
    insert(file, f"{action}\n", 4, before="    def action_hide")
    tests = copy / "tests/tui/pane/test_columns.py"
    tests.write_text(f"{tests.read_text()}\n\n{test}")
    passes(copy, f"{tests}::{test.split('def ')[1].split('(')[0]}")


@pytest.mark.long
def test_a_number_format_is_added(copy: Path) -> None:
    member, branch, back, case = snippets("Add a number format")
    style = copy / "tui/text/column_style.py"
    insert(style, member, 4, after='    HEX = "hex"')
    insert(style, branch, 4, before="    if form is NumberForm.HEX")
    insert(copy / "tui/text/rounding.py", back, 4, before="    if form is NumberForm.PERCENT")
    tests = copy / "tests/tui/text/test_column_style.py"
    insert(tests, case, 8, before="        (ColumnStyle(), 0.5")
    passes(copy, "tests/tui/text/test_column_style.py", "tests/tui/text/test_rounding.py")
