"""Feed processes that the viewer starts, and that end with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from livetable.feed.base.addresses import shown, shown_command
from livetable.feed.base.closing import Closing
from livetable.feed.base.command_line import AWAY, SAID_SECONDS, say, without_sockets
from livetable.feed.errors import LivetableError
from livetable.feed.local.endpoints import MAX_PATH
from livetable.feed.local.folders import own_folder
from livetable.feed.local.viewer_sockets import sweep
from livetable.feed.sources.source_table import by_scheme
from livetable.tui.target import Target
from livetable.tui.text import places

_RESTARTS = 10
_SAID_BYTES = 4096  # longer lines are split: a feed may print anything
_STEADY_SECONDS = 10.0  # after this long, a feed's restarts are counted from 0 again


class NotReady(LivetableError):
    """A feed process could not start; the sentence is its own."""


class FeedProcess(Closing):
    """A `livetable-feed` process on a private local socket.

    It ends with the `with` block, and also if this process dies: it watches a pipe.

    Args:
        source: The source to publish.
        name: The table's name; None if the source names its tables.
        title: The source's name for a person; `source` if None.
        options: More command line arguments.
        data: A file descriptor to read from; it is closed here. The process is not restarted then.
        command: The command to run, for the source ``command``.
        waits: Whether to wait until the process is ready or has failed.

    Raises:
        NotReady: it failed; the sentence is the process's own.
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
        title: str | None = None,
    ) -> None:
        self.title = title or _title_of(source, command)
        self._awaits = _awaited(source, self.title)
        self.failure: str | None = None
        self.over = False
        folder = own_folder()
        sweep()
        path = folder / f".viewer-{os.getpid()}-{os.urandom(4).hex()}.sock"
        if len(os.fsencode(path)) > MAX_PATH:
            raise NotReady(
                f"{folder} is too long for a socket's path. Use a shorter XDG_RUNTIME_DIR"
            )
        self._path = path
        self.target = Target(f"ipc://{path}", name)
        # Every user can read the command lines of processes: passwords go through standard input.
        visible, words = shown(source), shown_command(command)
        self._hidden: str | Sequence[str] | None = None
        if (visible, words) != (source, list(command)):
            self._hidden = command or source
            options = (*options, "--source-on-stdin")
        self._command = [
            sys.executable, "-m", "livetable.feed", *(() if command else (visible,)),
            "--bind", f"ipc://{path}", "--tied",
            *(() if name is None else ("--name", name)), *options,
        ]  # fmt: skip
        self._data = data
        if data is not None:
            self._command.append(f"--data={data}")
        if command:
            self._command += ["--", *words]
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._listeners: list[Callable[[], object]] = []
        self._process, self._said = self._start()
        if waits:
            self._wait_until_ready()
        if data is not None:
            os.close(data)
        places.add(self.target.endpoint or "", self)
        self._watcher = threading.Thread(target=self._watch, name="livetable-source", daemon=True)
        self._watcher.start()

    def _start(self) -> tuple[subprocess.Popen[bytes], _Said]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # or Ctrl-C in the terminal would also end the feed
            pass_fds=() if self._data is None else (self._data,),
        )
        assert process.stderr is not None
        assert process.stdin is not None
        if self._hidden is not None:
            with contextlib.suppress(OSError):  # it died at once; `_watch` handles that
                process.stdin.write(json.dumps(self._hidden).encode() + b"\n")
                process.stdin.flush()
        return process, _Said(process.stderr)

    @property
    def awaits(self) -> str:
        """What the viewer is waiting for until there is a table, e.g. ``rows of orders.csv``."""
        newest = self._said.newest
        if not newest.startswith(AWAY):
            return self._awaits
        return f"{self._awaits}, which {newest.removeprefix(AWAY)}"

    def _wait_until_ready(self) -> None:
        # The process prints one of these lines, or ends.
        line = self._said.first(SAID_SECONDS)
        if line is None:
            say("livetable", f"waiting for {self.awaits}")
            line = self._said.first(None) or ""
        if line != "ready" and not line.startswith(AWAY):
            self._process.kill()
            self._process.wait()
            _close_input(self._process)
            raise NotReady(_sentence(line) or "The feed could not start")

    def _watch(self) -> None:
        """Restart the feed if it dies: bad input from outside may have killed it."""
        left = _RESTARTS
        while left:
            began = time.monotonic()
            code = self._process.wait()
            if self._closing.is_set():
                return
            left = _RESTARTS if time.monotonic() - began > _STEADY_SECONDS else left - 1
            again = self._data is None and left > 0
            sentence = _sentence(self._said.last())
            self.over = not again
            if code > 0 and sentence:  # it gave a reason, and would fail again
                self._fail(sentence)
            elif not again:
                how = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
                self._fail(f"The process that reads {self.title} {how}")
            if self._closing.wait(0.5) or not again:
                return
            with self._starting:
                if self._closing.is_set():
                    return
                dead, (self._process, self._said) = self._process, self._start()
            _close_input(dead)

    def listen(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Call `callback`, from another thread, when the feed fails; at once if it has failed.

        Returns:
            A function that stops the calls.
        """
        self._listeners.append(callback)
        if self.failure is not None:
            callback()

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(callback)

        return end

    def _fail(self, sentence: str) -> None:
        self.failure = sentence
        for callback in tuple(self._listeners):
            callback()

    def close(self) -> None:
        """End the feed. A second call does nothing."""
        if self._closing.is_set():
            return
        with self._starting:
            self._closing.set()
        process = self._process
        _close_input(process)
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        places.remove(self.target.endpoint or "")
        self._watcher.join(2)
        with contextlib.suppress(OSError):
            self._path.unlink()


class _Said:
    """Reads a process's stderr in a thread until its end: an unread pipe would block the process.

    Args:
        pipe: The process's stderr; closed at its end.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._first: str | None = None
        self._last = ""
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._read, name="livetable-said", daemon=True)
        self._thread.start()

    def first(self, seconds: float | None) -> str | None:
        """Wait for the first line; return "" if there is none, None if it is not in time."""
        return (self._first or "") if self._told.wait(seconds) else None

    @property
    def newest(self) -> str:
        """The last line so far, "" if there is none."""
        return self._last

    def last(self) -> str:
        """Return the last line of a process that has ended, "" if there is none."""
        self._thread.join(1)  # with a limit: a child process may keep the pipe open
        return self._last

    def _read(self) -> None:
        with self._pipe, contextlib.suppress(OSError, ValueError):
            while line := self._pipe.readline(_SAID_BYTES):
                if text := line.decode("utf-8", "replace").strip():
                    self._last = text
                    if self._first is None:
                        self._first = text
                        self._told.set()
        self._told.set()


def _sentence(line: str) -> str:
    return without_sockets(line.removeprefix("livetable-feed: "))


def _title_of(source: str, command: Sequence[str]) -> str:
    if command:
        return os.path.basename(command[0])
    if source == "-":
        return "standard input"
    return shown(source) if "://" in source else os.path.basename(source.rstrip("/")) or source


def _awaited(source: str, title: str) -> str:
    if source == "processes":
        return "the processes of this machine"
    published = by_scheme(source)
    if published is not None and published.kind == "endpoint":
        return f"a frame from {title}"
    if published is not None:
        return f"a table at {title}"
    return f"rows on {title}" if source == "-" else f"rows of {title}"


def foreign_feed(endpoint: str, options: Sequence[str]) -> FeedProcess:
    """Start a feed process that reads a publisher which is not livetable's.

    Args:
        endpoint: The publisher's endpoint.
        options: More of the feed's command line.

    Raises:
        BadKey: the endpoint belongs to a trusted livetable feed.
    """
    from livetable.feed.curve.keys import check_plain

    check_plain(endpoint)
    name = endpoint.split("://", 1)[1].replace("/", " ").strip()[-60:]
    return FeedProcess(endpoint, name, *options)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that a feed watches: it then ends. Unread input is lost."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
