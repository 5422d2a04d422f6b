"""The `livetable-feed` command: publish something as a live table, from a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import threading
from collections.abc import Sequence
from typing import Final

from livetable.feed.base.command_line import (
    Parser,
    add_foreign_options,
    add_text_options,
    count,
    fail,
    from_one,
    pace,
    positive,
    run_command,
    say_plainly,
    sentence_of,
    split_command,
)
from livetable.feed.base.signals import heed, leave_at_last
from livetable.feed.errors import LivetableError
from livetable.feed.local.endpoints import check_address, check_endpoint
from livetable.feed.protocol.names import check_name
from livetable.feed.sources.file_types import form_of, is_folder, path_of
from livetable.feed.sources.source_table import FILE_SUFFIXES, TAPE, by_suffix, by_word

PROGRAM: Final = "livetable-feed"

MOST_CELLS: Final = 100_000_000
"""Most cells of the demo: a larger market would take minutes and gigabytes."""

LAST_SECONDS: Final = 8.0
"""A feed ends within so many seconds after a signal, whatever hangs."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    # Long, as it is a list: one option after the other.
    parser = Parser(
        prog="livetable-feed",
        description="Publish something as a live table that `livetable NAME` shows.",
        epilog="Example: livetable-feed demo --rows 1000 --hz 30, and elsewhere: livetable demo",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="keygen (makes this user's key), key (prints it), "
        "processes (of this machine), demo (a synthetic market), replay FILE (a tape), - "
        "(standard input: JSON lines, CSV, TSV, whitespace-separated columns, or Arrow), "
        "-- COMMAND (run again every --every seconds), "
        "tcp://host:port of any ZeroMQ publisher, http://127.0.0.1:5000 (listens), nats://… or "
        "redis://… (the tables of a broker), or a file, followed as it changes: "
        + " ".join(FILE_SUFFIXES),
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="the tape to replay")
    parser.add_argument("--name", help="the table's name (default: the source's)")
    parser.add_argument("--bind", metavar="ENDPOINT", help="publish on tcp://… or ipc://…")
    parser.add_argument("--key", metavar="COL", help="the column that identifies a row")
    market = parser.add_argument_group("demo")
    market.add_argument("--rows", type=count, default=1000, help="default: %(default)s")
    market.add_argument("--columns", type=from_one, default=9, help="default: %(default)s")
    market.add_argument("--hz", type=pace, default=10.0, help="frames a second, default: 10")
    market.add_argument("--seed", type=count, default=1, help="same seed, same market")
    files = parser.add_argument_group("files")
    add_text_options(files)
    parser.set_defaults(every=2.0)
    tape = parser.add_argument_group("replay")
    tape.add_argument("--speed", type=pace, default=1.0, help="playback speed, default: 1")
    tape.add_argument("--loop", action="store_true", help="start over at the end")
    foreign = parser.add_argument_group("other publishers")
    add_foreign_options(foreign)
    http = parser.add_argument_group("http")
    http.add_argument(
        "--token-file",
        metavar="FILE",
        help="requests must send the token in FILE, or in LIVETABLE_TOKEN, as "
        "Authorization: Bearer TOKEN",
    )
    http.add_argument(
        "--max-body", metavar="MB", type=positive, default=64.0, help="largest request, default: 64"
    )
    network = parser.add_argument_group("networks")
    network.add_argument(
        "--secure",
        action="store_true",
        help="encrypt, and let in only the keys in authorized_viewers, also on loopback",
    )
    network.add_argument(
        "--insecure",
        action="store_true",
        help="no keys: anybody who can connect reads a --bind address, or writes to an http one",
    )
    parser.add_argument("--data", type=int, default=0, help=argparse.SUPPRESS)
    # For feeds that `livetable` starts: end when the viewer is gone.
    parser.add_argument("--tied", action="store_true", help=argparse.SUPPRESS)
    # Read SOURCE, or the command, as JSON from standard input: on the command line a password in it
    # would show in the process list.
    parser.add_argument("--source-on-stdin", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable-feed`; return its exit code."""
    return run_command(PROGRAM, lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    # Long, as the signal handler and the cleanup share these local names.
    given, command = split_command(arguments)
    if command is not None:
        given.insert(0, "command")
    options = build_parser().parse_args(given)
    if options.source_on_stdin:
        hidden = json.loads(_line_of(0))
        options.source, command = (options.source, hidden) if command else (hidden, None)
    options.command = command
    try:
        _check(options)
    except (LivetableError, OSError) as error:
        fail(PROGRAM, sentence_of(error), 2)
    if options.source in ("keygen", "key"):
        return _tell_key(make=options.source == "keygen")
    options.secure = True if options.secure else False if options.insecure else None
    stop = threading.Event()
    code = 0

    def on_signal(number: int) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        _leave_at_last(code)
        stop.set()

    heed(on_signal)
    if options.tied:
        _tie(stop)
    try:
        failed = _publish(options, stop)
    finally:
        if options.tied and options.bind and options.bind.startswith("ipc://"):
            with contextlib.suppress(OSError):  # a killed viewer does not remove it
                os.unlink(options.bind.removeprefix("ipc://"))
        while _last:  # ended in time: cancel the deadline
            _last.pop().cancel()
    return code or int(failed)


def _check(options: argparse.Namespace) -> None:
    """Refuse a wrong command line, before anything is touched.

    Raises:
        LivetableError: it is wrong.
        OSError: a path in it is not possible.
    """
    # Long, as it is a list of independent checks.
    source = options.source
    if options.secure and options.insecure:
        fail(PROGRAM, "--secure and --insecure contradict each other", 2)
    if source in ("keygen", "key"):
        if options.file is not None:
            fail(PROGRAM, f"{source} takes no argument: leave out {options.file!r}", 2)
        return
    if by_suffix(source) is TAPE and options.file is None:
        options.source, options.file = TAPE.words[0], source
    if (by_word(options.source) is TAPE) != (options.file is not None):
        fail(PROGRAM, "replay needs a tape: livetable-feed replay FILE.tape", 2)
    if source == "command" and not options.command:
        fail(PROGRAM, "write the command after --, e.g. livetable-feed -- ps aux", 2)
    if options.types is not None:
        from livetable.feed.sources.column_types import read_types

        options.types = read_types(options.types)
    if options.name is not None:
        check_name(options.name)
    if options.bind is not None:
        from livetable.feed.base.addresses import scheme_of

        if scheme_of(options.bind) is None:
            check_endpoint(options.bind)
    if source == "demo" and options.rows * options.columns > MOST_CELLS:
        fail(PROGRAM, f"--rows times --columns can be at most {MOST_CELLS:,} cells", 2)
    path = path_of(options.file or source)
    single = options.file is not None or (form_of(source)[0] is not None and not is_folder(source))
    if single and path.is_dir():
        fail(PROGRAM, f"{path} is a folder, not a file", 2)
    if "://" in source:
        check_address(source)
    from livetable.feed.sources.registry import find_source, source_names  # late: loads Arrow

    if find_source(options.source) is None:
        known = ", ".join(source_names())
        fail(PROGRAM, f"unknown source {options.source!r}: use one of {known}", 2)


def _line_of(descriptor: int) -> bytes:
    """Read one line byte by byte, so that the rest is left for the next reader."""
    line = b""
    while (one := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += one
    return line


def _tell_key(*, make: bool) -> int:
    """Print this user's public key; create it first if `make`."""
    from livetable.feed.curve import keys

    if make:
        secret = keys.keygen().with_suffix("")
        say_plainly(f"the secret half of your key is in {secret}; whoever lets "
                    "you in adds this line to authorized_viewers:")  # fmt: skip
    pair = keys.own_pair()
    if pair is None:
        fail(PROGRAM, "you have no key yet: make one with livetable-feed keygen", 1)
    print(keys.key_text(pair.public), flush=True)
    return 0


def _publish(options: argparse.Namespace, stop: threading.Event) -> bool:
    """Publish until stopped; return whether the source failed for good."""
    from livetable.feed.cli.publishing import Publishing  # late: loads Arrow
    from livetable.feed.sources.registry import find_source, load, options_from

    for address in (options.source, options.bind):
        if address is not None and "://" in address:
            from livetable.feed.base.hosts import check_host

            check_host(address)
    source = find_source(options.source)
    assert source is not None
    module = load(source)
    publish = Publishing(PROGRAM, options, stop, is_over=source.is_over)
    module.run(options_from(module, options), publish, stop)
    return publish.failed


_TIED_SECONDS: Final = 1.5
"""Longest time for a viewer's own feed to end (promised: within 5 s of a lost connection)."""


def _leave_at_last(code: int, seconds: float | None = None) -> None:
    """End this process after a while, even if a library or a broker hangs."""
    _last.append(leave_at_last(code, LAST_SECONDS if seconds is None else seconds))


_last: list[threading.Timer] = []


def _tie(stop: threading.Event) -> None:
    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        _leave_at_last(0, min(_TIED_SECONDS, LAST_SECONDS))
        stop.set()

    threading.Thread(target=wait, daemon=True, name="livetable-tie").start()


if __name__ == "__main__":
    raise SystemExit(main())
