"""Run jobs one after the other without a lock.

With a lock, a signal handler or finalizer could deadlock: it may interrupt the very code that holds
the lock. Here a caller that finds another one at work leaves its job in a queue, and the one at
work runs it before it returns. Waiting for the job is a separate, bounded step.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from livetable.feed.base.native import new_lock, thread_id
from livetable.feed.errors import LivetableError

T = TypeVar("T")

_TRIES: Final = 2
_SLICE: Final = 0.02


class Job(Generic[T]):
    """A function to be run once, in its turn.

    Args:
        act: The function. Its exception becomes `error`.
    """

    def __init__(self, act: Callable[[], T]) -> None:
        self._act = act
        self.done = False
        self.result: T | None = None
        self.error: Exception | None = None
        self._tries = 0
        self._waiting: Any = None
        self._on_error: Callable[[Exception], object] | None = None

    def run(self, *, own: bool) -> None:
        """Run the function.

        Args:
            own: Whether the caller runs its own job.

        Raises:
            BaseException: the caller was interrupted (Ctrl-C, an alarm). Another caller's job is
                tried again then, as the interrupt was not meant for it.
        """
        try:
            self.result = self._act()
            self.done = True  # before anything else: an interrupt in between would run it twice
        except Exception as error:
            self._tries += 1
            if not own and self._tries < _TRIES and not isinstance(error, LivetableError):
                raise
            self.error = error
            self.done = True
        except BaseException:
            self.done = own
            raise
        finally:
            if self._waiting is not None:
                with contextlib.suppress(RuntimeError):  # it was released already
                    self._waiting.release()
        if self.error is not None and self._on_error is not None:
            self._on_error(self.error)

    def abandon(self, on_error: Callable[[Exception], object]) -> None:
        """Report an error through a callback: nobody waits for the job any more."""
        self._on_error = on_error

    def wait(self, seconds: float) -> bool:
        """Wait until it is done; tell whether it is."""
        lock = new_lock()
        lock.acquire()
        self._waiting = lock  # before `done` is looked at, or the end could be missed
        return self.done or lock.acquire(timeout=seconds) or self.done


class Turns:
    """Runs jobs one at a time, in the calling thread or in that of the caller at work.

    Args:
        after: Called after jobs were run, in the thread that ran them, outside of any turn.
    """

    def __init__(self, after: Callable[[], object]) -> None:
        self._after = after
        self._jobs: deque[Job[Any]] = deque()
        self._at_it: dict[None, tuple[int, object]] = {}

    def post(self, job: Job[Any]) -> None:
        """Run a job now, or leave it to the caller that is at work."""
        self._jobs.append(job)
        self._work(job)

    def settle(self, job: Job[Any], seconds: float) -> bool:
        """Wait for a posted job; tell whether it is done.

        Returns at once if the caller at work was interrupted by this very code (same thread).
        Otherwise the wait is bounded: the caller at work may itself be held up in a finalizer.
        """
        left = seconds
        while not job.done and left > 0:
            at_it = self._at_it.get(None)
            if at_it is not None and at_it[0] == thread_id():
                return False
            job.wait(min(_SLICE, left))
            left -= _SLICE
            if not job.done:
                self._work(job)  # the caller at work may have been interrupted
        return job.done

    def _work(self, own: Job[Any]) -> None:
        me = (thread_id(), object())
        jobs, at_it = self._jobs, self._at_it
        did = False
        try:
            while jobs:  # again after the turn was given back: jobs posted in between rely on it
                try:
                    if at_it.setdefault(None, me) is not me:
                        break
                    while jobs:
                        job = jobs[0]
                        if not job.done:  # else it was run, but an interrupt came before popleft
                            did = True
                            job.run(own=job is own)
                        jobs.popleft()
                finally:
                    # No function call in here: an interrupt is delivered after calls, and would
                    # leave the turn taken for ever.
                    if None in at_it and at_it[None] is me:
                        del at_it[None]
        finally:
            if did:
                self._after()
