"""Event loops of other people's libraries, whose troubles are said in sentences, and once each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection
from typing import Any, Final

from livetable.feed.base.terminal_text import safe_str

_log = logging.getLogger("livetable.feed")
_MOST: Final = 20
_LAST_SECONDS: Final = 1.0


def hush(loop: asyncio.AbstractEventLoop, what: str) -> None:
    """Have what goes wrong in a loop, and nobody waits for, said once, not with a traceback each.

    Args:
        loop: The loop.
        what: What it is for.
    """
    logged: set[str] = set()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:  # of tasks that are left when a loop ends: nobody can do anything
            _log.debug("%s: %s", what, context.get("message"))
            return
        why = safe_str(error) or type(error).__name__
        if why not in logged and len(logged) < _MOST:  # who floods must not fill a log
            logged.add(why)
            _log.warning("%s: %.200s", what, why)

    loop.set_exception_handler(handle)


def finish(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop that does not run any more; what its libraries left in it is cancelled first.

    Else Python writes a traceback for each task when it finds them, at some later time.

    Args:
        loop: The loop.
    """
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    with contextlib.suppress(Exception):
        loop.run_until_complete(_ended(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait a while for tasks that were cancelled, and take the errors of those that failed."""
    if tasks:
        done, _ = await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        await asyncio.gather(*done, return_exceptions=True)
