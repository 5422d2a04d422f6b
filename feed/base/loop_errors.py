"""Log the errors of libraries' event loops as sentences, each once; and close such loops."""

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
    """Log each unhandled error of a loop once as a sentence, without a traceback.

    Args:
        loop: The loop.
        what: What it is for.
    """
    logged: set[str] = set()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:  # e.g. pending tasks when the loop ends: nothing to be done
            _log.debug("%s: %s", what, context.get("message"))
            return
        why = safe_str(error) or type(error).__name__
        if why not in logged and len(logged) < _MOST:  # a peer that floods must not fill the log
            logged.add(why)
            _log.warning("%s: %.200s", what, why)

    loop.set_exception_handler(handle)


def finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that are left in a stopped loop, then close it.

    Otherwise Python prints a traceback for each of them later.

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
    """Wait a while for cancelled tasks, and retrieve the errors of failed ones."""
    if tasks:
        done, _ = await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        await asyncio.gather(*done, return_exceptions=True)
