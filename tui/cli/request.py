"""Turns a parsed command line into a `Call`, or refuses it.

Nothing here writes, starts a process or opens a socket, so a refused command changes nothing
(tests/tui/cli/test_request.py checks that for about eighty command lines). `main` acts on the
`Call`; it refuses nothing that could be seen here.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livetable.feed.base.command_line import fail
from livetable.feed.errors import LivetableError
from livetable.feed.protocol.names import name_from
from livetable.feed.sources.file_types import is_folder, path_of
from livetable.feed.sources.source_table import SOURCES
from livetable.tui.cli.checks import (
    PROGRAM,
    check_condition,
    option_of,
    read_column_names,
    read_filters,
    read_moment_of,
    read_sort_keys,
    refuse,
    view_file_of,
)
from livetable.tui.cli.options import REACH, Browser, for_feed, is_given
from livetable.tui.config.settings import BadFile, Settings, read_settings
from livetable.tui.model.budget import USUAL, HistorySize
from livetable.tui.target import Target, ViewOptions, parse_target

if TYPE_CHECKING:
    from livetable.feed.tape.recorder import Rotation


class Way(Enum):
    """How the table is shown."""

    SCREEN = "on the screen"
    WEB = "in browsers"
    HEADLESS = "without a screen, for recording and alerts"
    ONCE = "printed once"
    FOLLOW = "printed as it changes"
    LIST = "as a printed list of tables"


@dataclass(frozen=True, slots=True)
class Call:
    """A valid command line.

    Attributes:
        options: The parsed options.
        targets: The tables to show.
        view: The options of the view; without its recorder, which `main` makes.
        way: How the table is shown.
        settings: The person's settings for all tables.
        complaint: What is wrong with the settings file, None if it is valid.
        record: The tape to record to, None for none.
        rotation: When to start a new tape.
    """

    options: argparse.Namespace
    targets: tuple[Target, ...]
    view: ViewOptions
    way: Way
    settings: Settings
    complaint: str | None
    record: Path | None = None
    rotation: Rotation | None = None

    @property
    def form(self) -> str | None:
        """The output format, None for the default."""
        form: str | None = self.options.format
        return form


def check(options: argparse.Namespace, command: list[str] | None) -> Call:
    """Return what a command line asks for, or exit with a sentence and code 2 (or 1).

    Args:
        options: The parsed options.
        command: The command after ``--``, None if there is none.
    """
    try:
        return _checked(options, command)
    except (LivetableError, OSError) as error:
        from livetable.feed.base.command_line import sentence_of

        fail(PROGRAM, sentence_of(error), 2)


def _checked(options: argparse.Namespace, command: list[str] | None) -> Call:
    # Long, as it is one order: what is refused first is what a person has to mend first.
    targets = _targets(options, command)
    way = _way(options)
    _check_combinations(options, way)
    _check_sources(options, targets, way)
    if options.types is not None:
        from livetable.feed.sources.column_types import read_types

        read_types(options.types)
    settings, complaint = _settings()
    size: HistorySize = options.history or settings.history or USUAL
    view = ViewOptions(
        columns=read_column_names(options.columns),
        sort=read_sort_keys(options.sort),
        where=read_filters(options.where),
        stale_after=options.stale_after,
        timeout=options.timeout,
        foreign=tuple(for_feed(options)),
        budget=size.budget(),
        history=size if size.each else None,
        view=view_file_of(options.view),
        at=read_moment_of(options.at),
        changes_of=options.changes_of,
        to_end=targets[0].piped,
        remember=not (options.columns or options.sort or options.where),
        until=check_condition("until", options.until),
        alerts=tuple(check_condition("alert", text) or "" for text in options.alert),
        alert_command=options.alert_command,
    )
    record, rotation = _recording(options, targets)
    if (record is not None or options.alert) and way in (Way.ONCE, Way.FOLLOW, Way.LIST):
        refuse("Add --headless to record or alert without a screen")
    if len(targets) > 1 and way not in (Way.SCREEN, Way.WEB):
        does = "printed" if way is not Way.HEADLESS else "watched without a screen"
        refuse(f"Only one table can be {does}. Name one SOURCE")
    if way is Way.SCREEN or options.theme is not None:
        _check_theme(options.theme)
    if options.feed_key is not None:
        _check_feed_key(options, targets)
    if way is Way.WEB:
        from livetable.feed.base.extras import need

        _or_fail(1, lambda: need("textual_serve.server", "web", "--web"))
    _check_there(targets, way, in_browser=options.in_browser)
    return Call(options, targets, view, way, settings, complaint, record, rotation)


# -- what is shown -----------------------------------------------------------------------------


def _targets(options: argparse.Namespace, command: list[str] | None) -> tuple[Target, ...]:
    if options.demo and options.source:
        refuse("--demo shows its own table: leave out SOURCE")
    if command is not None:
        if not command or options.source or options.demo:
            refuse("Put nothing but the command after --. Example: livetable -- ps aux")
        if shutil.which(command[0]) is None:
            fail(PROGRAM, f"Command not found: {command[0]!r}", 1)
        name = name_from(Path(command[0]).name, "command")
        return (Target(None, name, command=tuple(command)),)
    other = options.source or options.demo or options.in_browser or options.list
    piped = _is_piped() and not other
    targets = [parse_target(source) for source in options.source or ["-" if piped else None]]
    for at, origin in enumerate(options.origin[: len(targets)]):
        targets[at] = replace(targets[at], origin=origin or None)
    if len(targets) > 1 and not all(target.table for target in targets):
        refuse("With several SOURCEs, each must name one table: add #NAME")
    if sum(target.piped and target.file is None for target in targets) > 1:
        refuse("Standard input can only be shown once: use one -")
    if targets[0].piped and targets[0].file is None and sys.stdin.isatty():
        refuse("Nothing is piped in. Example: producer | livetable")
    return tuple(targets)


def kind_of(target: Target, *, demo: bool = False) -> str:
    """Return a target's kind of SOURCE, as named in `Reach.serves`."""
    if demo:
        return "demo"
    if target.command:
        return "command"
    if target.piped:
        return "pipe"
    if target.file is not None:
        return "folder" if _is_folder(target.file) else "file"
    if target.tape is not None:
        return "tape"
    if target.source is not None:
        return "address"
    return "endpoint" if target.endpoint is not None else "name"


