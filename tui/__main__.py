"""The `livetable` command."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livetable.feed.commandline import (
    Parser,
    add_foreign_options,
    add_text_options,
    count,
    fail,
    positive,
    split_command,
)
from livetable.feed.errors import LivetableError
from livetable.feed.forms import is_folder, path_of
from livetable.feed.wire import name_from
from livetable.tui import collector
from livetable.tui.settings import BadFile, Settings, read_settings
from livetable.tui.target import Target, ViewOptions, origin_of, parse_target

if TYPE_CHECKING:
    from livetable.feed.recording import Recorder

FORMATS: Final = ("table", "csv", "json", "jsonl", "arrow", "parquet")


def build_parser() -> argparse.ArgumentParser:
    """Return the command line as argparse knows it."""
    parser = Parser(
        prog="livetable",
        description="Watch live DataFrames in the terminal.",
        epilog="In Python: from livetable.feed import Publisher; Publisher('orders').send(df)",
    )
    parser.add_argument(
        "source",
        nargs="*",
        metavar="SOURCE",
        help="a local table's name; tcp://host:port[#NAME], ipc://path[#NAME]; a file: .csv .tsv "
        ".jsonl .json .parquet .feather .arrow, followed as it changes, or a .tape; a folder or a "
        "pattern: its newest file; http://127.0.0.1:5000, to listen; nats://… or redis://…; - is "
        "standard input; -- COMMAND is its output, again and again; several are a tab each; "
        "without one, what is piped in, else the tables on this machine to choose from",
    )
    parser.add_argument("--demo", action="store_true", help="show this machine's processes")
    parser.add_argument("--columns", metavar="A,B,C", help="show only these columns, in this order")
    parser.add_argument(
        "--where",
        metavar="EXPR",
        action="append",
        default=[],
        help="show only rows that meet this, as \"price > 100 and sector == 'x'\"; may be repeated",
    )
    parser.add_argument(
        "--sort", metavar="COL[:desc],…", help="order rows by these columns, the first one first"
    )
    parser.add_argument(
        "--stale-after",
        metavar="S",
        type=positive,
        help="show data as stale after S silent seconds",
    )
    parser.add_argument(
        "--view", metavar="FILE", help="show the view in this TOML file, and remember it there"
    )
    parser.add_argument(
        "--history",
        metavar="MB",
        type=positive,
        help="how much of what was shown to keep, to go back to, default: 256",
    )
    parser.add_argument(
        "--feed-key",
        metavar="KEY",
        help="know the feed at tcp://host:port by this key, which livetable-feed key prints there",
    )
    parser.add_argument("--theme", metavar="NAME", help="colours, for example textual-light")
    parser.add_argument(
        "--web",
        metavar="PORT",
        nargs="?",
        type=count,
        const=8000,
        help="show it in browsers of this machine, default: at port 8000; see the address",
    )
    parser.add_argument("--in-browser", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--origin", action="append", default=[], help=argparse.SUPPRESS)
    other = parser.add_argument_group("other publishers")
    add_foreign_options(other)
    files = parser.add_argument_group("files, pipes and commands")
    files.add_argument("--key", metavar="COL", help="the column that identifies a row")
    add_text_options(files)
    tape = parser.add_argument_group("tapes")
    tape.add_argument("--record", metavar="FILE", help="record the table to this tape")
    tape.add_argument(
        "--rotate", metavar="SIZE|TIME", help="begin a new tape after so much: 1GB, 1h, 1GB|1h"
    )
    tape.add_argument("--keep", metavar="N", type=count, help="keep the newest N ended tapes")
    tape.add_argument(
        "--headless", action="store_true", help="without a screen: --record and --alert only"
    )
    tape.add_argument(
        "--at", metavar="TIME", help="print a tape as it was then: 14:03, 14:03:07, -30 (its end)"
    )
    tape.add_argument(
        "--changes-of", metavar="KEY", help="print each change of this row of a tape, with its time"
    )
    script = parser.add_argument_group("in scripts")
    script.add_argument(
        "--once",
        action="store_true",
        help="print one snapshot and end (the default where the output is no terminal)",
    )
    script.add_argument("--format", choices=FORMATS, help="of what is printed, default: table")
    script.add_argument(
        "--follow",
        action="store_true",
        help="print all rows, then each that changes, as it does, until the table ends: jsonl, csv",
    )
    script.add_argument(
        "--until", metavar="EXPR", help="end once a row meets this; with 1 if --timeout comes first"
    )
    script.add_argument(
        "--timeout", metavar="S", type=positive, help="give up after S seconds without a table"
    )
    script.add_argument("--list", action="store_true", help="print the tables that there are")
    alerts = parser.add_argument_group("alerts")
    alerts.add_argument(
        "--alert",
        metavar="EXPR",
        action="append",
        default=[],
        help='tell when a row begins to meet this, as "price > 100 until price < 95"; '
        "may be repeated",
    )
    alerts.add_argument(
        "--alert-command", metavar="CMD", help="run this then, with the row as JSON on its input"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable`; return its exit code."""
    collector.hold()
    parser = build_parser()
    arguments, command = split_command(arguments)
    options = parser.parse_args(arguments)
    settings, complaint = _settings()
    try:
        if options.demo and options.source:
            fail(parser.prog, "--demo shows a table of its own: leave out SOURCE", 2)
        other = options.demo or options.in_browser or command is not None
        piped = _is_piped() and not (options.source or other)
        targets = [parse_target(source) for source in options.source or ["-" if piped else None]]
        for at, origin in enumerate(options.origin[: len(targets)]):
            targets[at] = replace(targets[at], origin=origin or None)
        if command is not None:
            if not command or options.source or options.demo:
                fail(parser.prog, "a command stands alone behind --: livetable -- ps aux", 2)
            if shutil.which(command[0]) is None:
                fail(parser.prog, f"there is no command {command[0]!r}", 1)
            targets = [
                Target(None, name_from(Path(command[0]).name, "command"), command=tuple(command))
            ]
        if options.every is not None and command is None:
            fail(parser.prog, "--every goes with a command: livetable --every 2s -- ps aux", 2)
        if len(targets) > 1 and not all(target.table for target in targets):
            fail(parser.prog, "of several sources each names one table: add #NAME", 2)
        view = ViewOptions(
            columns=_column_names(options.columns),
            sort=_sort_keys(options.sort),
            where=tuple(text.strip() for text in options.where if text.strip()),
            stale_after=options.stale_after,
            timeout=options.timeout,
            foreign=_foreign(options),
            history=int((options.history or settings.history or 256) * (1 << 20)),
            view=_view_file(options.view),
            record=_recorder(options, targets),
            at=options.at,
            changes_of=options.changes_of,
            remember=not (options.columns or options.sort or options.where),
            until=_condition("until", options.until),
            alerts=tuple(_condition("alert", text) or "" for text in options.alert),
            alert_command=options.alert_command,
        )
    except LivetableError as error:
        fail(parser.prog, str(error), 2)
    for name, example in (("at", "14:03"), ("changes-of", "KEY")):
        asked = getattr(options, name.replace("-", "_")) is not None
        if asked and targets[0].tape is None:
            fail(parser.prog, f"--{name} is for a tape: livetable FILE.tape --{name} {example}", 2)
        options.once = options.once or asked
    printed = options.once or options.format is not None or options.follow or options.list
    shown = options.in_browser or options.web is not None
    once = printed or not (sys.stdout.isatty() or shown)
    _check_calls(parser.prog, options)
    if (view.record is not None or view.alerts) and once and not options.headless:
        fail(parser.prog, "there is no screen: add --headless to record, or to be told", 2)
    try:
        with contextlib.ExitStack() as stack:
            if options.demo:
                from livetable.tui.launch import FeedProcess

                feed = stack.enter_context(FeedProcess("processes", "processes"))
                targets = [feed.target]
            for target in targets:
                one = target.file is not None and not is_folder(str(target.file))
                if once and one and target.file is not None and not target.file.exists():
                    fail(parser.prog, f"{target.file}: {os.strerror(errno.ENOENT)}", 1)
            if options.feed_key is not None or any(one.endpoint for one in targets):
                from livetable.tui.trust import settle_keys  # late: most tables are local

                settle_keys(targets, options.feed_key)
            view = replace(view, to_end=targets[0].piped)
            targets = [
                replace(_followed(target, options, stack), origin=origin_of(target))
                for target in targets
            ]
            if options.web is not None and not printed:
                from livetable.tui.web import command_for, serve

                title = ", ".join(target.title for target in targets)
                return serve(command_for(targets, options), f"livetable {title}", options.web)
            if options.headless:
                collector.settle()
                from livetable.tui.headless import run
                from livetable.tui.once import only_table

                return run(only_table(targets[0], view, stack), view)
            if once:
                collector.settle()
                if len(targets) > 1:
                    fail(parser.prog, "one table at a time can be printed: name one SOURCE", 2)
                if options.follow:
                    from livetable.tui.follow import follow
                    from livetable.tui.once import only_table

                    return follow(
                        only_table(targets[0], view, stack),
                        view,
                        options.format or "jsonl",
                        sys.stdout,
                    )
                from livetable.tui.once import print_list, print_once

                write = print_list if options.list else print_once
                return write(targets[0], view, options.format or "table", sys.stdout)
            return _show(
                targets, view, options.theme, settings, complaint, in_browser=options.in_browser
            )
    except LivetableError as error:
        fail(parser.prog, str(error), 1)
    except KeyboardInterrupt:
        return 130


