"""What a SOURCE on the command line means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from livetable.feed.directory import check_endpoint
from livetable.feed.errors import LivetableError
from livetable.feed.wire import check_name

FILE_SUFFIXES = (
    ".csv", ".tsv", ".parquet", ".feather", ".arrow", ".json", ".jsonl", ".ndjson", ".tape",
)  # fmt: skip


class BadSource(LivetableError):
    """Not a source that can be shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table to show, or several to choose from.

    Attributes:
        endpoint: Where it is; None means somewhere on this machine, to be found by name.
        table: Its name; None means all there.
    """

    endpoint: str | None = None
    table: str | None = None

    @property
    def title(self) -> str:
        """What to call it before anything is known about it."""
        return self.table or self.endpoint or "this machine"


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the command line asks of the view.

    Attributes:
        columns: Titles of the columns to show, in this order; None: all.
        sort: Titles of the columns to order rows by, each with whether the largest comes first.
        where: Filters that rows must meet.
        stale_after: Seconds of silence after which data counts as stale; None: never.
        timeout: Seconds after which to give up on a table that does not come; None: never.
        history: Bytes that the history of what was shown may take.
        view: The file that the view is in; None for the one that is remembered by the table's name.
        remember: Whether a view is remembered at all.
        pickle: Whether pickled DataFrames of other publishers are admitted.
    """

    columns: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    where: tuple[str, ...] = ()
    stale_after: float | None = None
    timeout: float | None = None
    pickle: bool = False
    history: int = 256 << 20
    view: Path | None = None
    remember: bool = True


DEFAULTS = ViewOptions()


def parse_target(source: str | None) -> Target:
    """Return what a SOURCE names.

    Raises:
        BadSource: it names nothing that can be shown.
        BadEndpoint: its endpoint can't be one.
        BadName: its table can't be one.
    """
    if source is None:
        return Target()
    if "://" in source:
        endpoint, _, table = source.partition("#")
        scheme = endpoint.partition("://")[0]
        if scheme not in ("tcp", "ipc"):
            raise BadSource(f"{scheme}:// can't be shown; sources are tcp://, ipc:// and names")
        check_endpoint(endpoint)
        return Target(endpoint, check_name(table) if table else None)
    if source == "-" or source.lower().endswith(FILE_SUFFIXES):
        raise BadSource(
            f"{source!r}: files and standard input can't be shown yet; send them from Python with "
            "livetable.feed.Publisher"
        )
    return Target(None, check_name(source))
