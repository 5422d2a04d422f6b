"""The `livetable-feed` command: publish something as a live table, from a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence

from livetable.feed.commandline import Parser, count, fail, positive
from livetable.feed.errors import LivetableError


def build_parser() -> argparse.ArgumentParser:
    """Return the command line as argparse knows it."""
    parser = Parser(
        prog="livetable-feed",
        description="Publish something as a live table that `livetable NAME` shows.",
        epilog="Example: livetable-feed demo --rows 1000 --hz 30, and elsewhere: livetable demo",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="processes (of this machine), demo (a synthetic market), or tcp://host:port of any "
        "ZeroMQ publisher",
    )
    parser.add_argument("--name", help="the table's name (default: the source's)")
    parser.add_argument("--bind", metavar="ENDPOINT", help="publish on tcp://… or ipc://…")
    parser.add_argument("--key", metavar="COL", help="the column that identifies a row")
    market = parser.add_argument_group("demo")
    market.add_argument("--rows", type=count, default=1000, help="default: %(default)s")
    market.add_argument("--columns", type=count, default=9, help="default: %(default)s")
    market.add_argument("--hz", type=positive, default=10.0, help="frames a second, default: 10")
    market.add_argument("--seed", type=int, default=1, help="same seed, same market")
    foreign = parser.add_argument_group("other publishers")
    foreign.add_argument(
        "--pickle",
        action="store_true",
        help="admit pickled pandas DataFrames; anything else in a pickle is refused, never run",
    )
    # For `livetable`, which starts feeds: end when whoever started this one is gone.
    parser.add_argument("--tied", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable-feed`; return its exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    stop = threading.Event()
    code = 0

    def on_signal(number: int, frame: object) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)
    if options.tied:
        _tie(stop)
    try:
        _publish(options, stop)
    except LivetableError as error:
        fail(parser.prog, str(error), 1)
    return code


def _publish(options: argparse.Namespace, stop: threading.Event) -> None:
    from livetable.feed.publisher import Publisher
    from livetable.feed.sources import find_source, source_names

    found = find_source(options.source)
    if found is None:
        known = ", ".join(source_names())
        fail("livetable-feed", f"unknown source {options.source!r}: there are {known}", 2)
    run, key = found
    name = options.name or options.source.replace("://", " ").replace("/", " ")[:60].strip()
    publisher = Publisher(
        name, key=options.key or key, endpoint=options.bind, listed=not options.tied
    )
    with publisher:
        if not options.tied:
            show = f"livetable {options.bind or publisher.name!r}"
            print(f"publishing {publisher.name!r}; to watch it: {show}", file=sys.stderr)
        run(options, publisher, stop)


def _tie(stop: threading.Event) -> None:
    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        stop.set()

    threading.Thread(target=wait, daemon=True, name="livetable-tie").start()


if __name__ == "__main__":
    raise SystemExit(main())