def _foreign(options: argparse.Namespace) -> tuple[str, ...]:
    """Return how a publisher that is not livetable's is to be read, for its feed."""
    more = [f"--topic={one}" for one in options.topic or ()]
    more += [f"--{name}" for name in ("pickle", "pull") if getattr(options, name)]
    more += [f"--{name}={value}" for name in ("key", "limit")
             if (value := getattr(options, name)) is not None]  # fmt: skip
    return tuple(more)


def _check_calls(program: str, options: argparse.Namespace) -> None:
    """End with a sentence where options don't go together."""
    if options.follow and (options.once or options.list):
        fail(program, "--follow prints changes: leave out --once and --list", 2)
    if options.follow and options.format not in (None, "jsonl", "csv"):
        fail(program, f"--follow prints jsonl or csv, not {options.format}", 2)
    if options.format in ("arrow", "parquet") and sys.stdout.isatty():
        fail(program, f"{options.format} is nothing for a terminal: add > FILE, or a pipe", 2)
    if options.headless and not (options.record or options.alert):
        fail(program, "--headless goes with --record FILE or --alert EXPR", 2)
    if options.alert_command is not None and not options.alert:
        fail(program, "--alert-command goes with --alert EXPR", 2)
    if options.headless and (options.columns or options.where or options.sort or options.until):
        fail(program, "--headless takes the whole table: leave out --columns, --where, --sort", 2)
    if options.types is not None:
        from livetable.feed.sources.lines import read_types

        try:
            read_types(options.types)
        except LivetableError as error:
            fail(program, str(error), 2)
    if options.keep is not None and options.rotate is None:
        fail(program, "--keep goes with --rotate", 2)


