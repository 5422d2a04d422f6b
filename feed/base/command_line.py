"""What the two commands share: errors as one sentence, numbers that are checked, the version."""

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
"""After this long without a word what is waited for is said: promised within 2 s of the start."""

AWAY: Final = "waiting: "
"""So begins the line by which a feed tells its viewer what it waits for."""

INTERRUPTED: Final = 130
"""Exit code of Ctrl-C."""


_SOCKET: Final = re.compile(r"(?:ipc://)?[^\s'\"]*/\.viewer-[^\s'\"]*?\.sock")


def say(program: str, sentence: str) -> None:
    """Say a sentence on stderr. Nobody may read it: a pipe that was closed, a full disk."""
    if sentence:
        say_plainly(f"{program}: {harmless(without_secrets(without_sockets(sentence)))}")


def without_sockets(sentence: str) -> str:
    """Return a sentence with the sockets of a viewer's own feeds called what they are.

    Their names say nothing to anybody, and are others each time.
    """
    return _SOCKET.sub("the viewer's own socket", sentence)


def say_plainly(text: str, end: str = "\n") -> None:
    """Write a text to stderr as it is, if it can be written."""
    with contextlib.suppress(OSError, ValueError):  # the command goes on without an ear
        print(text, end=end, file=sys.stderr, flush=True)


def fail(program: str, sentence: str, code: int) -> NoReturn:
    """End with one sentence on stderr."""
    say(program, sentence)
    raise SystemExit(code)


def run_command(program: str, act: Callable[[], int]) -> int:
    """Run a command; return its exit code. Whatever goes wrong is one sentence, never a traceback.

    Args:
        program: The command's name.
        act: Does it.

    Raises:
        SystemExit: it was refused, or failed.
    """
    open_standard_files()
    try:
        try:
            return act()
        finally:
            sys.stdout.flush()  # else Python finds out on its way out, and ends with code 120
    except BrokenPipeError as error:
        seen = _is_broken(1)
        quieten()
        if seen:  # who read has seen enough
            return 0
        fail(program, sentence_of(error), 1)
    except KeyboardInterrupt:
        quieten()
        return INTERRUPTED
    except UnicodeEncodeError as error:
        quieten()
        wrong = error.object[error.start : error.start + 1]
        sentence = f"the output's encoding {error.encoding} has no {wrong!a}"
        fail(program, f"{sentence}: set PYTHONIOENCODING=utf-8", 1)
    except (LivetableError, OSError) as error:
        quieten()
        fail(program, sentence_of(error), 1)
    except Exception as error:
        quieten()
        from livetable.feed.base.crash_report import kept, told

        say_plainly(harmless(without_sockets(f"{told(error, program)}. {kept()}")))
        raise SystemExit(1) from None


def _is_broken(number: int) -> bool:
    """Tell whether nobody reads from the pipe at a descriptor any more.

    Asked, for a pipe to another process than the reader of the output may have broken as well.
    """
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    poll.register(number, 0)
    return bool(poll.poll(0))


def sentence_of(error: BaseException) -> str:
    """Return what went wrong as a sentence for a person."""
    if not isinstance(error, OSError):
        return str(error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)!s:.300}: {error.strerror}"
    if error.errno == errno.EBADF:
        return "the output is closed: nothing can be written"
    if error.errno in (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT):
        return f"the output can't be written: {error.strerror}"
    return error.strerror or str(error)


def open_standard_files() -> None:
    """Make sure that descriptors 0, 1 and 2 are there.

    One that was closed (``>&-``) would be given to the next socket or file that is opened, and
    what is printed would go into that. In its place comes one at which reading ends at once, and
    writing fails (1) or is dropped (2).
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def quieten() -> None:
    """Drop what is left to be written: Python would try again on its way out, and complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, and which knows ``--version``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")

    def _print_message(self, message: str, file: Any = None) -> None:
        # Help has signs that not every encoding has: better a "?" than no help.
        if message:
            out = file or sys.stderr
            encoding = getattr(out, "encoding", None) or "utf-8"
            out.write(message.encode(encoding, "replace").decode(encoding))

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
    value = _number(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number above 0, e.g. 2.5")
    return value


def pace(text: str) -> float:
    """Read how fast: far beyond these, a wait would be longer than any clock counts."""
    value = _number(text)
    if not 1e-3 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number from 0.001 to 1000000")
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
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no port: write a number up to 65535")
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
    raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from {least} to 100,000,000")


def separator(text: str) -> str:
    """Read what stands between two values: one character, also written ``\\t`` or ``tab``."""
    value = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(value.encode("utf-8", "surrogateescape")) != 1 or value in '\r\n\0"':
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is no separator: write one character, e.g. ';' or '\\t'"
        )
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
    value = _number(number) * factor
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is no time from 100ms to 24h: write e.g. 2s, 500ms, 1m"
        )
    return value


def encoding(text: str) -> str:
    """Read the name of a text's encoding."""
    try:
        codecs.lookup(text)
        "".encode(text)  # base64 and zlib are found as well, and are no text's
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r:.40} is no encoding: write e.g. utf-8, latin-1, utf-16"
        ) from None
    return text


def add_text_options(files: argparse._ArgumentGroup) -> None:
    """Add what both commands know of files, pipes and commands."""
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
    """Add what both commands know of publishers that are not livetable's."""
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
