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
from livetable.feed.sources.file_types import ENDINGS, form_of, is_folder, path_of
from livetable.tui.model.budget import USUAL, Budget, HistorySize
from livetable.tui.text.places import place as place_of

if TYPE_CHECKING:
    from livetable.feed.tape.recorder import Recorder


_BRIDGED: Final = ("http", "nats", "tls", "redis", "rediss")
"""Addresses that a feed of the viewer's own makes tables of."""


class BadSource(LivetableError):
    """Not a source that can be shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table to show, or several to choose from.

    Attributes:
        endpoint: Where it is; None means somewhere on this machine, to be found by name.
        table: Its name; None means all there.
        tape: The tape it is on; None for a live one.
        file: The file that it is, to be followed by a feed of the viewer's own.
        piped: Whether it is what comes on standard input, or from the named pipe `file`.
        command: The command whose output it is.
        source: What a feed of the viewer's own makes tables of; None for what needs none.
        origin: What its view is remembered by, where the name alone may be another table's:
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
        """What to call it before anything is known about it."""
        place = place_of(self.endpoint) if self.endpoint is not None else None
        if self.source is not None:
            place = shown(self.source)
        return self.table or place or "this machine"


PIPE: Final = "-"
"""The origin of what is piped in: nothing tells one pipe from another but the columns."""


def origin_of(target: Target) -> str | None:
    """Return what a table's view is remembered by; None for the table's name."""
    path = target.tape or target.file
    if path is not None:  # not where links lead to: `current/` is one place, whatever is there
        return os.path.abspath(path)
    if target.command:  # it stands in the view's file, and on a browser session's command line
        return shlex.join(shown_command(target.command))
    return PIPE if target.piped else target.origin


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the command line asks of the view.

    Attributes:
        columns: Titles of the columns to show, in this order; None: all.
        sort: Titles of the columns to order rows by, each with whether the largest comes first.
        where: Filters that rows must meet.
        stale_after: Seconds of silence after which data counts as stale; None: never.
        timeout: Seconds after which to give up on a table that does not come; None: never.
        budget: Bytes that the histories of all tables may take together.
        history: What each of them may take instead; None: of the budget.
        view: The file that the view is in; None for the one that is remembered by the table's name.
        remember: Whether a view is remembered at all.
        foreign: How a publisher that is not livetable's is read: options of `livetable-feed`.
        record: What records the table; None for no recording.
        at: The time of a tape to print; None for its end.
        changes_of: The row of a tape whose changes are printed; None for the table.
        to_end: Whether a table is printed when it has ended, not as soon as it is there.
        until: What a row has to come to for the viewer to end; None: it does not end by itself.
        alerts: Conditions of which the person wants to be told when a row begins to meet them.
        alert_command: What is run then; None for nothing.
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
        """Return what a further table's history may take."""
        return self.budget if self.history is None else self.history.budget()


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
        if scheme in _BRIDGED:
            check_address(endpoint)
            return Target(None, check_name(table) if table else None, source=endpoint)
        if scheme not in ("tcp", "ipc"):
            if scheme == "ssh":
                host = endpoint.partition("://")[2] or "HOST"
                raise BadSource(f"Can't show ssh://. Run livetable there: ssh -t {host} livetable")
            known = "://, ".join(("tcp", "ipc", *_BRIDGED))
            raise BadSource(f"Can't show {scheme}://. Use {known}://, a file or a table's name")
        check_endpoint(endpoint)
        return Target(endpoint, check_name(table) if table else None)
    if source.lower().endswith(".tape"):
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
    if is_pipe(path):  # also <(command), which a shell makes /dev/fd/63 of
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
            f"Can't tell the format of {source}. Its name must end in one of {' '.join(ENDINGS)}"
        )
    return Target(None, check_name(source))


def is_pipe(path: Path) -> bool:
    """Tell whether a path is that of a named pipe."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _is_live(name: str) -> bool:
    from livetable.feed.local.directory import find  # late: there is hardly ever such a file

    return bool(find(name))


def _name_of(source: str) -> str:
    return name_from(path_of(source).absolute().name, "files")
