"""The widget in somebody's app, in a real pseudo-terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.waiting import wait_for

HOST = """
import threading, time
from textual.app import App
from textual.widgets import Footer, Input
from livetable import LiveTable

class Host(App):
    BINDINGS = [("q", "quit", "Quit"), ("j", "jump", "Jump")]
    jumps = 0

    def compose(self):
        yield Input(placeholder="mine")
        self.table = LiveTable(key="id", features=("filter", "sort"))
        yield self.table
        yield Footer()

    def on_mount(self):
        self.table.focus()
        threading.Thread(target=self.feed, daemon=True).start()

    def action_jump(self):
        self.jumps += 1
        self.query_one(Input).placeholder = f"jumps {self.jumps}"

    def feed(self):
        count = 0
        while True:
            count += 1
            self.table.show({"id": ["a", "b", "c"], "count": [count, -count, 7]})
            time.sleep(0.02)

Host().run()
"""


def counted(terminal: Terminal) -> int:
    """Return what row `a` shows."""
    found = re.search(r"^ *a +(\d+)", terminal.text, re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("colours", [{}, {"NO_COLOR": "1"}, {"TERM": "xterm"}])
def test_it_moves_and_leaves_the_app_its_keys(
    runtime_folder: Path, colours: dict[str, str]
) -> None:
    with Terminal(
        sys.executable, "-c", HOST, folder=runtime_folder, environment=colours
    ) as terminal:
        terminal.wait_for("count")
        first = wait_for(lambda: counted(terminal))
        wait_for(lambda: counted(terminal) > first + 5)
        terminal.send("fcount>0\rsjj")  # in one packet: the prompt's, the table's, the app's
        terminal.wait_for("jumps 2")
        wait_for(lambda: "2 of 3 rows" in terminal.text)
        wait_for(lambda: re.search(r"^ *b ", terminal.text, re.MULTILINE) is None)
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        assert "Traceback" not in terminal.text
