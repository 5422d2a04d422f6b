"""What the two commands share: errors as one sentence, numbers that are checked, the version."""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from livetable.feed.harmless import harmless


def fail(program: str, sentence: str, code: int) -> NoReturn:
    """End with one sentence on stderr."""
    print(f"{program}: {harmless(sentence)}", file=sys.stderr)
    raise SystemExit(code)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, and which knows ``--version``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action=_Version, nargs=0, help="show the version and end")

    def error(self, message: str) -> NoReturn:
        """End with one sentence and exit code 2."""
        fail(self.prog, f"{message} (try {self.prog} --help)", 2)


class _Version(argparse.Action):
    """Like argparse's own, but looked up when asked for: reading metadata takes 50 ms."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> NoReturn:
        import importlib.metadata

        print(f"{parser.prog} {importlib.metadata.version('livetable')}")
        parser.exit()


def positive(text: str) -> float:
    """Read a command-line number above 0."""
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError
    return value


def count(text: str) -> int:
    """Read a command-line number that is whole and not below 0."""
    value = int(text)
    if not 0 <= value <= 100_000_000:
        raise ValueError
    return value


def split_command(arguments: Sequence[str] | None) -> tuple[list[str], list[str] | None]:
    """Return a command line up to ``--``, and the command behind it, None if there is none."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--" not in given:
        return given, None
    at = given.index("--")
    return given[:at], given[at + 1 :]


def every(text: str) -> float:
    """Read how often, in seconds: ``2``, ``2s``, ``500ms``, ``1m``, ``1h``."""
    number, factor = text, 1.0
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit):
            number, factor = text.removesuffix(unit), seconds
            break
    value = float(number) * factor
    if not 0.1 <= value <= 86_400:
        raise ValueError
    return value


def encoding(text: str) -> str:
    """Read the name of a text's encoding."""
    try:
        codecs.lookup(text)
    except LookupError:
        raise ValueError from None
    return text


def add_text_options(files: argparse._ArgumentGroup) -> None:
    """Add what both commands know of files, pipes and commands."""
    files.add_argument("--sep", metavar="CHAR", help="what stands between two values of a line")
    files.add_argument(
        "--limit", metavar="N", type=count, help="add what comes; keep the newest N rows"
    )
    files.add_argument(
        "--types", metavar="COL=TYPE,…", help="of a text's columns: text int float bool date time"
    )
    files.add_argument(
        "--each", action="store_true", help="of a folder or a pattern: a table of each file"
    )
    files.add_argument(
        "--every",
        metavar="TIME",
        type=every,
        help="run the command behind -- this often: 2s (the default), 500ms, 1m",
    )
    files.add_argument(
        "--encoding", type=encoding, metavar="NAME", help="of the text, default: utf-8"
    )


def add_foreign_options(foreign: argparse._ArgumentGroup) -> None:
    """Add what both commands know of publishers that are not livetable's."""
    foreign.add_argument(
        "--pickle",
        action="store_true",
        help="admit pickled pandas DataFrames; anything else in a pickle is refused, never run",
    )
    foreign.add_argument(
        "--topic",
        action="append",
        metavar="TEXT",
        help="only topics that begin so; may be repeated",
    )
    foreign.add_argument("--pull", action="store_true", help="it is a PUSH socket, not a PUB")
