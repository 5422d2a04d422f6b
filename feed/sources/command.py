"""A command as a source: run again and again, its output a table. A better `watch`.

One that goes on for more than a second is followed, as a pipe is: `tail -f`, `kubectl get -w`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from typing import IO, Final

import pyarrow as pa

from livetable.feed.base.addresses import without_secrets
from livetable.feed.errors import LivetableError
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.stdin import read_ready
from livetable.feed.sources.streamed import PAUSE, Streamed

_NOTHING: Final = " and printed nothing"

MAX_OUTPUT: Final = 256 << 20
"""More bytes of output than this are no table to look at."""

MAX_LIVE: Final = 64 << 20
"""More bytes of one that is followed grow without end, unless --limit or --key bounds its rows."""

PATIENCE: Final = 1.0
"""Seconds after which a command that has not ended is followed."""


class CommandError(LivetableError):
    """A command that can't be run, or whose output can't be read."""


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish a command's output until `stop` is set: what is wrong with it, as a note.

    Raises:
        CommandError: there is no such command.
    """
    publisher.set_source(settling=True)  # a script waits for all that the first run prints
    patience = PATIENCE
    while not stop.is_set():
        began = time.monotonic()
        try:
            _run_once(options, publisher, stop, patience)
        except FileNotFoundError:
            raise CommandError(f"there is no command {options.command[0]!r}") from None
        except (LivetableError, OSError) as error:
            if not stop.is_set():
                publisher.fail(str(error))
        publisher.set_source(settling=False)
        # It ends by itself: the next time nothing is shown before it has, or takes far longer.
        patience = max(PATIENCE, 2 * (time.monotonic() - began))
        # The next one begins when it is due, never before this one has ended.
        stop.wait(max(0.0, began + options.every - time.monotonic()))


def _run_once(
    options: argparse.Namespace, publisher: Publisher, stop: threading.Event, patience: float
) -> None:
    """Publish what a command prints; it is ended when `stop` is set.

    Args:
        options: What was asked for on the command line.
        publisher: Where it goes.
        stop: Ends it.
        patience: Seconds after which what it printed so far is shown.

    Raises:
        FileNotFoundError: there is no such command.
        CommandError: it failed; the sentence is its own.
    """
    command = options.command
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env=os.environ | {"COLUMNS": "1000", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            if stop.is_set():
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                return

    errors: list[bytes] = []
    threading.Thread(target=watch, daemon=True).start()
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
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            ended.set()
        process.wait()
        drain.join(1)
    if stop.is_set():
        return
    if process.returncode and not out.strip():
        said = b"".join(errors).decode("utf-8", "replace").strip().partition("\n")[0]
        code = process.returncode
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        said = without_secrets(said)  # what it was given, it may repeat
        raise CommandError(f"{command[0]} {how}" + (f": {said:.300}" if said else _NOTHING))
    try:
        shown = rows.finish()
    except LivetableError:
        if options.key:
            raise
        shown = False
    if not shown:  # nothing, or text that is no table
        publisher.set_source(unreadable=0, lines=())
        lines = out.decode(options.encoding or "utf-8", "replace").splitlines()
        publisher.send(pa.table({"line": pa.array(lines, pa.string())}))


def _followed(
    pipe: IO[bytes], rows: Streamed, name: str, *, bounded: bool, patience: float
) -> tuple[bytes, Streamed]:
    """Hand over what a command writes, at once when it goes on for long; return its beginning.

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
    """Read what is said until its end; of it the beginning is kept."""
    while data := pipe.read(65_536):
        if len(kept) < 4:
            kept.append(data)
