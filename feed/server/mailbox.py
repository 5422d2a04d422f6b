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
    """A job that another thread gives to the hub.

    Attributes:
        result: What the job returned.
        error: What the job raised.
        done: Whether the job ran.
        lock: Released when the job has run.
    """

    def __init__(self, job: Callable[[], Any]) -> None:
        self.job = job
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.lock = new_lock()
        self.lock.acquire()

    def run(self) -> None:
        """Run the job."""
        try:
            self.result = self.job()
        except BaseException as error:
            self.error = error
        self.done = True
        self.lock.release()


class Mailbox:
    """The jobs of the hub's thread. Any thread, signal handler or finalizer may post one.

    Attributes:
        owner: The id of the thread that runs the jobs.
        is_open: Whether that thread still runs.
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
        """Return the descriptor that becomes readable when there is something to do."""
        number: int = self._listen.fileno()
        return number

    @property
    def is_own(self) -> bool:
        """Whether the calling thread is the one that runs the jobs."""
        return thread_id() == self.owner

    def wake(self) -> None:
        """Wake the thread, so that it looks for work. Returns at once."""
        if self._woken:
            return
        self._woken = True
        try:
            self._alarm.send(b"\0")
        except OSError:  # the socket is full, so the thread wakes anyway; or it was closed
            return
        except BaseException:  # Ctrl-C: without this reset, nobody would wake the thread again
            self._woken = False
            raise

    def post(self, job: Callable[[], None]) -> None:
        """Add a job. Returns at once."""
        self._jobs.append(job)
        self.wake()

    def call(self, job: Callable[[], Any]) -> Any:
        """Run a job in the hub's thread. Return its result, None if it can't be waited for."""
        call = Call(job)
        self.post(call.run)
        self.wait(call, _CALL_SECONDS)
        if call.error is not None:
            raise call.error
        return call.result

    def wait(self, call: Call, seconds: float) -> None:
        """Wait until a call has run, at most so many seconds."""
        if self.is_own or sys.is_finalizing():
            return  # the hub's thread would wait for itself (a Publisher collected there)
        until = time.monotonic() + seconds
        while self.is_open and not call.done and time.monotonic() < until:
            call.lock.acquire(timeout=0.2)
            if not call.done:  # Ctrl-C may have come after a job was added, before the wake-up
                self._woken = False
                self.wake()

    def hear(self) -> None:
        """Read the wake-up bytes, so that the descriptor stops being readable."""
        with contextlib.suppress(OSError):
            self._listen.recv(4096)

    def work(self) -> None:
        """Run all jobs. Call it in the owner's thread."""
        self._woken = False  # first: reset later, a job added in between would not wake the thread
        self.finish()

    def finish(self) -> None:
        """Run the remaining jobs."""
        while self._jobs:
            self._jobs.popleft()()

    def close(self) -> None:
        """Close the sockets that wake the thread."""
        self._alarm.close()
        self._listen.close()

    def let_go(self) -> None:
        """Close the parent's sockets in a forked child."""
        for socket in (self._alarm, self._listen):
            with contextlib.suppress(OSError):
                socket.close()


_LONGEST_SECONDS: Final = 3600.0


class Poll:
    """Waits for sockets: by the system's `poll`, or by ZeroMQ's once it has ZeroMQ sockets.

    Args:
        mailbox: Wakes the thread that waits.

    Attributes:
        ready: The descriptors and sockets that the last `wait` found readable or writable.
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
        """Also wait until a ZeroMQ socket, or an object with a `fileno`, can be read."""
        if not self._is_zeromqs:
            self._use_zeromq()
            self._poller.register(self._mailbox.fileno(), self._read)
            self._polled.clear()
        self._sockets.add(source)
        self._poller.register(source, self._read)

    def remove(self, source: Any) -> None:
        """Stop waiting for a socket. Does nothing if it was never added."""
        if source in self._sockets:
            self._sockets.remove(source)
            self._poller.unregister(source)

    def wait(self, descriptors: dict[int, bool], seconds: float | None) -> None:
        """Wait until there is something to do.

        Args:
            descriptors: The connections to wait for. True: also wait until they can be written to.
            seconds: How long to wait at most, None for ever.
        """
        for fd in [fd for fd in self._polled if fd not in descriptors]:
            self._poller.unregister(fd)
            del self._polled[fd]
        for fd, write in descriptors.items():
            if self._polled.get(fd) is not write:
                self._poller.register(fd, self._read | (self._write if write else 0))
                self._polled[fd] = write
        timeout = None
        if seconds is not None:  # bounded: poll takes milliseconds as a 31-bit number
            timeout = int(min(max(0.0, seconds), _LONGEST_SECONDS) * 1000) + 1
        self.ready = {at for at, _ in self._poller.poll(timeout)}
        if self._mailbox.fileno() in self.ready:
            self._mailbox.hear()

    def _use_zeromq(self) -> None:
        import zmq  # costs nothing: whoever adds a ZeroMQ socket imported it

        self._poller, self._is_zeromqs = zmq.Poller(), True
        self._read, self._write = zmq.POLLIN, zmq.POLLOUT
