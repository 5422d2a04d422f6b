"""Runs a command repeatedly and publishes its output as a table: a better `watch`.

A command that runs for more than a second is followed like a pipe: `tail -f`, `kubectl get -w`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import pyarrow as pa

from livetable.feed.base.addresses import without_secrets
from livetable.feed.errors import LivetableError
from livetable.feed.protocol.names import name_from
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.publish import Publish
from livetable.feed.sources.stdin import read_ready
from livetable.feed.sources.streamed import PAUSE, Streamed

_NOTHING: Final = " and printed nothing"

MAX_OUTPUT: Final = 256 << 20
"""The most bytes of output to read as one table."""

MAX_LIVE: Final = 64 << 20
"""The most bytes of a followed command's output, unless --limit or --key bounds its rows."""

PATIENCE: Final = 1.0
"""Seconds after which a command that has not ended is followed."""


class CommandError(LivetableError):
    """A command that can't be run, or whose output can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(TextOptions):
    """What is run, and how its output is read.

    Attributes:
        command: The command and its arguments.
        every: Seconds from one run to the next.
    """

    command: Sequence[str]
    every: float = 2.0


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish a command's output until `stop` is set: what is wrong with it, as a note.

    Raises:
        CommandError: there is no such command.
    """
    name = options.name or name_from(Path(options.command[0]).name, "command")
    with publish(name, key=options.key, limit=options.limit) as publisher:
        _run_again_and_again(options, publisher, stop)


def _run_again_and_again(options: Options, publisher: Publisher, stop: threading.Event) -> None:
    publisher.set_source(settling=True)  # scripts wait until the first run has ended
    patience = PATIENCE
    while not stop.is_set():
        began = time.monotonic()
        try:
            _run_once(options, publisher, stop, patience)
        except FileNotFoundError:
            raise CommandError(f"no command {options.command[0]!r}: check its name") from None
        except (LivetableError, OSError) as error:
            if not stop.is_set():
                publisher.fail(str(error))
        publisher.set_source(settling=False)
        # It ends by itself: the next time nothing is shown before it has, or takes far longer.
        patience = max(PATIENCE, 2 * (time.monotonic() - began))
        # Start the next run when it is due, but never before this one has ended.
        stop.wait(max(0.0, began + options.every - time.monotonic()))


def _run_once(
    options: Options, publisher: Publisher, stop: threading.Event, patience: float
) -> None:
    """Publish a command's output; end the command when `stop` is set.

    Args:
        options: What was asked for on the command line.
        publisher: Where it goes.
        stop: Ends it.
        patience: Seconds after which what it printed so far is shown.

    Raises:
        FileNotFoundError: there is no such command.
        CommandError: it failed; the sentence is its own.
    """
    # Long, as what is started here must be ended here.
    command = options.command
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env=os.environ | {"COLUMNS": "1000", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    ended = threading.Event()
    watcher = threading.Thread(target=_end_with, args=(process, ended, stop), daemon=True)
    watcher.start()
    errors: list[bytes] = []
    assert process.stdout is not None
    assert process.stderr is not None
    drain = threading.Thread(target=_keep, args=(process.stderr, errors), daemon=True)
    drain.start()
    with process:
        try:
            out, rows = _followed(
                process.stdout,
                Streamed(options, publisher, held=True),
                command[0],
                bounded=options.limit is not None or options.key is not None,
                patience=patience,
            )
        except BaseException:
            _kill(process)
            raise
        finally:
            ended.set()
        process.wait()
        drain.join(1)
    if not stop.is_set():
        if process.returncode and not out.strip():
            raise CommandError(_failure(command[0], process.returncode, b"".join(errors)))
        _finish(rows, out, options, publisher)


def _end_with(
    process: subprocess.Popen[bytes], ended: threading.Event, stop: threading.Event
) -> None:
    """Kill a process and its children if `stop` is set before it has ended."""
    while not ended.wait(0.2):
        if stop.is_set():
            _kill(process)
            return


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _failure(name: str, code: int, errors: bytes) -> str:
    """Return how a command failed, and the first line of its errors."""
    message = errors.decode("utf-8", "replace").strip().partition("\n")[0]
    how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
    message = without_secrets(message)  # it may repeat a password it was given
    return f"{name} {how}" + (f": {message:.300}" if message else _NOTHING)


def _finish(rows: Streamed, out: bytes, options: Options, publisher: Publisher) -> None:
    """Show the rest of a table; show text that is not a table as lines."""
    try:
        is_table = rows.finish()
    except LivetableError:
        if options.key:
            raise
        is_table = False
    if not is_table:
        publisher.set_source(unreadable=0, lines=())
        lines = out.decode(options.encoding or "utf-8", "replace").splitlines()
        publisher.send(pa.table({"line": pa.array(lines, pa.string())}))


def _followed(
    pipe: IO[bytes], rows: Streamed, name: str, *, bounded: bool, patience: float
) -> tuple[bytes, Streamed]:
    """Hand over what a command writes, at once when it runs for long; return its beginning.

    Raises:
        CommandError: it writes too much, of which nothing is `bounded`.
    """
    source, until = pipe.fileno(), time.monotonic() + patience
    waits = select.poll()
    waits.register(source, select.POLLIN | select.POLLHUP)
    kept = b""
    size, live = 0, False
    while True:
        left = PAUSE if live else until - time.monotonic()
        if not waits.poll(max(0, int(left * 1000))):
            if live:
                rows.pause()
                waits.poll()
            else:
                live = True
                rows.show()
        data = read_ready(source)
        if not data:
            return kept, rows
        size += len(data)
        most = MAX_LIVE if live else MAX_OUTPUT
        if size > most and not (live and bounded):
            raise CommandError(
                f"{name} wrote more than {most >> 20} MB: keep the newest rows with --limit N"
            )
        if not live:
            kept += data
        elif not kept.strip():
            kept = data[:100]
        rows.add(data)
        if not live and time.monotonic() >= until:
            live = True
            rows.show()


def _keep(pipe: IO[bytes], kept: list[bytes]) -> None:
    """Read the errors to their end, but keep only the beginning."""
    while data := pipe.read(65_536):
        if len(kept) < 4:
            kept.append(data)
