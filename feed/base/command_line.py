"""What both commands share: errors as one sentence, checked numbers, the version."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import errno
import math
import os
import re
import select
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from livetable.feed.base.addresses import without_secrets
from livetable.feed.base.terminal_text import harmless
from livetable.feed.errors import LivetableError

SAID_SECONDS: Final = 1.5
"""After so many silent seconds the command says what it waits for (promised: within 2 s)."""

AWAY: Final = "waiting: "
"""Starts the line with which a feed tells its viewer what it waits for."""

INTERRUPTED: Final = 130
"""Exit code of Ctrl-C."""


_SOCKET: Final = re.compile(r"(?:ipc://)?[^\s'\"]*/\.viewer-[^\s'\"]*?\.sock")


def say(program: str, sentence: str) -> None:
    """Print a sentence to stderr; ignore a closed pipe or a full disk."""
    if sentence:
        say_plainly(f"{program}: {harmless(without_secrets(without_sockets(sentence)))}")


def without_sockets(sentence: str) -> str:
    """Replace the paths of the viewer's own sockets in a sentence.

    Their names are random and mean nothing to a person.
    """
    return _SOCKET.sub("the viewer's own socket", sentence)


def say_plainly(text: str, end: str = "\n") -> None:
    """Write a text to stderr as it is; ignore a closed pipe or a full disk."""
    with contextlib.suppress(OSError, ValueError):  # nobody reads stderr: go on
        print(text, end=end, file=sys.stderr, flush=True)


def fail(program: str, sentence: str, code: int) -> NoReturn:
    """End with one sentence on stderr."""
    say(program, sentence)
    raise SystemExit(code)


def run_command(program: str, act: Callable[[], int]) -> int:
    """Run a command; return its exit code. Any error becomes one sentence, never a traceback.

    Args:
        program: The command's name.
        act: Runs it.

    Raises:
        SystemExit: it was refused, or failed.
    """
    open_standard_files()
    try:
        try:
            return act()
        finally:
            sys.stdout.flush()  # else Python flushes at exit, fails and ends with code 120
    except BrokenPipeError as error:
        seen = _is_broken(1)
        quieten()
        if seen:  # the reader closed the pipe on purpose, e.g. head
            return 0
        fail(program, sentence_of(error), 1)
    except KeyboardInterrupt:
        quieten()
        return INTERRUPTED
    except UnicodeEncodeError as error:
        quieten()
        wrong = error.object[error.start : error.start + 1]
        sentence = f"the output's encoding {error.encoding} can't write {wrong!a}"
        fail(program, f"{sentence}: set PYTHONIOENCODING=utf-8", 1)
    except (LivetableError, OSError) as error:
        quieten()
        fail(program, sentence_of(error), 1)
    except Exception as error:
        quieten()
        from livetable.feed.base.crash_report import crash_sentence

        say_plainly(harmless(without_sockets(crash_sentence(error, program))))
        raise SystemExit(1) from None


def _is_broken(number: int) -> bool:
    """Tell whether the reader of the pipe at a descriptor is gone.

    BrokenPipeError alone doesn't say: it may come from a pipe to another process.
    """
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    poll.register(number, 0)
    return bool(poll.poll(0))


def sentence_of(error: BaseException) -> str:
    """Return an exception as a sentence for a person."""
    if not isinstance(error, OSError):
        return str(error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)!s:.300}: {error.strerror}"
    if error.errno == errno.EBADF:
        return "can't write: the output is closed"
    if error.errno in (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT):
        return f"can't write the output: {error.strerror}"
    return error.strerror or str(error)


def open_standard_files() -> None:
    """Make sure that descriptors 0, 1 and 2 are there.

    A closed one (``>&-``) would be reused by the next socket or file, and output would be written
    into that. It is replaced by /dev/null: reads end at once, writes fail (1) or are dropped (2).
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # open takes the lowest free number: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def quieten() -> None:
    """Drop buffered output: Python would try to flush it at exit, and print an error."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, and which knows ``--version``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")

    def _print_message(self, message: str, file: Any = None) -> None:
        # Some encodings lack characters of the help: print "?" for them rather than fail.
        if message:
            out = file or sys.stderr
            encoding = getattr(out, "encoding", None) or "utf-8"
            out.write(message.encode(encoding, "replace").decode(encoding))

    def error(self, message: str) -> NoReturn:
        """End with one sentence and exit code 2; name the option that is like an unknown one."""
        fail(self.prog, f"{message}{self._meant(message)} (try {self.prog} --help)", 2)

    def _meant(self, message: str) -> str:
        if not message.startswith("unrecognized arguments: --"):
            return ""
        from difflib import get_close_matches

        unknown = message.split()[2].partition("=")[0]
        known = [one for action in self._actions for one in action.option_strings]
        close = get_close_matches(unknown, known, n=1)
        return f". Did you mean {close[0]}?" if close else ""


class _Version(argparse.Action):
    """Prints the version; looks it up only then, as reading the metadata takes 50 ms."""

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
    value = _number(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number above 0, e.g. 2.5")
    return value


def pace(text: str) -> float:
    """Read a rate: from 0.001 to 1000000, as waits outside that range can't be timed."""
    value = _number(text)
    if not 1e-3 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number from 0.001 to 1000000")
    return value


