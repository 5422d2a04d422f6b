"""What the real `livetable` prints of a source, and whether it is what a text says.

Knows nothing of how livetable reads: these are the oracles' hands and eyes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tests.terminal import command_line, environment_for


class Pairs(list[tuple[str, Any]]):
    """A JSON object with its names in order, also those that are there twice."""


@dataclass(frozen=True)
class Printed:
    """What a command printed.

    Attributes:
        code: Its exit code, None if it had to be ended.
        out: Its standard output.
        errors: Its standard error.
    """

    code: int | None
    out: bytes
    errors: str

    def rows(self) -> list[Pairs]:
        """Return the JSON lines on standard output; numbers exact."""
        text = self.out.decode()
        return [
            json.loads(line, object_pairs_hook=Pairs, parse_float=Decimal)
            for line in text.split("\n")
            if line
        ]

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """Return the column names, and the rows, of JSON lines."""
        rows = self.rows()
        names = [name for name, _ in rows[0]] if rows else []
        assert all([name for name, _ in row] == names for row in rows), "rows of other columns"
        return names, [[value for _, value in row] for row in rows]

    def __str__(self) -> str:
        out = self.out.decode("utf-8", "replace")
        return f"exit code {self.code}\nstdout:\n{out:.3000}\nstderr:\n{self.errors:.2000}"


def print_once(
    folder: Path,
    *arguments: str,
    data: bytes | None = None,
    form: str = "jsonl",
    seconds: float = 30,
    cwd: Path | None = None,
) -> Printed:
    """Run `livetable --once` to its end, at most for so many seconds.

    Args:
        folder: Its runtime folder.
        arguments: What follows ``livetable --once --format FORM --timeout S``.
        data: What is piped in; None for no standard input.
        form: The form that is printed.
        seconds: How long it may take; all that it started is ended then.
        cwd: Its working folder.
    """
    line = ["livetable", "--once", "--format", form, "--timeout", str(max(1.0, seconds - 5))]
    process = subprocess.Popen(
        command_line([*line, *arguments]),
        env=environment_for(folder), cwd=cwd, start_new_session=True,
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    code: int | None
    with process:
        try:
            out, errors = process.communicate(data, timeout=seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, errors = process.communicate()
            code = None
    return Printed(code, out, errors.decode("utf-8", "replace"))


def number(text: Any) -> Decimal | None:
    """Return the finite number that a text is, None if it is none."""
    if isinstance(text, bool) or not isinstance(text, str | int | float | Decimal):
        return None
    try:
        found = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def instant(text: Any) -> datetime | None:
    """Return the instant of an ISO date or time, None if it is none; without a zone: in UTC."""
    if isinstance(text, datetime):
        found = text
    elif isinstance(text, date):
        found = datetime(text.year, text.month, text.day)
    elif isinstance(text, str) and len(text) >= 8 and text[:4].isdigit():
        try:
            found = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
    else:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def same(printed: Any, wanted: str | Sequence[str]) -> bool:
    """Tell whether a printed value is what a person reads in a cell.

    A number may be printed in another form of the same value, an instant, too; an empty cell may
    be a missing value; blanks around a cell are not seen.

    Args:
        printed: A value out of JSON.
        wanted: The cell's text; several if any of them will do.
    """
    if not isinstance(wanted, str):
        return any(same(printed, one) for one in wanted)
    if printed is None or printed == "":
        return wanted == ""
    if isinstance(printed, bool):
        return str(printed).lower() == wanted.lower()
    if isinstance(printed, str):
        if printed.strip() == wanted.strip():
            return True
        at = instant(wanted)
        return at is not None and instant(printed) == at
    value = number(wanted)
    return value is not None and number(printed) == value


def first_difference(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    wanted: Sequence[str | Sequence[str] | None],
    cells: Sequence[Sequence[str | Sequence[str]]],
) -> str | None:
    """Return where a printed table is another one than a person reads; None if nowhere.

    Args:
        columns: The printed columns' names.
        rows: The printed rows.
        wanted: The names wanted; several if any will do, None for any at all.
        cells: The rows wanted.
    """
    if len(columns) != len(wanted) or not all(
        name is None or same(there, name) for there, name in zip(columns, wanted, strict=True)
    ):
        return f"columns {list(columns)}, not {list(wanted)}"
    for at, (row, texts) in enumerate(zip(rows, cells, strict=False)):
        for name, value, text in zip(columns, row, texts, strict=True):
            if not same(value, text):
                return f"row {at + 1}, {name!r}: {value!r}, not {text!r}"
    if len(rows) != len(cells):
        return f"{len(rows)} rows, not {len(cells)}"
    return None
