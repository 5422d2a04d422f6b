"""Waiting for conditions, never for time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


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


async def wait_until(condition: Callable[[], object], seen: Callable[[], object]) -> None:
    """Let an app in this process go on until `condition` holds; else say what was seen."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(seen())
