"""Feed processes that the viewer starts for itself, and ends with itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

from livetable.feed.closing import Closing
from livetable.feed.directory import own_folder
from livetable.feed.errors import LivetableError
from livetable.tui.target import Target

_RESTARTS = 10
_STEADY_SECONDS = 10.0  # a feed that lived this long may die as often again


class NotReady(LivetableError):
    """A feed that can't do what it was started for; the sentence is its own."""


class FeedProcess(Closing):
    """A `livetable-feed` of the viewer's own, on a private local socket.

    It ends when the `with` block does, and also when this process dies: it is tied to a pipe.

    Args:
        source: What it publishes.
        name: The table's name; None where the source has tables of its own.
        options: More of its command line.
        data: A file descriptor that it reads; it is closed here. It can't be started again then.
        command: The command that it runs, of the source ``command``.
        waits: Whether to wait until it says that it is ready, or why it can't be.

    Raises:
        NotReady: it can't be; the sentence is the feed's own.
        RuntimeFolder: there is no folder for its socket.
    """

    def __init__(
        self,
        source: str,
        name: str | None,
        *options: str,
        data: int | None = None,
        waits: bool = False,
        command: Sequence[str] = (),
    ) -> None:
        folder = own_folder()
        _sweep(folder)
        path = folder / f".viewer-{os.getpid()}-{os.urandom(4).hex()}.sock"
        self._path = path
        self.target = Target(f"ipc://{path}", name)
        self._command = [
            sys.executable, "-m", "livetable.feed", *(() if command else (source,)),
            "--bind", f"ipc://{path}", "--tied",
            *(() if name is None else ("--name", name)), *options,
        ]  # fmt: skip
        self._waits = waits
        self._data = data
        if data is not None:
            self._command.append(f"--data={data}")
        if command:
            self._command += ["--", *command]
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._process = self._start()
        if waits:
            self._wait_until_ready()
        if data is not None:
            os.close(data)
        self._watcher = threading.Thread(target=self._watch, name="livetable-source", daemon=True)
        self._watcher.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if self._waits else subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is the viewer's to handle
            pass_fds=() if self._data is None else (self._data,),
        )

    def _wait_until_ready(self) -> None:
        told = self._process.stderr
        assert told is not None
        # It says one line or the other, or ends; then nobody listens, and it says no more.
        line = told.readline().decode("utf-8", "replace").strip()
        self._waits = False
        if line != "ready":
            self._process.kill()
            self._process.wait()
            told.close()
            raise NotReady(line.removeprefix("livetable-feed: ") or "the feed could not start")
        threading.Thread(target=_drop, args=(told,), daemon=True).start()

    def _watch(self) -> None:
        """Start the feed again if it dies: what a stranger sent may have killed it."""
        left = _RESTARTS
        while left:
            began = time.monotonic()
            self._process.wait()
            if self._closing.wait(0.5) or self._data is not None:
                return
            left = _RESTARTS if time.monotonic() - began > _STEADY_SECONDS else left - 1
            with self._starting:
                if self._closing.is_set():
                    return
                self._process = self._start()

    def close(self) -> None:
        """End the feed. A second call does nothing."""
        if self._closing.is_set():
            return
        with self._starting:
            self._closing.set()
        process = self._process
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._watcher.join(2)
        with contextlib.suppress(OSError):
            self._path.unlink()


def _drop(pipe: IO[bytes]) -> None:
    """Read what is said until its end: who says it would wait else, or fail."""
    with pipe, contextlib.suppress(OSError):
        while pipe.read(65_536):
            pass


def _sweep(folder: os.PathLike[str]) -> None:
    """Remove the sockets of viewers that were killed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            parts = entry.name.split("-")
            if entry.name.startswith(".viewer-") and len(parts) == 3 and parts[1].isdigit():
                try:
                    os.kill(int(parts[1]), 0)
                except ProcessLookupError:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
                except PermissionError:
                    pass


def foreign_feed(endpoint: str, options: Sequence[str]) -> FeedProcess:
    """Return a feed process that reads a publisher which is not livetable's.

    Args:
        endpoint: The publisher's endpoint.
        options: More of the feed's command line.

    Raises:
        BadKey: it is a feed's that is known by its key.
    """
    from livetable.feed.keys import check_plain

    check_plain(endpoint)
    name = endpoint.split("://", 1)[1].replace("/", " ").strip()[-60:]
    return FeedProcess(endpoint, name, *options)
