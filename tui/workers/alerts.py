"""Checks each state of a table for alerts, and runs the alert command."""

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
"""At most this many rows of one frame get an alert of their own per condition."""

_COMMAND_SECONDS: Final = 60.0
_WAITING_COMMANDS: Final = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """A row started to match a condition.

    Attributes:
        table: The table's name.
        condition: The condition.
        row: The row's key.
        values: The row, by column.
        more: How many more rows of the same frame matched without an alert of their own.
        time: When it was seen, in local time.
    """

    table: str
    condition: str
    row: str
    values: dict[str, Any]
    more: int
    time: datetime.datetime


def sentence_of(alert: Alert) -> str:
    """Return an alert as a line that is safe to print."""
    more = f" and {alert.more:,} more rows" if alert.more else ""
    said = f"{alert.table} {alert.row}{more}: {alert.condition}"
    return f"{alert.time:%H:%M:%S}  {harmless(said)}"


class Alarm:
    """Checks each state of a table for alerts.

    Args:
        texts: The conditions.
        table: The table's name.
        command: The command to run for each alert, with the row as JSON on its input; None: none.
    """

    def __init__(self, texts: Sequence[str], table: str, command: str | None = None) -> None:
        self.watches = [Watch(text) for text in texts]
        self.table = table
        self._commands = _Commands(command) if command is not None else None

    def check(self, table: Table) -> list[Alert]:
        """Return the alerts of this state. Their command is started, not waited for."""
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
        """Why a condition can't be applied or the command failed, None if neither."""
        found = next((watch.problem for watch in self.watches if watch.problem), None)
        return found or (self._commands.problem if self._commands is not None else None)

    def close(self, seconds: float = 0.0) -> None:
        """Run the waiting commands for up to so many seconds, then stop."""
        if self._commands is not None:
            self._commands.close(seconds)


def row_values(table: Table, row: int) -> dict[str, Any]:
    """Return a row of the frame as JSON values, by column."""
    from livetable.tui.output.text_formats import data_columns, names_of, plain_values, time_forms

    everything = table.arranged(None)
    columns = data_columns(everything)
    forms = time_forms(None, everything, columns)  # the same digits in every alert
    values = plain_values(everything, columns, row, row + 1, finite=True, forms=forms)
    return dict(zip(names_of(everything, columns), (one[0] for one in values), strict=True))


class _Commands:
    """Runs the alert command for one alert after the other, in its own thread.

    Args:
        command: The command, for the shell.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._alerts: queue.Queue[Alert | None] = queue.Queue(_WAITING_COMMANDS)
        self._worker = threading.Thread(target=self._work, name="livetable-alerts", daemon=True)
        self.problem: str | None = None
        """The first thing that went wrong."""
        self._worker.start()

    def run(self, alert: Alert) -> None:
        """Run the command for an alert; drop the alert if too many are waiting."""
        try:
            self._alerts.put_nowait(alert)
        except queue.Full:
            self._complain(f"More than {_WAITING_COMMANDS} alerts are waiting for the command")

    def close(self, seconds: float) -> None:
        """Run the waiting commands, then stop; wait up to so many seconds."""
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
                # A shell is safe here: the command comes from the command line, never from a file.
                with tempfile.TemporaryFile() as said:  # a pipe could be held open by a grandchild
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
