"""A command as a source: run again and again, its output a table. A better `watch`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import IO, Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.publisher import Publisher
from livetable.feed.sources.lines import BadLines, Lines, last_of_each
from livetable.feed.sources.piped import ColumnsApart, form_of

_NOTHING: Final = " and printed nothing"
MAX_OUTPUT: Final = 256 << 20
"""More bytes of output than this are no table to look at."""


class CommandError(LivetableError):
    """A command that can't be run, or whose output can't be read."""


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish a command's output until `stop` is set: what is wrong with it, as a note.

    Raises:
        CommandError: there is no such command.
    """
    while not stop.is_set():
        began = time.monotonic()
        try:
            table = table_of(output_of(options.command, stop), options)
            publisher.send(table)
            publisher.note(None)
        except FileNotFoundError:
            raise CommandError(f"there is no command {options.command[0]!r}") from None
        except (LivetableError, OSError) as error:
            if not stop.is_set():
                publisher.fail(str(error))
        # The next one begins when it is due, never before this one has ended.
        stop.wait(max(0.0, began + options.every - time.monotonic()))


def output_of(command: list[str], stop: threading.Event) -> bytes:
    """Return what a command writes; it is ended when `stop` is set.

    Raises:
        FileNotFoundError: there is no such command.
        CommandError: it failed; the sentence is its own.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env=os.environ | {"COLUMNS": "1000", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    ended, out = threading.Event(), b""

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
            out = process.stdout.read(MAX_OUTPUT + 1)
            if len(out) > MAX_OUTPUT:
                raise CommandError(f"{command[0]} wrote more than {MAX_OUTPUT >> 20} MB: no table")
        finally:
            ended.set()
            if process.poll() is None and len(out) > MAX_OUTPUT:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        drain.join(1)
    if process.returncode and not out.strip():
        said = b"".join(errors).decode("utf-8", "replace").strip().partition("\n")[0]
        code = process.returncode
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise CommandError(f"{command[0]} {how}" + (f": {said:.300}" if said else _NOTHING))
    return out


def _keep(pipe: IO[bytes], kept: list[bytes]) -> None:
    """Read what is said until its end; of it the beginning is kept."""
    while data := pipe.read(65_536):
        if len(kept) < 4:
            kept.append(data)


def table_of(out: bytes, options: argparse.Namespace) -> pa.Table:
    """Return a command's output as a table: lines as they are, where they are none.

    Raises:
        LivetableError: it is no table with the key that was asked for.
    """
    form = form_of(out.lstrip(b"\r\n").partition(b"\n")[0], options.sep)
    text = out.lstrip(b"\r\n")
    if form == "columns":
        text = ColumnsApart(text.partition(b"\n")[0]).split(text, last=True)
    table = None
    with contextlib.suppress(BadLines):
        table = Lines(
            "csv" if form == "columns" else form,
            separator="\t" if form == "columns" else options.sep,
            encoding=options.encoding,
            types=options.types,
        ).add(text, last=True)
    if table is None:  # nothing but a header: `date`, or text that is none
        lines = out.decode(options.encoding, "replace").splitlines()
        return pa.table({"line": pa.array(lines, pa.string())})
    return last_of_each(table, options.key) if options.key else table
