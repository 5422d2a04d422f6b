"""Jobs that are done one after the other, without anybody waiting for a lock.

A lock would be waited for by who holds it: a signal handler, a finalizer, `__del__` run between any
two lines of whoever holds one. Here who comes while another is at it leaves its job, and who is at
it does that, too, before it goes. To wait for the job is a thing of its own, and bounded.
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
    """Something to be done once, in its turn.

    Args:
        act: Does it. What it raises is `error`.
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
        """Do it.

        Args:
            own: Whether it is the job of who runs it.

        Raises:
            BaseException: who runs it was interrupted (Ctrl-C, an alarm). Another's job is tried
                again then: the interrupt was not meant for that.
        """
        try:
            self.result = self._act()
            self.done = True  # at once: an interrupt in between would have it done twice
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
        """Have an error told otherwise: nobody waits for it any more."""
        self._on_error = on_error

    def wait(self, seconds: float) -> bool:
        """Wait until it is done; tell whether it is."""
        lock = new_lock()
        lock.acquire()
        self._waiting = lock  # before `done` is looked at, or the end could be missed
        return self.done or lock.acquire(timeout=seconds) or self.done


class Turns:
    """Does jobs, one at a time, in the thread of who comes or of who is at it.

    Args:
        after: Called when jobs were done, by who did them, with no turn held.
    """

    def __init__(self, after: Callable[[], object]) -> None:
        self._after = after
        self._jobs: deque[Job[Any]] = deque()
        self._at_it: dict[None, tuple[int, object]] = {}

    def post(self, job: Job[Any]) -> None:
        """Have a job done: now, or by who is at it, before that one goes."""
        self._jobs.append(job)
        self._work(job)

    def settle(self, job: Job[Any], seconds: float) -> bool:
        """Wait for a job that was posted; tell whether it is done.

        Not waited for is who is at it further down in this very thread, and nobody for long: who
        is at it may be in a signal handler, or collect somebody's garbage.
        """
        left = seconds
        while not job.done and left > 0:
            at_it = self._at_it.get(None)
            if at_it is not None and at_it[0] == thread_id():
                return False
            job.wait(min(_SLICE, left))
            left -= _SLICE
            if not job.done:
                self._work(job)  # who was at it may have been interrupted
        return job.done

    def _work(self, own: Job[Any]) -> None:
        me = (thread_id(), object())
        jobs, at_it = self._jobs, self._at_it
        did = False
        try:
            while jobs:  # again after the turn was given back: who came in between counts on it
                try:
                    if at_it.setdefault(None, me) is not me:
                        break
                    while jobs:
                        job = jobs[0]
                        if not job.done:  # else who did it was interrupted before it struck it off
                            did = True
                            job.run(own=job is own)
                        jobs.popleft()
                finally:
                    # No call stands in here: an interrupt comes after calls, and would leave the
                    # turn taken for ever.
                    if None in at_it and at_it[None] is me:
                        del at_it[None]
        finally:
            if did:
                self._after()
