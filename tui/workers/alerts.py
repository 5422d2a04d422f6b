"""Checks each state of a table for what a person wants to be told, and runs their command."""

from __future__ import annotations

import contextlib
import datetime
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.query.conditions import Watch

MOST: Final = 20
"""Rows that are told of singly, of those that begin to meet a condition with one frame."""

_COMMAND_SECONDS: Final = 60.0
_WAITING_COMMANDS: Final = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """A row began to meet a condition.

    Attributes:
        table: The table's name.
        condition: The condition.
        row: What the row is called: its key.
        values: The row, by column.
        more: How many rows more did so with the same frame, and are not told of singly.
        time: When it was seen, in local time.
    """

    table: str
    condition: str
    row: str
    values: dict[str, Any]
    more: int
    time: datetime.datetime


def sentence_of(alert: Alert) -> str:
    """Return an alert as a line of text that is safe to print."""
    more = f" and {alert.more:,} more rows" if alert.more else ""
    said = f"{alert.table} {alert.row}{more}: {alert.condition}"
    return f"{alert.time:%H:%M:%S}  {harmless(said)}"


class Alarm:
    """Checks each state of a table for what the person wants to be told.

    Args:
        texts: The conditions.
        table: What the table is called.
        command: A command to run with each row as JSON on standard input; None for none.
    """

    def __init__(self, texts: Sequence[str], table: str, command: str | None = None) -> None:
        self.watches = [Watch(text) for text in texts]
        self.table = table
        self._commands = _Commands(command) if command is not None else None

    def check(self, table: Table) -> list[Alert]:
        """Return what began with this state. The command is started, not waited for."""
        alerts = []
        for watch in self.watches:
            rows = watch.check(table)
            for number, row in enumerate(rows[:MOST].tolist()):
                alerts.append(
                    Alert(
                        self.table,
                        watch.text,
                        table.arranged(None).name_of(row),
                        row_values(table, row),
                        len(rows) - MOST if number == MOST - 1 and len(rows) > MOST else 0,
                        datetime.datetime.now().astimezone(),
                    )
                )
        if self._commands is not None:
            for alert in alerts:
                self._commands.run(alert)
        return alerts

    @property
    def problem(self) -> str | None:
        """Why a condition can't be worked out now, None if all can."""
        found = next((watch.problem for watch in self.watches if watch.problem), None)
        return found or (self._commands.problem if self._commands is not None else None)

    def close(self, seconds: float = 0.0) -> None:
        """Start no more commands; wait for those that wait already, for so many seconds."""
        if self._commands is not None:
            self._commands.close(seconds)


def row_values(table: Table, row: int) -> dict[str, Any]:
    """Return a row of the frame as values that JSON knows, by column."""
    from livetable.tui.output.text_formats import data_columns, names_of, plain_values, time_forms

    everything = table.arranged(None)
    columns = data_columns(everything)
    forms = time_forms(None, everything, columns)  # the same for each row that is told of
    values = plain_values(everything, columns, row, row + 1, finite=True, forms=forms)
    return dict(zip(names_of(everything, columns), (one[0] for one in values), strict=True))


class _Commands:
    """Runs the person's command for one alert after the other, in a thread of its own.

    Args:
        command: The command, for the shell.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._alerts: queue.Queue[Alert | None] = queue.Queue(_WAITING_COMMANDS)
        self._worker = threading.Thread(target=self._work, name="livetable-alerts", daemon=True)
        self.problem: str | None = None
        """What went wrong first."""
        self._worker.start()

    def run(self, alert: Alert) -> None:
        """Run the command for an alert; where too many wait already it is left out."""
        try:
            self._alerts.put_nowait(alert)
        except queue.Full:
            self._complain(f"More than {_WAITING_COMMANDS} alerts are waiting for the command")

    def close(self, seconds: float) -> None:
        """Run what waits, then no more; wait for it for so many seconds."""
        with contextlib.suppress(queue.Full):
            self._alerts.put_nowait(None)
            self._worker.join(seconds)

    def _work(self) -> None:
        while (alert := self._alerts.get()) is not None:
            message = {
                "table": alert.table, "condition": alert.condition,
                "time": alert.time.isoformat(), "row": alert.values,
            }  # fmt: skip
            try:
                # The person's own command, from their own command line: never from a file.
                with tempfile.TemporaryFile() as said:  # no pipe: a child left behind holds it
                    done = subprocess.run(
                        self._command, shell=True, check=False, timeout=_COMMAND_SECONDS,
                        input=json.dumps(message, ensure_ascii=False).encode(),
                        stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
                    )  # fmt: skip
                    if done.returncode:
                        said.seek(0)
                        first = said.read(1000).decode("utf-8", "replace").strip()
                        first = first.partition("\n")[0][:200]
                        self._complain(f"The alert command exited with {done.returncode}: {first}")
            except (OSError, subprocess.SubprocessError) as error:
                self._complain(f"Can't run the alert command: {error}")

    def _complain(self, sentence: str) -> None:
        if self.problem is None:
            self.problem = sentence
