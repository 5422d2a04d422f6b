"""All measurements, as the table that the README carries: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from pathlib import Path

import psutil

from benchmarks import changing, hosting, loads, painting, producing, sizes, starting, taping
from benchmarks.effort import QUICK, THOROUGH
from benchmarks.measure import runtime_folder
from benchmarks.results import HEADER, Result

_ROW = re.compile(r"\| \d+ \|")
README = Path(__file__).parent.parent / "README.md"
GROUPS = {
    "painting": painting.run,
    "producing": producing.run,
    "changing": changing.run,
    "sizes": sizes.run,
    "loads": loads.run,
    "hosting": hosting.run,
    "starting": starting.run,
    "taping": taping.run,
}


def machine() -> str:
    """Return what the figures were measured on."""
    import textual

    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, Textual {textual.__version__}, shared and noisy"
    )


def write(results: list[Result]) -> None:
    """Put rows into the README's table; those that were not measured now stay as they are."""
    text = README.read_text()
    found = re.search(r"<!-- bench -->(.*)<!-- /bench -->", text, flags=re.DOTALL)
    assert found is not None
    rows = {line.split("|")[1].strip(): line for line in found[1].splitlines() if _ROW.match(line)}
    rows |= {result.number: str(result) for result in results}
    table = "\n".join([HEADER, *(rows[number] for number in sorted(rows, key=int))])
    block = f"<!-- bench -->\n{machine()}:\n\n{table}\n<!-- /bench -->"
    README.write_text(text.replace(found[0], block))


def main() -> int:
    """Run the groups that are named, or all; print each row as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="which, default: all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute for all: less exact, and without rows 5, 8 and 9",
    )
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    options = parser.parse_args()
    effort = QUICK if options.quick else THOROUGH
    print(machine(), HEADER, sep="\n", flush=True)
    results: list[Result] = []
    with runtime_folder() as folder:
        for name in options.groups or GROUPS:
            for result in GROUPS[name](folder, effort):
                print(result, flush=True)
                results.append(result)
    if options.write:
        write(results)
    print(f"{sum(result.met for result in results)} of {len(results)} targets met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
