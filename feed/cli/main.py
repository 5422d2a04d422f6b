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
"""Cells of the synthetic market: a larger one takes minutes to make, and gigabytes."""

LAST_SECONDS: Final = 8.0
"""After a signal that ends it, a feed is gone within this time."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line as argparse knows it."""
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
        "-- COMMAND (run every --every seconds), "
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
    tape.add_argument("--speed", type=pace, default=1.0, help="times as fast, default: 1")
    tape.add_argument("--loop", action="store_true", help="begin again at the end")
    foreign = parser.add_argument_group("other publishers")
    add_foreign_options(foreign)
    http = parser.add_argument_group("http")
    http.add_argument(
        "--token-file",
        metavar="FILE",
        help="requests bring this file's word: Authorization: Bearer WORD; also LIVETABLE_TOKEN",
    )
    http.add_argument(
        "--max-body", metavar="MB", type=positive, default=64.0, help="of a request, default: 64"
    )
    network = parser.add_argument_group("networks")
    network.add_argument(
        "--secure",
        action="store_true",
        help="show tables to keys of authorized_viewers only, encrypted, on loopback, too",
    )
    network.add_argument(
        "--insecure",
        action="store_true",
        help="without keys: who reaches a --bind address reads it, an http one writes to it",
    )
    parser.add_argument("--data", type=int, default=0, help=argparse.SUPPRESS)
    # For `livetable`, which starts feeds: end when whoever started this one is gone.
    parser.add_argument("--tied", action="store_true", help=argparse.SUPPRESS)
    # SOURCE, or the command, comes as JSON on standard input as it is: a password in it would be in
    # the list of processes.
    parser.add_argument("--source-on-stdin", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable-feed`; return its exit code."""
    return run_command(PROGRAM, lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    # Long, as what a signal does, and what is left to tidy up, hangs on these few names.
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
            with contextlib.suppress(OSError):  # its viewer may have been killed
                os.unlink(options.bind.removeprefix("ipc://"))
        while _last:  # it came to its end by itself
            _last.pop().cancel()
    return code or int(failed)


def _check(options: argparse.Namespace) -> None:
    """Refuse what the command line alone shows to be wrong; touch nothing.

    Raises:
        LivetableError: it is wrong; so says the sentence.
        OSError: a path on it can't be.
    """
    # Long, as it is a list: one refusal after the other.
    source = options.source
    if options.secure and options.insecure:
        fail(PROGRAM, "--secure and --insecure contradict each other", 2)
    if source in ("keygen", "key"):
        if options.file is not None:
            fail(PROGRAM, f"{source} takes nothing more: leave out {options.file!r}", 2)
        return
    if by_suffix(source) is TAPE and options.file is None:
        options.source, options.file = TAPE.words[0], source
    if (by_word(options.source) is TAPE) != (options.file is not None):
        fail(PROGRAM, "replay takes a tape: livetable-feed replay FILE.tape", 2)
    if source == "command" and not options.command:
        fail(PROGRAM, "write the command behind --: livetable-feed -- ps aux", 2)
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
        fail(PROGRAM, f"--rows times --columns: {MOST_CELLS:,} cells at most", 2)
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
    """Read one line, and nothing behind it: what reads on finds all of that."""
    line = b""
    while (one := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += one
    return line


def _tell_key(*, make: bool) -> int:
    """Print this user's public key, made if asked for."""
    from livetable.feed.curve import keys

    if make:
        secret = keys.keygen().with_suffix("")
        say_plainly(f"the secret half of your key is in {secret}; this line "
                    "goes into authorized_viewers of who lets you in:")  # fmt: skip
    pair = keys.own_pair()
    if pair is None:
        fail(PROGRAM, "there is no key yet: livetable-feed keygen", 1)
    print(keys.key_text(pair.public), flush=True)
    return 0


def _publish(options: argparse.Namespace, stop: threading.Event) -> bool:
    """Publish until stopped; tell whether there was nothing to publish, nor will be."""
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
"""A feed of a viewer's own has nobody left to serve: it ends within 5 s of a line that is cut."""


def _leave_at_last(code: int, seconds: float | None = None) -> None:
    """End this process after a while, whatever hangs on the way out: a library, a broker."""
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