def _condition(name: str, text: str | None) -> str | None:
    """Return a condition of the command line that can be read."""
    if text is None:
        return None
    from livetable.tui.alerts import check_alert
    from livetable.tui.expression import BadExpression

    try:
        check_alert(text)
    except BadExpression as error:
        fail("livetable", f"--{name} {text!r}: {error.sentence}", 2)
    return text


def _recorder(options: argparse.Namespace, targets: list[Target]) -> Recorder | None:
    if options.record is None:
        for name in ("rotate", "keep"):
            if getattr(options, name):
                fail("livetable", f"--{name} goes with --record FILE", 2)
        return None
    if len(targets) > 1 or (targets[0].table is None and not options.demo) or targets[0].tape:
        fail("livetable", "--record takes one live table: livetable NAME --record FILE.tape", 2)
    if not options.record.lower().endswith(".tape"):
        fail("livetable", f"--record {options.record}: a tape's name ends in .tape", 2)
    from livetable.feed.recording import Recorder, read_rotation

    rotation = read_rotation(options.rotate, options.keep) if options.rotate else None
    return Recorder(path_of(options.record), rotation)


def _followed(target: Target, options: argparse.Namespace, stack: contextlib.ExitStack) -> Target:
    """Return where a file's table is: a feed of the viewer's own follows the file."""
    if options.pull and target.endpoint is not None and target.table is None:
        from livetable.tui.launch import foreign_feed  # a PUSH socket answers nobody's question

        return stack.enter_context(foreign_feed(target.endpoint, _foreign(options))).target
    if not (target.file or target.piped or target.source or target.command):
        return target
    from livetable.tui.launch import FeedProcess

    more = [f"--{name}={value}" for name in ("key", "sep", "encoding", "limit", "types")
            if (value := getattr(options, name)) is not None]  # fmt: skip
    if options.each and target.file is not None:
        feed = FeedProcess(str(target.file.absolute()), None, "--each", *more, waits=True)
        return Target(stack.enter_context(feed).target.endpoint)
    if target.source is not None:
        feed = FeedProcess(target.source, None, *more, waits=True)
        stack.enter_context(feed)
        return replace(target, endpoint=feed.target.endpoint)
    assert target.table is not None
    if target.command:
        if options.every is not None:
            more.append(f"--every={options.every}")
        feed = FeedProcess("command", target.table, *more, command=target.command)
        return stack.enter_context(feed).target
    if target.piped:
        if sys.stdin.isatty():
            fail("livetable", "there is nothing piped in: producer | livetable", 2)
        feed = FeedProcess("-", target.table, *more, data=os.dup(0))
    else:
        assert target.file is not None
        feed = FeedProcess(str(target.file.absolute()), target.table, *more)
    return stack.enter_context(feed).target


