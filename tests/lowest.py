"""`python -m tests.lowest`: print the oldest versions that pyproject.toml allows, a line each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def main() -> None:
    """Print a line for each dependency of users; what tests need is not held down."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"]]
    needed += [one for name, ones in extras.items() if name not in ("all", "dev") for one in ones]
    for one in needed:
        found = re.match(r"([\w-]+)>=([\d.]+)", one)
        assert found is not None, one
        print(f"{found[1]}=={found[2]}")
    print("numpy==1.26.4")  # nothing of ours asks for a NumPy: pandas and Arrow do


if __name__ == "__main__":
    main()
