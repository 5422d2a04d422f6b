"""The options of `livetable`, and to which other processes each one is passed on."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from enum import Enum
from typing import Final

from livetable.feed.base.command_line import (
    Parser,
    add_foreign_options,
    add_text_options,
    count,
    port,
    positive,
)
from livetable.feed.sources.source_table import FILE_SUFFIXES, TAPE, kinds_with
from livetable.tui.model.budget import HistorySize, history_size

FORMATS: Final = ("table", "csv", "json", "jsonl", "arrow", "parquet")


class Browser(Enum):
    """What happens to an option with `--web`."""

    PASSED = "passed on to each browser's viewer"
    DONE = "handled by the serving process or its feed; the browsers' viewers don't need it"
    REFUSED = "refused together with --web"


@dataclass(frozen=True, slots=True)
class Reach:
    """To which other processes an option is passed on.

    Attributes:
        browser: What happens to it with `--web`.
        feed: Whether a feed process that is started for the SOURCE gets it.
        serves: The kinds of SOURCE that it works with (`request.kind_of`); it is refused for all
            others, where it would do nothing. Empty: any.
    """

    browser: Browser
    feed: bool = False
    serves: frozenset[str] = frozenset()


# A test fails for an option that is missing here: it would be dropped silently on its way to the
# feed process or to the browser's viewer. The table of sources says what works with some only.
REACH: Final[dict[str, Reach]] = {
    "source": Reach(Browser.DONE, feed=False),
    "demo": Reach(Browser.DONE),
    "columns": Reach(Browser.PASSED),
    "where": Reach(Browser.PASSED),
    "sort": Reach(Browser.PASSED),
    "stale_after": Reach(Browser.PASSED),
    "view": Reach(Browser.PASSED),
    "history": Reach(Browser.PASSED),
    "feed_key": Reach(Browser.DONE),  # it is kept in known_feeds, where the viewers find it
    "theme": Reach(Browser.PASSED),
    "web": Reach(Browser.DONE),
    "in_browser": Reach(Browser.DONE),
    "origin": Reach(Browser.DONE),
    "pickle": Reach(Browser.PASSED, feed=True, serves=kinds_with("pickle")),
    "topic": Reach(Browser.PASSED, feed=True, serves=kinds_with("topic")),
    "pull": Reach(Browser.DONE, feed=True, serves=kinds_with("pull")),
    "key": Reach(Browser.PASSED, feed=True),
    "limit": Reach(Browser.PASSED, feed=True),
    "sep": Reach(Browser.DONE, feed=True, serves=kinds_with("sep")),
    "encoding": Reach(Browser.DONE, feed=True, serves=kinds_with("encoding")),
    "types": Reach(Browser.DONE, feed=True, serves=kinds_with("types")),
    "append_only": Reach(Browser.DONE, feed=True, serves=kinds_with("append_only")),
    "each": Reach(Browser.DONE, feed=True, serves=kinds_with("each")),
    "every": Reach(Browser.DONE, feed=True, serves=kinds_with("every")),
    "alert": Reach(Browser.PASSED),
    "alert_command": Reach(Browser.PASSED),
    "record": Reach(Browser.REFUSED),
    "rotate": Reach(Browser.REFUSED),
    "keep": Reach(Browser.REFUSED),
    "headless": Reach(Browser.REFUSED),
    "at": Reach(Browser.REFUSED, serves=frozenset({TAPE.kind})),
    "changes_of": Reach(Browser.REFUSED, serves=frozenset({TAPE.kind})),
    "once": Reach(Browser.REFUSED),
    "format": Reach(Browser.REFUSED),
    "follow": Reach(Browser.REFUSED),
    "until": Reach(Browser.REFUSED),
    "timeout": Reach(Browser.REFUSED),
    "list": Reach(Browser.REFUSED),
}


def _history(text: str) -> HistorySize:
    try:
        return history_size(text)
    except ValueError:
        says = f"{text!r:.40} is not a number above 0. Example: 64, or 64/table for each table"
        raise argparse.ArgumentTypeError(says) from None


def is_given(options: argparse.Namespace, name: str) -> bool:
    """Tell whether an option was given on the command line."""
    return getattr(options, name) not in (None, False, [])


def written(options: argparse.Namespace, name: str) -> list[str]:
    """Return an option as command line arguments; none if it was not given."""
    if not is_given(options, name):
        return []
    option, value = f"--{name.replace('_', '-')}", getattr(options, name)
    if value is True:
        return [option]
    return [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]


def for_feed(options: argparse.Namespace) -> list[str]:
    """Return the options to pass on to a feed process, as command line arguments."""
    return [one for name, reach in REACH.items() if reach.feed for one in written(options, name)]


def for_browser(options: argparse.Namespace) -> list[str]:
    """Return the options to pass on to a browser's viewer, as command line arguments."""
    passed = (name for name, reach in REACH.items() if reach.browser is Browser.PASSED)
    return [one for name in passed for one in written(options, name)]


