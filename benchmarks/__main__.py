"""All measurements, as the table that the README carries: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from pathlib import Path

import psutil

from benchmarks import loads, painting, producing, sizes, starting
from benchmarks.measure import runtime_folder
from benchmarks.results import HEADER, Result, as_table

README = Path(__file__).parent.parent / "README.md"
GROUPS = {
    "painting": painting.run,
    "producing": producing.run,
    "sizes": sizes.run,
    "loads": loads.run,
    "starting": starting.run,
}


def machine() -> str:
    """Return what the figures were measured on."""
    import textual

    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, Textual {textual.__version__}, shared and noisy"
    )


def main() -> int:
    """Run the groups that are named, or all; print each row as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="which, default: all")
    parser.add_argument("--quick", action="store_true", help="about a minute, less exact")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    options = parser.parse_args()
    seconds = 3.0 if options.quick else 60.0
    print(machine(), HEADER, sep="\n", flush=True)
    results: list[Result] = []
    with runtime_folder() as folder:
        for name in options.groups or GROUPS:
            length = seconds if name in ("loads", "starting") else min(seconds, 10.0)
            for result in GROUPS[name](folder, length):
                print(result, flush=True)
                results.append(result)
    results.sort(key=lambda result: int(result.number))
    if options.write:
        text = README.read_text()
        block = f"<!-- bench -->\n{machine()}:\n\n{as_table(results)}\n<!-- /bench -->"
        README.write_text(
            re.sub(r"<!-- bench -->.*<!-- /bench -->", lambda _: block, text, flags=re.DOTALL)
        )
    print(f"{sum(result.met for result in results)} of {len(results)} targets met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
