"""What may stand on the command line of `livetable`, and how far each option reaches."""

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
    """What becomes of an option where `--web` shows the table in browsers."""

    PASSED = "the viewer of each browser is given it"
    DONE = "the process that serves has done it, or its feed has: the browser's viewer needs it not"
    REFUSED = "it can't be had together with --web, which says so"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an option reaches beyond the process that reads it.

    Attributes:
        browser: What becomes of it with `--web`.
        feed: Whether a feed that is started for the SOURCE is given it.
        serves: Kinds of SOURCE that it is for (`kind_of` in request.py); with none of them it is
            refused, for it would do nothing. Empty: any.
    """

    browser: Browser
    feed: bool = False
    serves: frozenset[str] = frozenset()


# Each option of the parser stands here, or a test fails: one that is forgotten would be dropped
# without a word on its way to the feed, or to the browser.
# What serves only some sources is said in the table of sources.
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
        says = f"{text!r:.40} is no number above 0, e.g. 64, or of each table 64/table"
        raise argparse.ArgumentTypeError(says) from None


def is_given(options: argparse.Namespace, name: str) -> bool:
    """Tell whether an option stands on the command line."""
    return getattr(options, name) not in (None, False, [])


def written(options: argparse.Namespace, name: str) -> list[str]:
    """Return an option as it is written on a command line; nothing if it was not given."""
    if not is_given(options, name):
        return []
    option, value = f"--{name.replace('_', '-')}", getattr(options, name)
    if value is True:
        return [option]
    return [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]


def for_feed(options: argparse.Namespace) -> list[str]:
    """Return what a feed that is started for the SOURCE is given of the options."""
    return [one for name, reach in REACH.items() if reach.feed for one in written(options, name)]


def for_browser(options: argparse.Namespace) -> list[str]:
    """Return what the viewer of a browser is given of the options."""
    passed = (name for name, reach in REACH.items() if reach.browser is Browser.PASSED)
    return [one for name in passed for one in written(options, name)]


def build_parser() -> argparse.ArgumentParser:
    """Return the command line as argparse knows it."""
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
        help="a local table's name; tcp://host:port[#NAME], ipc://path[#NAME]; a file: "
        + " ".join(FILE_SUFFIXES)
        + ", followed as it changes, or a .tape; a folder or a pattern: its newest file; "
        "http://127.0.0.1:5000, to listen; nats://… or redis://…; - is standard input; -- COMMAND "
        "is its output, again and again; several are a tab each; without one, what is piped in, "
        "else the tables on this machine to choose from",
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
        type=_history,
        help="how much of what all tables showed to keep, to go back to, default: 256; "
        "64/table: of each",
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
        type=port,
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
