"""What it costs to follow a file, and how soon a change is seen: `python -m benchmarks.followed`.

A CSV file to which ten lines a second are appended: the share of a core that its feed takes beyond
one that is told `--append-only`, and the time until a byte in the middle is seen to have changed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from benchmarks.measure import processor_seconds
from benchmarks.results import median
from livetable.feed.client.subscriber import Subscriber

SIZES: Final = (60, 400)
"""Megabytes: below what is compared at once after each change, and above it."""

_WATCH_SECONDS: Final = 10.0
_TRIES: Final = 3


def write(path: Path, megabytes: int) -> None:
    """Write a CSV file of so many megabytes."""
    line = b"2026-11-28T03:38:09,some text of a line,123456,0.125,%07d\n"
    block = b"".join(line % at for at in range(20_000))
    with path.open("wb") as file:
        file.write(b"at,what,n,x,id\n")
        while file.tell() < megabytes * 1_000_000:
            file.write(block)


class Appending:
    """Appends ten lines a second to a file, in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            with self._path.open("ab") as file:
                file.write(b"2026-11-28T03:38:09,one more,1,0.5,7\n")

    def __enter__(self) -> Appending:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def feed(path: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a feed that follows a file."""
    words = [sys.executable, "-m", "livetable.feed", str(path), "--name", "followed", *options]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read_whole(reader: Subscriber) -> None:
    """Read until nothing is new any more."""
    reader.get_arrow(timeout=60)
    with contextlib.suppress(TimeoutError):
        while True:
            reader.get_arrow(timeout=3)


def share(path: Path, *options: str) -> float:
    """Return the share of a core that following a file takes while it grows."""
    with feed(path, *options) as process:
        try:
            with Subscriber("followed") as reader:
                read_whole(reader)
            with Appending(path):
                time.sleep(2)
                began, used = time.monotonic(), processor_seconds(process.pid)
                time.sleep(_WATCH_SECONDS)
                return (processor_seconds(process.pid) - used) / (time.monotonic() - began)
        finally:
            process.kill()


def seen_after(path: Path) -> list[float]:
    """Return the seconds until a byte in the middle of a growing file is seen to have changed."""
    took = []
    with feed(path) as process, Subscriber("followed") as reader:
        try:
            read_whole(reader)
            with Appending(path):
                for number in range(_TRIES):
                    at = path.stat().st_size // 2
                    with path.open("r+b") as file:
                        file.seek(at)
                        at += file.read(200).index(b"\n2026") + 1
                        file.seek(at)
                        file.write(b"2%03d" % (100 + number))
                    began = time.monotonic()
                    while True:
                        table = reader.get_arrow(timeout=60)
                        if pc.any(pc.equal(pc.year(table.column("at")), 2100 + number)).as_py():
                            break
                    took.append(time.monotonic() - began)
        finally:
            process.kill()
    return took


def main() -> int:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), metavar="MB")
    options = parser.parse_args()
    print("| file | of a core | with --append-only | seen after, median | most |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="ltf", dir="/tmp") as name:
        os.environ |= {"XDG_RUNTIME_DIR": name, "XDG_CONFIG_HOME": f"{name}/config"}
        for size in options.sizes:
            path = Path(name) / "t.csv"
            write(path, size)
            whole, grown = share(path), share(path, "--append-only")
            took = seen_after(path)
            print(
                f"| {size} MB | {whole:.2f} | {grown:.2f} | {median(took):.2f} s "
                f"| {max(took):.2f} s |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
