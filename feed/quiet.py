"""Event loops of other people's libraries, whose troubles are said in sentences, and once each."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from livetable.feed.labels import safe_str

_log = logging.getLogger("livetable.feed")
_MOST: Final = 20


def hush(loop: asyncio.AbstractEventLoop, what: str) -> None:
    """Have what goes wrong in a loop, and nobody waits for, said once, not with a traceback each.

    Args:
        loop: The loop.
        what: What it is for.
    """
    said: set[str] = set()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        why = str(context.get("message", "")) if error is None else safe_str(error)
        why = why or type(error).__name__
        if why not in said and len(said) < _MOST:  # who floods must not fill a log
            said.add(why)
            _log.warning("%s: %.200s", what, why)

    loop.set_exception_handler(handle)
