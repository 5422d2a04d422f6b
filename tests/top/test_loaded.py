"""Which modules are loaded by the first row, and by a producer: growth is a reviewed change.

`python -m tests.top.test_loaded` writes the lists anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.terminal import Terminal, environment_for
from tests.waiting import killed_after

ASKED_FOR: Final = frozenset(
    {"numpy", "pandas", "psutil", "pyarrow", "rich", "textual", "tomlkit", "watchfiles", "zmq"}
)
LISTS: Final = Path(__file__).with_name("loaded")

PRODUCER: Final = """
import sys, livetable.feed
with livetable.feed.Publisher("t") as table:
    print(*sys.modules)
"""

FEED: Final = """
import time
from livetable.feed import Publisher
with Publisher("t", key="id") as table:
    table.send([{"id": 1, "price": 1.5}, {"id": 2, "price": 2.5}])
    print("sent", flush=True)
    time.sleep(60)
"""

VIEWER: Final = """
import os, sys
from livetable.tui.cli.main import main
from livetable.tui.widgets.table_grid import TableGrid
update = TableGrid.update
def first(self, table):
    painted = update(self, table)
    if not os.path.exists(os.environ["LOADED"]):
        with open(os.environ["LOADED"] + ".new", "w") as file:
            print(*sys.modules, file=file)
        os.rename(os.environ["LOADED"] + ".new", os.environ["LOADED"])
    return painted
TableGrid.update = first
sys.exit(main(["t"]))
"""


def producer(folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PRODUCER], capture_output=True, text=True, check=True, timeout=30,
        env=environment_for(folder),
    )  # fmt: skip
    return done.stdout.split()


def viewer(folder: Path) -> list[str]:
    feed = subprocess.Popen(
        [sys.executable, "-c", FEED], env=environment_for(folder), stdout=subprocess.PIPE, text=True
    )
    told = folder / "loaded"
    with killed_after(feed):
        assert feed.stdout is not None
        assert feed.stdout.readline() == "sent\n"
        with Terminal(
            sys.executable, "-c", VIEWER, folder=folder, environment={"LOADED": str(told)}
        ) as terminal:
            terminal.wait_for(told.exists)
            terminal.wait_for("2.5")
    return told.read_text().split()


def shortened(modules: list[str]) -> list[str]:
    """Return livetable's modules, and which of the packages that it asks for."""
    found = set()
    for module in modules:
        package = module.split(".")[0]
        if package == "livetable":
            found.add(module)
        elif package in ASKED_FOR:
            found.add(package)
    return sorted(found)


LOADED: Final = {"producer": producer, "viewer": viewer}


@pytest.mark.parametrize("who", LOADED)
def test_no_more_is_loaded_than_is_written_down(who: str, runtime_folder: Path) -> None:
    found = set(shortened(LOADED[who](runtime_folder)))
    written = set((LISTS / f"{who}.txt").read_text().split())
    assert "pandas" not in found
    says = "a reviewed change? `python -m tests.top.test_loaded` writes the lists"
    assert found - written == set(), says
    assert written - found == set(), says


if __name__ == "__main__":
    for name, load in LOADED.items():
        with TemporaryDirectory(prefix="lt-", dir="/tmp") as place:
            os.environ["XDG_CONFIG_HOME"] = place
            LISTS.mkdir(exist_ok=True)
            (LISTS / f"{name}.txt").write_text("\n".join(shortened(load(Path(place)))) + "\n")
