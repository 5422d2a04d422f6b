"""The `livetable` command."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from livetable.feed.commandline import Parser, fail, positive
from livetable.feed.errors import LivetableError
from livetable.tui import collector
from livetable.tui.settings import BadFile, Settings, read_settings
from livetable.tui.target import Target, ViewOptions, parse_target

FORMATS: Final = ("table", "csv", "json", "jsonl")


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
        help="a local table's name, tcp://host:port[#NAME] or ipc://path[#NAME]; several are a tab "
        "each; without one, the tables on this machine to choose from",
    )
    parser.add_argument("--demo", action="store_true", help="show this machine's processes")
    parser.add_argument(
        "--pickle",
        action="store_true",
        help="admit pickled DataFrames from a plain ZeroMQ publisher; nothing else in them runs",
    )
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
    parser.add_argument("--theme", metavar="NAME", help="colours, for example textual-light")
    script = parser.add_argument_group("in scripts")
    script.add_argument(
        "--once",
        action="store_true",
        help="print one snapshot and end (the default where the output is no terminal)",
    )
    script.add_argument("--format", choices=FORMATS, help="of the printed snapshot, default: table")
    script.add_argument(
        "--timeout", metavar="S", type=positive, help="give up after S seconds without a table"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable`; return its exit code."""
    collector.hold()
    parser = build_parser()
    options = parser.parse_args(arguments)
    settings, complaint = _settings()
    try:
        if options.demo and options.source:
            fail(parser.prog, "--demo shows a table of its own: leave out SOURCE", 2)
        targets = [parse_target(source) for source in options.source or [None]]
        if len(targets) > 1 and not all(target.table for target in targets):
            fail(parser.prog, "of several sources each names one table: add #NAME", 2)
        view = ViewOptions(
            columns=_column_names(options.columns),
            sort=_sort_keys(options.sort),
            where=tuple(text.strip() for text in options.where if text.strip()),
            stale_after=options.stale_after,
            timeout=options.timeout,
            pickle=options.pickle,
            history=int((options.history or settings.history or 256) * (1 << 20)),
            view=_view_file(options.view),
            remember=not (options.columns or options.sort or options.where),
        )
    except LivetableError as error:
        fail(parser.prog, str(error), 2)
    once = options.once or options.format is not None or not sys.stdout.isatty()
    try:
        with contextlib.ExitStack() as stack:
            if options.demo:
                from livetable.tui.launch import FeedProcess

                feed = stack.enter_context(FeedProcess("processes", "processes"))
                targets = [feed.target]
            if once:
                collector.settle()
                from livetable.tui.once import print_once

                if len(targets) > 1:
                    fail(parser.prog, "one table at a time can be printed: name one SOURCE", 2)
                return print_once(targets[0], view, options.format or "table", sys.stdout)
            return _show(targets, view, options.theme, settings, complaint)
    except LivetableError as error:
        fail(parser.prog, str(error), 1)
    except KeyboardInterrupt:
        return 130


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
    path = Path(text).expanduser()
    if not path.parent.is_dir():
        fail("livetable", f"--view: there is no folder {path.parent}", 2)
    return path


def _show(
    targets: list[Target],
    options: ViewOptions,
    theme: str | None,
    settings: Settings,
    complaint: str | None,
) -> int:
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