_EXAMPLES: Final = {
    "at": "livetable FILE.tape --at 14:03", "changes_of": "livetable FILE.tape --changes-of KEY",
    "every": "livetable --every 2s -- ps aux", "each": "livetable logs/ --each",
    "sep": "livetable FILE.csv --sep ';'", "encoding": "livetable FILE.csv --encoding latin-1",
    "types": "livetable FILE.csv --types zip=text", "topic": "livetable tcp://host:port --topic a",
    "pickle": "livetable tcp://host:port --pickle", "pull": "livetable tcp://host:port --pull",
}  # fmt: skip


def _check_sources(options: argparse.Namespace, targets: tuple[Target, ...], way: Way) -> None:
    """Refuse options that would do nothing with these sources."""
    kinds = {kind_of(target, demo=options.demo) for target in targets}
    for name, reach in REACH.items():
        if is_given(options, name) and reach.serves and not reach.serves & kinds:
            if options.in_browser:
                continue  # the serving process's feed already got it
            titles = [source.title for source in SOURCES if source.kind in reach.serves]
            goes = " or ".join(dict.fromkeys(titles))
            refuse(f"{option_of(name)} only works with {goes}. Example: {_EXAMPLES[name]}")
    for name in ("key", "limit"):
        if is_given(options, name) and kinds <= {"demo", "tape"}:
            refuse(f"--{name} doesn't work with {'--demo' if options.demo else 'a tape'}")
    if options.pull and any(target.endpoint and target.table for target in targets):
        refuse("--pull reads a single table: leave out #NAME")
    if "tape" in kinds and way is not Way.SCREEN:
        for name in ("follow", "headless", "until"):
            if is_given(options, name):
                how = "livetable-feed replay FILE.tape"
                refuse(f"--{name} needs a live table. Publish the tape: {how}")
    lists = {"name", "endpoint", "address"} | ({"folder"} if options.each else set())
    if way is Way.LIST and (kinds - lists or (targets[0].table and not options.each)):
        refuse("--list takes no table. Use livetable --list or livetable tcp://host:port --list")


def _check_there(targets: tuple[Target, ...], way: Way, *, in_browser: bool) -> None:
    """Exit with 1 if a file is missing or can't be read, or if there is no terminal."""
    for target in targets:
        file = target.file
        waits = way in (Way.SCREEN, Way.WEB) or file is None or _is_folder(file)
        if file is not None and not waits and not file.exists():
            fail(PROGRAM, f"{file}: {os.strerror(errno.ENOENT)}", 1)
        if target.tape is not None:
            tape = target.tape

            def opened(tape: Path = tape) -> None:
                from livetable.feed.tape.reader import TapeReader

                TapeReader(tape).close()

            _or_fail(1, opened)
    if way is Way.SCREEN and not in_browser and not sys.stdin.isatty():
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            fail(PROGRAM, "No terminal to show the table on. Use --once", 1)


