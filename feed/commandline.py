"""What the two commands share: errors as one sentence, numbers that are checked, the version."""

from __future__ import annotations

import argparse
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
