"""A publisher that is not livetable's own: docs/publisher.mjs, in Node, before the real viewer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_chaos import free_port
from tests.terminal import Terminal
from tests.waiting import killed_after

SCRIPT = Path(__file__).parent.parent.parent / "docs/publisher.mjs"


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the two packages that it needs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not installed here")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "zeromq@6", "apache-arrow"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=50, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not fetch zeromq and apache-arrow in time")
    if done.returncode:
        pytest.skip(f"npm could not fetch zeromq and apache-arrow: {done.stderr.decode()[-200:]}")
    shutil.copy(SCRIPT, folder)
    return folder


def test_a_publisher_in_node(packages: Path, runtime_folder: Path) -> None:
    lines = [line for line in SCRIPT.read_text().splitlines() if line and not line.startswith("//")]
    assert len(lines) <= 40
    port = free_port()
    command = ["node", "publisher.mjs", str(port)]
    started = subprocess.Popen(command, cwd=packages, stderr=subprocess.PIPE, text=True)
    with killed_after(started) as node:
        with Terminal("livetable", f"tcp://127.0.0.1:{port}", folder=runtime_folder) as terminal:
            terminal.wait_for("counter")
            terminal.send("\r")
            terminal.wait_for("● live")
            terminal.wait_for(lambda: terminal.lines[2].split()[:1] == ["a"])
            assert terminal.lines[1].split()[:2] == ["id", "n"]
            first = terminal.lines[2].split()
            terminal.wait_for(lambda: terminal.lines[2].split()[1] != first[1])
            assert "3 × 2" in terminal.text
        node.kill()
        assert node.stderr is not None
        assert node.stderr.read() == ""