def _is_piped() -> bool:
    """Tell whether standard input is a pipe or a file, from which rows may come."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or (stat.S_ISREG(mode) and os.fstat(0).st_size > 0)


def _column_names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        fail("livetable", f"--columns: an empty name in {text!r}", 2)
    return names


def _sort_keys(text: str | None) -> tuple[tuple[str, bool], ...]:
    keys = []
    for name in text.split(",") if text is not None else ():
        title, colon, direction = name.strip().rpartition(":")
        if not colon or direction not in ("asc", "desc"):
            title, direction = name.strip(), "asc"
        if not title:
            fail("livetable", f"--sort: an empty name in {text!r}", 2)
        keys.append((title, direction == "desc"))
    return tuple(keys)


def _settings() -> tuple[Settings, str | None]:
    try:
        return read_settings(), None
    except BadFile as error:  # said on the screen: a wrong setting is no reason not to look
        return Settings(), str(error)


def _view_file(text: str | None) -> Path | None:
    if text is None:
        return None
    path = path_of(text)
    if not path.parent.is_dir():
        fail("livetable", f"--view: there is no folder {path.parent}", 2)
    return path


def _show(
    targets: list[Target],
    options: ViewOptions,
    theme: str | None,
    settings: Settings,
    complaint: str | None,
    *,
    in_browser: bool,
) -> int:
    for target in targets:
        if target.tape is not None:  # what is wrong with it is told before there is a screen
            from livetable.feed.tape import TapeReader

            TapeReader(target.tape).close()
    if not in_browser:
        _take_terminal()
    from livetable.tui.subscriber import ask_early

    client = ask_early(targets[0])
    from livetable.tui.app import LivetableApp

    app = LivetableApp(*targets, options=options, client=client)
    app.take_settings(settings, complaint)
    if theme is not None:
        if theme not in app.available_themes:
            known = ", ".join(sorted(app.available_themes))
            fail("livetable", f"--theme: there is no {theme!r}; there are {known}", 2)
        app.theme = theme
    app.run()
    return app.return_code or 0


def _take_terminal() -> None:
    """Read keys from the terminal where standard input is something else."""
    if not sys.stdin.isatty():
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError:
            fail("livetable", "there is no terminal to show the table on: use --once", 1)
        os.dup2(terminal, 0)
        os.close(terminal)


if __name__ == "__main__":
    raise SystemExit(main())
