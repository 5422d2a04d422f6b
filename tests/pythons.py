"""`python -m tests.pythons [--newest] [VERSION…]`: run the tests on each Python there is.

Looks on PATH and in `~/.pyenv/versions`. Each gets an environment of its own, `.venv-VERSION`, with
what the project's files install. Exit code 1 if the tests of one fail.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
OLDEST: Final = (3, 11)
_SECONDS: Final = 1800
_VERSION: Final = "import sys; print('%d.%d' % sys.version_info[:2])"


def interpreters() -> dict[tuple[int, int], Path]:
    """Return the Pythons that livetable supports, one for each version."""
    places = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    places += sorted(Path.home().glob(".pyenv/versions/*/bin"), reverse=True)
    found: dict[tuple[int, int], Path] = {}
    for place in places:
        for path in sorted(place.glob("python3*")):
            if re.fullmatch(r"python3(\.\d+)?", path.name) and os.access(path, os.X_OK):
                version = _version_of(path)
                if version is not None and version >= OLDEST:
                    found.setdefault(version, path)
    return dict(sorted(found.items()))


def _version_of(path: Path) -> tuple[int, int] | None:
    done = subprocess.run(
        [path, "-c", _VERSION], capture_output=True, text=True, timeout=60, check=False
    )
    numbers = re.fullmatch(r"(\d+)\.(\d+)\n", done.stdout)
    return None if numbers is None else (int(numbers[1]), int(numbers[2]))


def run_on(version: tuple[int, int], python: Path) -> bool:
    """Install livetable for a Python, and run the tests; tell whether they passed."""
    name = ".".join(map(str, version))
    folder = ROOT / f".venv-{name}"
    commands: list[list[str | Path]] = [
        [python, "-m", "venv", folder],
        [folder / "bin/pip", "install", "-q", "-e", ".[dev]"],
        [folder / "bin/mypy", "-p", "livetable"],
        [folder / "bin/pytest", "-q", "-n", "6", "--dist", "worksteal"],
    ]
    environment = os.environ | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for command in commands:
        print(f"+ Python {name}:", *command, flush=True)
        done = subprocess.run(command, cwd=ROOT, env=environment, timeout=_SECONDS, check=False)
        if done.returncode:
            return False
    return True


def main() -> int:
    """Run the tests on the Pythons that are named, or on all; return 1 if some failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", help="which, e.g. 3.13; default: all there are")
    parser.add_argument("--newest", action="store_true", help="only the newest one there is")
    parser.add_argument("--list", action="store_true", help="say which there are")
    options = parser.parse_args()
    found = interpreters()
    if options.list:
        print(*(f"{major}.{minor} {path}" for (major, minor), path in found.items()), sep="\n")
        return 0
    if options.newest:
        found = dict(list(found.items())[-1:])
    wanted = {tuple(map(int, one.split("."))) for one in options.versions}
    passed = {
        version: run_on(version, path)
        for version, path in found.items()
        if not wanted or version in wanted
    }
    for (major, minor), is_green in passed.items():
        print(f"Python {major}.{minor}: {'passed' if is_green else 'FAILED'}")
    return int(not passed or not all(passed.values()))


if __name__ == "__main__":
    sys.exit(main())
