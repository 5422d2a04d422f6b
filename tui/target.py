"""What a SOURCE on the command line means."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livetable.feed.base.addresses import shown, shown_command
from livetable.feed.errors import LivetableError
from livetable.feed.local.endpoints import check_address, check_endpoint
from livetable.feed.protocol.names import check_name, name_from
from livetable.feed.sources.file_types import form_of, is_folder, path_of
from livetable.feed.sources.source_table import (
    FILE_SUFFIXES,
    SCHEMES,
    TAPE,
    by_scheme,
    by_suffix,
)
from livetable.tui.model.budget import USUAL, Budget, HistorySize
from livetable.tui.text.places import place as place_of

if TYPE_CHECKING:
    from livetable.feed.tape.recorder import Recorder


class BadSource(LivetableError):
    """Not a source that can be shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table to show, or several to choose from.

    Attributes:
        endpoint: The feed's endpoint; None: look the table up by name on this machine.
        table: The table's name; None: all tables of the endpoint.
        tape: The tape to play; None for a live table.
        file: The file, folder or pattern that a feed process follows.
        piped: Whether the rows come from standard input, or from the named pipe `file`.
        command: The command whose output is shown.
        source: The address that a feed process reads; None if no feed process is needed.
        origin: The key of the remembered view, where the name alone is ambiguous: the
            `origin_of` a file, a folder, a command or a pipe.
    """

    endpoint: str | None = None
    table: str | None = None
    tape: Path | None = None
    file: Path | None = None
    piped: bool = False
    source: str | None = field(default=None, repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    origin: str | None = None

    @property
    def title(self) -> str:
        """The title to show before the feed has answered."""
        place = place_of(self.endpoint) if self.endpoint is not None else None
        if self.source is not None:
            place = shown(self.source)
        return self.table or place or "this machine"


PIPE: Final = "-"
"""The origin of piped input. All pipes share it: only their columns tell them apart."""


def origin_of(target: Target) -> str | None:
    """Return the key that a table's view is remembered by; None: the table's name."""
    path = target.tape or target.file
    if path is not None:  # links are not resolved: `current/` keeps its view when it moves on
        return os.path.abspath(path)
    if target.command:  # without passwords: it is stored, and visible in the list of processes
        return shlex.join(shown_command(target.command))
    return PIPE if target.piped else target.origin


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the command line asks of the view.

    Attributes:
        columns: Titles of the columns to show, in this order; None: all.
        sort: Titles of the columns to sort by, each with whether to sort descending.
        where: Filters that rows must match.
        stale_after: Seconds of silence after which data counts as stale; None: never.
        timeout: Seconds to wait for the table; None: forever.
        budget: Bytes that the histories of all tables may take together.
        history: The limit for each table's history; None: they share `budget`.
        view: The file of the view; None: the one remembered for the table.
        remember: Whether the view is saved.
        foreign: `livetable-feed` options for reading a publisher that is not livetable's.
        record: Records the table; None: no recording.
        at: The time on a tape to print; None: its end.
        changes_of: The key of the row whose changes are printed; None: print the table.
        to_end: Whether to print the table only once it has ended.
        until: The viewer exits when a row matches this; None: it does not exit by itself.
        alerts: Conditions to alert on.
        alert_command: The command to run for each alert; None: none.
    """

    columns: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    where: tuple[str, ...] = ()
    stale_after: float | None = None
    timeout: float | None = None
    foreign: tuple[str, ...] = ()
    budget: Budget = field(default_factory=USUAL.budget, compare=False)
    history: HistorySize | None = None
    view: Path | None = None
    remember: bool = True
    record: Recorder | None = None
    at: str | None = None
    changes_of: str | None = None
    to_end: bool = False
    until: str | None = None
    alerts: tuple[str, ...] = ()
    alert_command: str | None = None

    def budget_of_a_table(self) -> Budget:
        """Return the budget for one more table's history."""
        return self.budget if self.history is None else self.history.budget()


DEFAULTS = ViewOptions()


def parse_target(source: str | None) -> Target:
    """Return what a SOURCE names.

    Raises:
        BadSource: it can't be shown.
        BadEndpoint: its endpoint is invalid.
        BadName: its table's name is invalid.
    """
    # Long, as it is one order: address, tape, pipe, folder, file; a name is what is left.
    if source is None:
        return Target()
    if "://" in source:
        endpoint, _, table = source.partition("#")
        scheme = endpoint.partition("://")[0]
        published = by_scheme(endpoint)
        if published is not None and published.kind == "address":
            check_address(endpoint)
            return Target(None, check_name(table) if table else None, source=endpoint)
        if published is None:
            if scheme == "ssh":
                host = endpoint.partition("://")[2] or "HOST"
                raise BadSource(f"Can't show ssh://. Run livetable there: ssh -t {host} livetable")
            known = "://, ".join(SCHEMES)
            raise BadSource(f"Can't show {scheme}://. Use {known}://, a file or a table's name")
        check_endpoint(endpoint)
        return Target(endpoint, check_name(table) if table else None)
    if by_suffix(source) is TAPE:
        if Path(source).is_dir():
            raise BadSource(f"{source} is a folder, not a tape")
        return Target(None, Path(source).stem, Path(source))
    if source == "-":
        return Target(None, "stdin", piped=True)
    path = path_of(source)
    if is_folder(source):
        folder = path if path.is_dir() else path.parent
        if not folder.is_dir():
            raise BadSource(f"{source}: no folder {folder}")
        return Target(None, _name_of(source), file=path)
    if is_pipe(path):  # also <(command), which a shell replaces by /dev/fd/63
        name = "pipe" if path.parent.name == "fd" else path.stem
        return Target(None, name_from(name, "pipe"), file=path, piped=True)
    if form_of(source)[0] is not None:
        if not path.parent.is_dir():
            raise BadSource(f"{source}: no folder {path.parent}")
        if path.is_dir():
            raise BadSource(f"{source} is a folder. To show its newest file, write {source}/")
        return Target(None, _name_of(source), file=path)
    if path.is_file() and ("/" in source or (path.suffix and not _is_live(source))):
        raise BadSource(
            f"Can't tell the format of {source}. "
            f"Its name must end in one of {' '.join(FILE_SUFFIXES)}"
        )
    return Target(None, check_name(source))


def is_pipe(path: Path) -> bool:
    """Tell whether a path is a named pipe."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _is_live(name: str) -> bool:
    from livetable.feed.local.directory import find  # late: few file names need it

    return bool(find(name))


def _name_of(source: str) -> str:
    return name_from(path_of(source).absolute().name, "files")
