"""The package that programs import: light, lazy, and with nothing in it but what it says."""

from __future__ import annotations

import subprocess
import sys

import livetable
import livetable.feed

HEAVY = ("pandas", "numpy", "pyarrow", "zmq", "textual", "rich", "asyncio", "importlib.metadata")


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_importing_it_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import livetable; dir(livetable)\n"
    code += "print(*sorted(set(sys.modules) - before))"
    loaded = run(code).split()
    assert "livetable" in loaded
    assert not [one for one in loaded if one in HEAVY or one.startswith("livetable.")]


def test_what_there_is_in_it() -> None:
    assert dir(livetable) == sorted(livetable.__all__)
    assert set(livetable.feed.__all__) == set(livetable.__all__) - {"LiveTable", "__version__"}
    for name in livetable.feed.__all__:
        assert getattr(livetable, name) is getattr(livetable.feed, name)
    assert livetable.LiveTable.__module__ == "livetable.tui.embed.live_table"
    assert livetable.__version__[0].isdigit()
    assert not hasattr(livetable, "nothing")


def test_a_publisher_by_it_loads_no_textual() -> None:
    code = "import sys; from livetable import Publisher, BadFrame; print('textual' in sys.modules)"
    assert run(code) == "False\n"


def test_it_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "livetable", "--version"], capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert livetable.__version__ in done.stdout