def build_parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    # Long, as it is a list: one option after the other.
    parser = Parser(
        prog="livetable",
        description="Watch live DataFrames in the terminal.",
        epilog="In Python: from livetable import Publisher; Publisher('orders').send(df)",
    )
    parser.add_argument(
        "source",
        nargs="*",
        metavar="SOURCE",
        help="a local table's name; tcp://host:port[#NAME] or ipc://path[#NAME]; a file to follow "
        f"({' '.join(FILE_SUFFIXES)}) or a .tape; a folder or a pattern, for its newest file; "
        "http://127.0.0.1:5000, to listen there; nats://… or redis://…; - for standard input; "
        "-- COMMAND for its output, run repeatedly. Several open as tabs. Default: what is piped "
        "in, else a list of this machine's tables",
    )
    parser.add_argument("--demo", action="store_true", help="show this machine's processes")
    parser.add_argument("--columns", metavar="A,B,C", help="show only these columns, in this order")
    parser.add_argument(
        "--where",
        metavar="EXPR",
        action="append",
        default=[],
        help="show only matching rows, e.g. \"price > 100 and sector == 'x'\"; repeatable",
    )
    parser.add_argument("--sort", metavar="COL[:desc],…", help="sort rows by these columns")
    parser.add_argument(
        "--stale-after",
        metavar="S",
        type=positive,
        help="mark data as stale after S seconds without an answer",
    )
    parser.add_argument(
        "--view", metavar="FILE", help="load the view from this TOML file, and save it there"
    )
    parser.add_argument(
        "--history",
        metavar="MB",
        type=_history,
        help="keep this much of what was shown, to rewind (default: 256 for all tables; 64/table: "
        "64 for each)",
    )
    parser.add_argument(
        "--feed-key",
        metavar="KEY",
        help="expect this public key from the feed; livetable-feed key prints it there",
    )
    parser.add_argument("--theme", metavar="NAME", help="colour theme, e.g. textual-light")
    parser.add_argument(
        "--web",
        metavar="PORT",
        nargs="?",
        type=port,
        const=8000,
        help="serve the table to this machine's browsers (default port: 8000)",
    )
    parser.add_argument("--in-browser", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--origin", action="append", default=[], help=argparse.SUPPRESS)
    other = parser.add_argument_group("other publishers")
    add_foreign_options(other)
    files = parser.add_argument_group("files, pipes and commands")
    files.add_argument("--key", metavar="COL", help="column that identifies a row")
    add_text_options(files)
    tape = parser.add_argument_group("tapes")
    tape.add_argument("--record", metavar="FILE", help="record the table to this tape")
    tape.add_argument(
        "--rotate", metavar="SIZE|TIME", help="start a new tape after this much: 1GB, 1h, 1GB|1h"
    )
    tape.add_argument(
        "--keep", metavar="N", type=count, help="keep only the newest N finished tapes"
    )
    tape.add_argument(
        "--headless", action="store_true", help="run without a screen, for --record and --alert"
    )
    tape.add_argument(
        "--at",
        metavar="TIME",
        help="print the tape's table at this time: 14:03, 14:03:07, -30 (before its end)",
    )
    tape.add_argument(
        "--changes-of", metavar="KEY", help="print each change of this row of the tape, with times"
    )
    script = parser.add_argument_group("in scripts")
    script.add_argument(
        "--once",
        action="store_true",
        help="print one snapshot and exit (default if the output is not a terminal)",
    )
    script.add_argument("--format", choices=FORMATS, help="output format (default: table)")
    script.add_argument(
        "--follow",
        action="store_true",
        help="print all rows, then each changed row, until the table ends (jsonl or csv)",
    )
    script.add_argument(
        "--until", metavar="EXPR", help="exit when a row matches; with code 1 if --timeout is first"
    )
    script.add_argument(
        "--timeout", metavar="S", type=positive, help="give up after S seconds without a table"
    )
    script.add_argument("--list", action="store_true", help="list the live tables")
    alerts = parser.add_argument_group("alerts")
    alerts.add_argument(
        "--alert",
        metavar="EXPR",
        action="append",
        default=[],
        help='alert when a row starts to match, e.g. "price > 100 until price < 95"; repeatable',
    )
    alerts.add_argument(
        "--alert-command",
        metavar="CMD",
        help="run this for each alert; its input is the row as JSON",
    )
    return parser
