"""Completion of the command line in bash, zsh and fish: `livetable completion bash`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from livetable.feed.base.extras import need
from livetable.feed.errors import LivetableError

SHELLS: Final = ("bash", "zsh", "fish")

COLUMN_SECONDS: Final = 0.5
"""How long to wait for a table's columns."""


def script(shell: str, program: str) -> str:
    """Return what a shell has to run once, for a program's lines to be completed.

    Args:
        shell: One of `SHELLS`.
        program: The command.

    Raises:
        MissingExtra: the package that does it is not installed.
    """
    argcomplete = need("argcomplete", "completion", "completion")
    return str(argcomplete.shellcode([program], shell=shell))


def complete(parser: argparse.ArgumentParser) -> None:
    """Complete the line that the shell asks for, and end this process.

    Args:
        parser: The command's parser; options are completed from it.
    """
    argcomplete = need("argcomplete", "completion", "completion")
    files = argcomplete.completers.FilesCompleter()
    for action in parser._actions:  # noqa: SLF001 — argcomplete's own way to set a completer
        if action.dest == "source":
            action.completer = _Sources(files)  # type: ignore[attr-defined]
        elif action.dest in ("sort", "columns", "key"):
            action.completer = columns  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


class _Sources:
    """Completes a SOURCE: live tables first, then files."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def __call__(self, prefix: str, **given: Any) -> Sequence[str]:
        """Return what a SOURCE that begins so may be."""
        from livetable.feed.local.directory import entries

        names: list[str] = []
        with contextlib.suppress(LivetableError, OSError):
            names = sorted({one.name for one in entries() if one.name.startswith(prefix)})
        return [*names, *self._files(prefix, **given)]


def columns(prefix: str, parsed_args: argparse.Namespace, **_given: Any) -> list[str]:
    """Return the columns of the live table on the line, as the option needs them written.

    Args:
        prefix: What is typed: columns with commas between them, the last one unfinished.
        parsed_args: The line so far.
    """
    from livetable.tui.query.quoting import quote

    earlier, comma, _ = prefix.rpartition(",")
    sources = list(getattr(parsed_args, "source", ()) or ())
    if len(sources) != 1:
        return []
    return [f"{earlier}{comma}{quote(title)}" for title in _titles_of(sources[0])]


def _titles_of(source: str) -> list[str]:
    """Return the titles of a live table's columns, none if it does not answer in time."""
    from livetable.feed.client.connection import Client
    from livetable.feed.client.requests import News
    from livetable.feed.local.directory import find
    from livetable.feed.protocol.labels import to_text
    from livetable.feed.rows.replica import Reading

    address, _, name = source.rpartition("#")
    try:
        local = (entry.endpoint for entry in find(name))
        client, reading = Client(address or next(local)), Reading()
    except (LivetableError, OSError, StopIteration):
        return []
    try:
        client.ask(name)
        for event in client.events(COLUMN_SECONDS):
            if isinstance(event, News) and event.body is not None:
                labels = reading.take(event.header, event.body).labels
                return list(map(to_text, (*filter(None, labels.index), *labels.columns)))
    except LivetableError:
        return []
    finally:
        client.close()
    return []
