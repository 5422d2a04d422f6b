"""What other threads have the hub's thread do, and what wakes it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from livetable.feed.base.native import new_lock, original, thread_id

_CALL_SECONDS: Final = 10.0


class Call:
    """A job of another thread's that the hub does.

    Attributes:
        result: What it returned.
        error: What it raised.
        done: Whether it was done.
        lock: Released when it is.
    """

    def __init__(self, job: Callable[[], Any]) -> None:
        self.job = job
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.lock = new_lock()
        self.lock.acquire()

    def run(self) -> None:
        """Do it."""
        try:
            self.result = self.job()
        except BaseException as error:
            self.error = error
        self.done = True
        self.lock.release()


class Mailbox:
    """The jobs of the hub's thread. Any thread, signal handlers and finalizers may leave some.

    Attributes:
        owner: The thread that does them.
        is_open: Whether it still does.
    """

    def __init__(self) -> None:
        self.owner: int | None = None
        self.is_open = True
        self._jobs: deque[Callable[[], None]] = deque()
        self._alarm, self._listen = original("socket", "socketpair")()
        self._alarm.setblocking(False)
        self._listen.setblocking(False)
        self._woken = False

    def fileno(self) -> int:
        """Return the descriptor that can be read when there is something to do."""
        number: int = self._listen.fileno()
        return number

    @property
    def is_own(self) -> bool:
        """Whether the thread that asks is the one that does the jobs."""
        return thread_id() == self.owner

    def wake(self) -> None:
        """Have the thread look at what there is. Returns at once."""
        if self._woken:
            return
        self._woken = True
        try:
            self._alarm.send(b"\0")
        except OSError:  # it is full, so it wakes; or all is over
            return
        except BaseException:  # Ctrl-C: that nobody was woken must not be forgotten
            self._woken = False
            raise

    def post(self, job: Callable[[], None]) -> None:
        """Leave a job. Returns at once."""
        self._jobs.append(job)
        self.wake()

    def call(self, job: Callable[[], Any]) -> Any:
        """Have a job done; return what it returns, None if that can't be waited for."""
        call = Call(job)
        self.post(call.run)
        self.wait(call, _CALL_SECONDS)
        if call.error is not None:
            raise call.error
        return call.result

    def wait(self, call: Call, seconds: float) -> None:
        """Wait until a call was run, so long at most."""
        if self.is_own or sys.is_finalizing():
            return  # a publisher collected here: waiting for ourselves would last for ever
        until = time.monotonic() + seconds
        while self.is_open and not call.done and time.monotonic() < until:
            call.lock.acquire(timeout=0.2)
            if not call.done:  # Ctrl-C may have come between a job and the alarm
                self._woken = False
                self.wake()

    def hear(self) -> None:
        """Take in that it was woken: the alarm can be read."""
        with contextlib.suppress(OSError):
            self._listen.recv(4096)

    def work(self) -> None:
        """Do all jobs there are. In the owner's thread."""
        self._woken = False  # before what it announces is looked at, or news could be missed
        self.finish()

    def finish(self) -> None:
        """Do what is left, and be woken no more."""
        while self._jobs:
            self._jobs.popleft()()

    def close(self) -> None:
        """Close what wakes the thread."""
        self._alarm.close()
        self._listen.close()

    def let_go(self) -> None:
        """In a forked child: close what is open here, it is the parent's."""
        for socket in (self._alarm, self._listen):
            with contextlib.suppress(OSError):
                socket.close()