# -- how it is shown ---------------------------------------------------------------------------


def _way(options: argparse.Namespace) -> Way:
    if options.web is not None:
        return Way.WEB
    if options.headless:
        return Way.HEADLESS
    if options.list:
        return Way.LIST
    if options.follow:
        return Way.FOLLOW
    asked = options.once or options.format or options.at is not None
    if asked or options.changes_of is not None:
        return Way.ONCE
    return Way.SCREEN if options.in_browser or sys.stdout.isatty() else Way.ONCE


def _check_combinations(options: argparse.Namespace, way: Way) -> None:
    """Refuse options that exclude each other."""
    if way is Way.WEB:
        for name, reach in REACH.items():
            if reach.browser is Browser.REFUSED and is_given(options, name):
                refuse(f"--web doesn't work with {option_of(name)}")
    if options.follow and (options.once or options.list):
        refuse("--follow doesn't work with --once or --list")
    if options.follow and options.format not in (None, "jsonl", "csv"):
        refuse(f"--follow prints jsonl or csv, not {options.format}")
    if options.format in ("arrow", "parquet") and sys.stdout.isatty():
        refuse(f"Can't print {options.format} on a terminal. Add > FILE, or a pipe")
    if way is Way.HEADLESS:
        if not (options.record or options.alert):
            refuse("--headless needs --record FILE or --alert EXPR")
        if options.columns or options.where or options.sort or options.until:
            refuse("--headless doesn't work with --columns, --where, --sort or --until")
        for name in ("once", "follow", "list", "format"):
            if is_given(options, name):
                refuse(f"--headless doesn't work with {option_of(name)}")
    if way is Way.LIST and options.until is not None:
        refuse("--list doesn't work with --until")
    if options.alert_command is not None and not options.alert:
        refuse("--alert-command needs --alert EXPR")
    for name in ("rotate", "keep"):
        if getattr(options, name) is not None and options.record is None:
            refuse(f"--{name} needs --record FILE")
    if options.keep is not None and options.rotate is None:
        refuse("--keep needs --rotate")


def _check_theme(theme: str | None) -> None:
    if theme is None:
        return
    from textual.theme import BUILTIN_THEMES

    if theme not in BUILTIN_THEMES:
        known = ", ".join(sorted(BUILTIN_THEMES))
        refuse(f"No theme {theme!r}. Use one of: {known}")


def _check_feed_key(options: argparse.Namespace, targets: tuple[Target, ...]) -> None:
    from livetable.feed.curve.keys import read_key

    endpoints = {one.endpoint for one in targets if one.endpoint is not None}
    if len(endpoints) != 1 or not next(iter(endpoints)).startswith("tcp://"):
        refuse("--feed-key needs exactly one SOURCE tcp://host:port")
    read_key(options.feed_key)


def _recording(
    options: argparse.Namespace, targets: tuple[Target, ...]
) -> tuple[Path | None, Rotation | None]:
    if options.record is None:
        return None, None
    if len(targets) > 1 or (targets[0].table is None and not options.demo) or targets[0].tape:
        refuse("--record needs one live table. Example: livetable NAME --record FILE.tape")
    if not options.record.lower().endswith(".tape"):
        refuse(f"--record {options.record}: the file name must end in .tape")
    from livetable.feed.tape.recorder import check_recording, read_rotation

    path = path_of(options.record)
    rotation = read_rotation(options.rotate, options.keep) if options.rotate is not None else None
    check_recording(path, rotation)
    return path, rotation


# -- single values -----------------------------------------------------------------------------


def _settings() -> tuple[Settings, str | None]:
    try:
        return read_settings(), None
    except BadFile as error:  # shown on the screen: a wrong setting must not prevent viewing
        return Settings(), str(error)


def _is_piped() -> bool:
    """Tell whether rows may come from standard input: it is a pipe, or a file that is not empty."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or (stat.S_ISREG(mode) and os.fstat(0).st_size > 0)


def _is_folder(path: Path) -> bool:
    # Absolute: `Path` drops a trailing /, so a relative folder looks like a table's name.
    return is_folder(str(path.absolute()))


def _or_fail(code: int, act: Callable[[], object]) -> None:
    try:
        act()
    except LivetableError as error:
        fail(PROGRAM, str(error), code)