def count(text: str) -> int:
    """Read a command-line number that is whole and not below 0."""
    return _whole(text, 0)


def from_one(text: str) -> int:
    """Read a command-line number that is whole and 1 at least."""
    return _whole(text, 1)


def port(text: str) -> int:
    """Read a port: 0 (a free one) to 65535."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a port: write a number up to 65535")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _whole(text: str, least: int) -> int:
    digits = text.isascii() and text.isdigit() and len(text) < 12
    if digits and least <= int(text) <= 100_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r:.40} is not a whole number from {least} to 100,000,000"
    )


def separator(text: str) -> str:
    """Read a field separator: one character, also written ``\\t`` or ``tab``."""
    value = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(value.encode("utf-8", "surrogateescape")) != 1 or value in '\r\n\0"':
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is not a separator: write one character, e.g. ';' or '\\t'"
        )
    return value


def split_command(arguments: Sequence[str] | None) -> tuple[list[str], list[str] | None]:
    """Split a command line at ``--``; return both parts, the second None without ``--``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--" not in given:
        return given, None
    at = given.index("--")
    return given[:at], given[at + 1 :]


def every(text: str) -> float:
    """Read an interval in seconds: ``2``, ``2s``, ``500ms``, ``1m``, ``1h``."""
    number, factor = text, 1.0
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit):
            number, factor = text.removesuffix(unit), seconds
            break
    value = _number(number) * factor
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is not a time from 100ms to 24h: write e.g. 2s, 500ms, 1m"
        )
    return value


def encoding(text: str) -> str:
    """Read the name of a text's encoding."""
    try:
        codecs.lookup(text)
        "".encode(text)  # fails for base64 and zlib, which are codecs but not for text
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is not an encoding: write e.g. utf-8, latin-1, utf-16"
        ) from None
    return text


def add_text_options(files: argparse._ArgumentGroup) -> None:
    """Add the options of both commands for files, pipes and commands."""
    files.add_argument("--sep", metavar="CHAR", type=separator, help="field separator")
    files.add_argument(
        "--limit", metavar="N", type=from_one, help="append rows; keep only the newest N"
    )
    files.add_argument(
        "--types",
        metavar="COL=TYPE,…",
        help="set column types of text files: text int float bool date time",
    )
    files.add_argument(
        "--each", action="store_true", help="show each file of a folder or pattern as a table"
    )
    files.add_argument(
        "--every",
        metavar="TIME",
        type=every,
        help="run the command after -- this often: 2s (default), 500ms, 1m",
    )
    files.add_argument(
        "--encoding", type=encoding, metavar="NAME", help="text encoding (default: detected)"
    )
    files.add_argument(
        "--append-only",
        action="store_true",
        help="the file only grows: don't re-check what was already read",
    )


def add_foreign_options(foreign: argparse._ArgumentGroup) -> None:
    """Add the options of both commands for publishers other than livetable."""
    foreign.add_argument(
        "--pickle",
        action="store_true",
        help="accept pickled pandas DataFrames; anything else in a pickle is refused, never run",
    )
    foreign.add_argument(
        "--topic",
        action="append",
        metavar="TEXT",
        help="read only topics that start with TEXT; repeatable",
    )
    foreign.add_argument("--pull", action="store_true", help="read a PUSH socket, not a PUB")
