"""Waiting for conditions, never for time."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Text = TypeVar("Text", str, bytes)


def wait_for(condition: Callable[[], T], seconds: float = 20.0, what: str = "") -> T:
    """Return the first true value of `condition`, asked until then."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.005)


def without_hints(errors: str) -> str:
    """Return what stands on stderr without what is said only where a machine is busy."""
    lines = errors.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("livetable: waiting for "))


@contextmanager
def killed_after(process: subprocess.Popen[Text]) -> Iterator[subprocess.Popen[Text]]:
    """Give a process that is not there afterwards, also if the test failed.

    `with subprocess.Popen(...)` alone waits for its end: of one that serves, for ever.
    """
    with process:
        try:
            yield process
        finally:
            process.kill()


async def wait_until(condition: Callable[[], object], seen: Callable[[], object]) -> None:
    """Let an app in this process go on until `condition` holds; else say what was seen."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(seen())
