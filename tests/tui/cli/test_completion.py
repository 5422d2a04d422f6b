"""tui.cli.completion: what the shell is given at TAB."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from livetable import Publisher
from tests.terminal import Terminal

RUN = """
import sys
from livetable.tui.cli.main import command
sys.argv[0] = "livetable"
command()
"""

FRAME = pd.DataFrame({"symbol": ["a"], "last": [1.5], "cpu %": [2]})


def completed(line: str, folder: Path, runtime_folder: Path) -> list[str]:
    """Return what a line can go on with, as the shell asks for it."""
    reads, writes = os.pipe()
    environment = os.environ | {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SHELL": "zsh",
        "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9",
        "XDG_RUNTIME_DIR": str(runtime_folder),
    }  # fmt: skip
    shell = f'"$0" -c "$1" 8>&{writes} 9>/dev/null'
    try:
        subprocess.run(
            ["bash", "-c", shell, sys.executable, RUN],
            cwd=folder, env=environment, pass_fds=[writes], timeout=60, check=True,
        )  # fmt: skip
    finally:
        os.close(writes)
    with os.fdopen(reads) as answers:
        return [one.partition(":")[0] for one in answers.read().split("\n") if one]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("a\n1\n")
    return tmp_path


def test_options_names_and_files(folder: Path, runtime_folder: Path) -> None:
    with Publisher("orders", key="symbol") as orders, Publisher("other"):
        orders.send(FRAME)
        names = completed("livetable o", folder, runtime_folder)
        assert {one.strip() for one in names} == {"orders", "other", "orders.csv"}
        assert "--sort" in {
            one.strip() for one in completed("livetable --so", folder, runtime_folder)
        }
        forms = {one.strip() for one in completed("livetable --format j", folder, runtime_folder)}
        assert forms == {"json", "jsonl"}


def test_columns_of_a_live_table(folder: Path, runtime_folder: Path) -> None:
    with Publisher("orders", key="symbol") as orders:
        orders.send(FRAME)

        def columns(line: str) -> set[str]:
            return {one.strip() for one in completed(line, folder, runtime_folder)}

        assert columns("livetable orders --sort la") == {"last"}
        assert "last,symbol" in columns("livetable orders --columns last,s")
    assert completed("livetable orders --sort la", folder, runtime_folder) == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_tab_in_a_real_shell(folder: Path, runtime_folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (
        Publisher("orders_of_today", key="symbol") as orders,
        Terminal(
            "bash", "--norc", "--noprofile", folder=runtime_folder, environment={"PATH": path}
        ) as shell,
    ):
        orders.send(FRAME)
        shell.send("PS1='ready> '\r")
        shell.wait_for("ready> ")
        shell.send('eval "$(livetable completion bash)"; echo "do""ne"\r')
        shell.wait_for("done")
        shell.send("livetable orders_\t")
        shell.wait_for("livetable orders_of_today")
        shell.send("--so\tla\t")
        shell.wait_for("orders_of_today --sort last")
