"""Log for the feed's own threads, from another thread.

Logging handlers have locks. The thread that holds one may wait for the feed's thread (from a
finalizer or its own handler): a deadlock if the feed's thread waited for that lock.
"""

from __future__ import annotations

import logging
from typing import Any

from livetable.feed.base.native import start_thread, thread_id

_threads: set[int] = set()


def is_ours() -> None:
    """Mark this thread as one of the feed's, which must not wait for locks."""
    _threads.add(thread_id())


def not_ours() -> None:
    """Remove the mark: this thread ends."""
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
    except RuntimeError:  # the process is ending
        return
