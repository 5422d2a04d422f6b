"""What the feed's own threads have to say: said by another thread.

A handler of `logging` has a lock. Whoever holds it may be waiting for the feed's thread, from a
finalizer or a handler of its own; that thread must not wait for it in turn.
"""

from __future__ import annotations

import logging
from typing import Any

from livetable.feed.base.native import start_thread, thread_id

_threads: set[int] = set()


def is_ours() -> None:
    """Note that this thread is one that nobody may hold up."""
    _threads.add(thread_id())


def not_ours() -> None:
    """Note that this thread ends."""
    _threads.discard(thread_id())


def tell(
    log: logging.Logger, sentence: str, *parts: Any, error: BaseException | None = None
) -> None:
    """Log a warning, or an error with its traceback."""
    level = logging.WARNING if error is None else logging.ERROR

    def say() -> None:
        log.log(level, sentence, *parts, exc_info=error)

    if thread_id() not in _threads:
        say()
        return
    try:
        start_thread(say)
    except RuntimeError:  # on the way out nothing is told any more
        return
