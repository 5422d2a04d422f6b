"""Feed processes that the viewer starts for itself, and ends with itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from types import TracebackType

from livetable.feed.directory import own_folder
from livetable.tui.target import Target

_RESTARTS = 10
_STEADY_SECONDS = 10.0  # a feed that lived this long may die as often again


class FeedProcess:
    """A `livetable-feed` of the viewer's own, on a private local socket.

    It ends when the `with` block does, and also when this process dies: it is tied to a pipe.

    Args:
        source: What it publishes.
        name: The table's name.
        options: More of its command line.

    Raises:
        RuntimeFolder: there is no folder for its socket.
    """

    def __init__(self, source: str, name: str, *options: str) -> None:
        folder = own_folder()
        _sweep(folder)
        path = folder / f".viewer-{os.getpid()}-{os.urandom(4).hex()}.sock"
        self._path = path
        self.target = Target(f"ipc://{path}", name)
        self._command = [
            sys.executable, "-m", "livetable.feed", source, "--name", name,
            "--bind", f"ipc://{path}", "--tied", *options,
        ]  # fmt: skip
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._process = self._start()
        self._watcher = threading.Thread(target=self._watch, name="livetable-source", daemon=True)
        self._watcher.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is the viewer's to handle
        )

    def _watch(self) -> None:
        """Start the feed again if it dies: what a stranger sent may have killed it."""
        left = _RESTARTS
        while left:
            began = time.monotonic()
            self._process.wait()
            if self._closing.wait(0.5):
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

    def __enter__(self) -> FeedProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


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


def foreign_feed(endpoint: str, *, pickle: bool) -> FeedProcess:
    """Return a feed process that reads a publisher which is not livetable's.

    Args:
        endpoint: The publisher's endpoint.
        pickle: Whether pickled DataFrames are admitted.
    """
    name = endpoint.split("://", 1)[1].replace("/", " ").strip()[-60:]
    return FeedProcess(endpoint, name, *(["--pickle"] if pickle else []))
