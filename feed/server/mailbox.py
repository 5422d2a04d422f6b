"""Jobs that other threads leave for the hub's thread, and what that thread waits for."""

from __future__ import annotations

import contextlib
import select
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


_LONGEST_SECONDS: Final = 3600.0


class Poll:
    """What the feed's thread waits for: the system's `poll`, or ZeroMQ's once it has sockets there.

    Args:
        mailbox: Wakes it.

    Attributes:
        ready: What can be read or written to since the last `wait`: descriptors and sockets.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self.ready: set[Any] = set()
        self._mailbox = mailbox
        self._sockets: set[Any] = set()
        self._is_zeromqs = False
        self._polled: dict[int, bool] = {}
        try:
            self._poller = original("select", "poll")()
            self._read, self._write = select.POLLIN, select.POLLOUT
        except AttributeError:  # Windows has none
            self._use_zeromq()
        self._poller.register(mailbox.fileno(), self._read)

    def add(self, source: Any) -> None:
        """Wait until a socket of ZeroMQ's, or what has a `fileno`, can be read, too."""
        if not self._is_zeromqs:
            self._use_zeromq()
            self._poller.register(self._mailbox.fileno(), self._read)
            self._polled.clear()
        self._sockets.add(source)
        self._poller.register(source, self._read)

    def remove(self, source: Any) -> None:
        """Wait for it no more, if it was waited for."""
        if source in self._sockets:
            self._sockets.remove(source)
            self._poller.unregister(source)

    def wait(self, descriptors: dict[int, bool], seconds: float | None) -> None:
        """Wait until there is something to do.

        Args:
            descriptors: The connections there are, and of which also until they can be written to.
            seconds: How long; None: for ever.
        """
        for fd in [fd for fd in self._polled if fd not in descriptors]:
            self._poller.unregister(fd)
            del self._polled[fd]
        for fd, write in descriptors.items():
            if self._polled.get(fd) is not write:
                self._poller.register(fd, self._read | (self._write if write else 0))
                self._polled[fd] = write
        timeout = None
        if seconds is not None:  # bounded: no more milliseconds are taken than fit 31 bits
            timeout = int(min(max(0.0, seconds), _LONGEST_SECONDS) * 1000) + 1
        self.ready = {at for at, _ in self._poller.poll(timeout)}
        if self._mailbox.fileno() in self.ready:
            self._mailbox.hear()

    def _use_zeromq(self) -> None:
        import zmq  # by now loaded: what is added is ZeroMQ's

        self._poller, self._is_zeromqs = zmq.Poller(), True
        self._read, self._write = zmq.POLLIN, zmq.POLLOUT
