"""The `livetable-feed` command: publish something as a live table, from a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.base.addresses import shown
from livetable.feed.base.command_line import (
    AWAY,
    Parser,
    add_foreign_options,
    add_text_options,
    count,
    fail,
    from_one,
    pace,
    positive,
    run_command,
    say,
    say_plainly,
    sentence_of,
    split_command,
)
from livetable.feed.base.signals import heed, leave_at_last
from livetable.feed.errors import LivetableError
from livetable.feed.local.endpoints import check_address, check_endpoint
from livetable.feed.protocol.names import check_name, name_from
from livetable.feed.sources.file_types import form_of, is_folder, path_of

if TYPE_CHECKING:
    from livetable.feed.sources.registry import MakePublisher


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
        "redis://… (the tables of a broker), or a file, followed as it changes: .csv .tsv "
        ".jsonl .json .parquet .feather .arrow",
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

    def ready(sentence: str) -> None:
        say_plainly("ready" if options.tied else sentence)

    def away(how: str) -> None:
        if options.tied:
            say_plainly(f"{AWAY}{how}")
        else:
            say(PROGRAM, f"{shown(options.source)} {how}: waiting for it")

    options.ready, options.away = ready, away

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
    if source.lower().endswith(".tape") and options.file is None:
        options.source, options.file = "replay", source
    if (options.source == "replay") != (options.file is not None):
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

    if find_source(options.source, each=options.each) is None:
        known = ", ".join(source_names())
        fail(PROGRAM, f"unknown source {options.source!r}: use {known}", 2)


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
    # Long, as the order matters: refuse whatever can be refused before anything is published.
    from livetable.feed.server.publisher import Publisher
    from livetable.feed.sources.registry import find_source

    for address in (options.source, options.bind):
        if address is not None and "://" in address:
            from livetable.feed.base.hosts import check_host

            check_host(address)
    source = find_source(options.source, each=options.each)
    assert source is not None
    if source.run_many is not None:
        make = _maker(options)
        source.run_many(options, make, stop)
        return False
    run, key = source.run, source.key
    assert run is not None
    if options.file is not None:
        table, key = _of_tape(options.file)
        options.name = options.name or name_from(table, "tape")
    if options.source == "command":
        options.name = options.name or name_from(Path(options.command[0]).name, "command")
    if options.source == "-":
        options.name = options.name or "stdin"
    if run.__module__.endswith((".files", ".folder")):
        options.name = options.name or name_from(Path(options.source).absolute().name, "files")
    name = options.name or name_from(
        options.source.replace("://", " ").replace("/", " ").strip(), "table"
    )
    publisher = Publisher(
        name,
        key=options.key or key,
        endpoint=options.bind,
        listed=not options.tied,
        limit=options.limit,
        secure=options.secure,
    )
    failed, last_sentence = False, ""

    def on_failure(sentence: str) -> None:
        nonlocal failed, last_sentence
        if sentence != last_sentence:  # a command may fail in the same way every two seconds
            last_sentence = sentence
            say(PROGRAM, sentence)
        if options.source == "-":  # it can't recover; files and commands may
            failed = True
            stop.set()

    with publisher:
        if not options.tied:
            publisher.on_failure = on_failure
            # The bound endpoint, as port 0 becomes a free port; a broker's is without its password.
            show = f"livetable {publisher.endpoint if options.bind else repr(publisher.name)}"
            say_plainly(f"publishing {publisher.name!r}; to watch it: {show}")
        run(options, publisher, stop)
    return failed


def _maker(options: argparse.Namespace) -> MakePublisher:
    from livetable.feed.server.publisher import Publisher

    announced = options.bind

    def make(
        name: str, *, key: Any = None, limit: int | None = None, ttl: float | None = None
    ) -> Publisher:
        nonlocal announced
        publisher = Publisher(
            name, key=key, endpoint=options.bind, limit=limit, ttl=ttl, listed=not options.tied,
            secure=options.secure,
        )  # fmt: skip
        # Print it again when it changes: port 0 takes another port after the last table has ended.
        tcp = not options.tied and publisher.endpoint.startswith("tcp://")
        if tcp and publisher.endpoint != announced:
            announced = publisher.endpoint
            say_plainly(f"to watch the tables: livetable {announced}")
        return publisher

    return make


def _of_tape(file: str) -> tuple[str, Any]:
    """Return the name of a tape's table, and its key."""
    from livetable.feed.protocol.labels import from_json
    from livetable.feed.tape.reader import TapeReader

    tape = TapeReader(Path(file))
    try:
        return tape.table, list(map(from_json, tape.frame(0).header.key))
    finally:
        tape.close()


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
