"""What stands on a viewer's screen, read back as a table, beside what `livetable --once` prints."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KEY: Final = re.compile(r"r\d{6}$|r\d*…$")
_STATE: Final = re.compile(
    r"(●|◌|✕|■|○|▶|‖) (?:feed )?(live|stale|gone|ended|waiting|tape|connecting)"
)
_STANDS: Final = re.compile(r"‖ paused|◀ rewound")
_NAME: Final = re.compile(r"(?:^| )(filter|by|sort|rule|since|search) ")
CUT: Final = "?"
"""An order that can't be read: the line that tells it is cut, or a title holds a comma."""
_MARKS: Final = "▲▼•*"


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen.

    Attributes:
        is_live: Whether the newest state is shown, live.
        is_table: Whether it is tables that are shown, not a list or a popup over them.
        is_single: Whether it is one table that is shown, without tabs.
        is_grouped: Whether its rows are groups.
        filters: The filters that are applied.
        sort: The columns it is sorted by, as `--sort` has them; None if the order is held.
        has_panel: Whether something stands beside or below it.
        titles: The columns in sight, left to right.
        rows: The rows in sight, each as its key and its cells.
    """

    is_live: bool
    is_table: bool
    is_single: bool
    is_grouped: bool
    filters: tuple[str, ...]
    sort: str | None
    has_panel: bool = False
    titles: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()


def read(lines: Sequence[str]) -> Shown:
    """Return what stands on a screen that is wide enough for all of it."""
    at = next((at for at, line in enumerate(lines[:2]) if _STATE.search(line)), None)
    if at is None:
        return Shown(False, False, False, False, (), "")
    state = lines[at]
    found = _STATE.search(state)
    assert found is not None
    live = found[2] in ("live", "tape") and not _STANDS.search(state)
    single = at == 0 and len(_STATE.findall(state)) == 1
    head = next(
        (one for one in range(at + 1, min(at + 3, len(lines))) if _is_header(lines[one])), None
    )
    if head is None:
        grouped = any(name == "by" for name in _NAME.split(lines[at + 1])[1::2])
        return Shown(live, True, single, grouped, (), "")
    view = lines[at + 1] if head == at + 2 else ""
    filters, sort, grouped = _view(view)
    titles = [_title(word) for word in lines[head].split() if word not in "↑↓"]
    rows = []
    for line in lines[head + 1 :]:
        cells = tuple(word for word in line.rstrip("▁▂▃▄▅▆▇█▔ ").split() if word.strip(_MARKS))
        if key := next(filter(KEY.match, cells), None):
            rows.append((key, cells))
    panel = any("│" in line or ("───" in line and "frame" not in line) for line in lines[at + 1 :])
    return Shown(live, True, single, grouped, filters, sort, panel, tuple(titles), tuple(rows))


def _is_header(line: str) -> bool:
    return "id" in map(_title, line.split()) and not _NAME.search(line)


def _title(word: str) -> str:
    return word.strip("↑↓≈")


def _view(line: str) -> tuple[tuple[str, ...], str | None, bool]:
    """Return filters, sort and whether rows are grouped, of the line that tells."""
    filters, sort, grouped = [], "", False
    parts = _NAME.split(line)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        text = re.split(r"  +", text.strip())[0]
        if name == "filter" and not text.startswith("not applied"):
            filters.append(text)
        elif name == "by":
            grouped = True
        elif name == "sort":
            keys, _, mode = text.rpartition(" · ")
            words = [one.rsplit(" ", 1) for one in keys.split(", ")]
            if any(len(one) != 2 or one[1] not in "↑↓" for one in words):  # the line is cut
                return tuple(filters), CUT, grouped
            sort = ",".join(f"{one}:{'desc' if how == '↓' else 'asc'}" for one, how in words)
            if mode != "live":
                return tuple(filters), None, grouped
    return tuple(filters), sort, grouped


def differs(shown: Shown, printed: str, height: int) -> str | None:
    """Return how a screen differs from what was printed as CSV; None if it shows the same.

    Args:
        shown: The screen, scrolled to the first row.
        printed: What `--once --format csv` printed with the same filters and order.
        height: How many rows the screen has room for, at least.
    """
    head, *rows = list(csv.reader(io.StringIO(printed))) or [[]]
    wanted = [row for row in rows if row]
    if len(shown.rows) != min(len(wanted), len(shown.rows) if shown.rows else height):
        return f"{len(shown.rows)} rows are shown, {len(wanted)} are printed"
    if len(shown.rows) < min(len(wanted), height):
        return f"only {len(shown.rows)} of {len(wanted)} rows are shown"
    places = {title: at for at, title in enumerate(head)}
    for number, ((key, cells), row) in enumerate(zip(shown.rows, wanted, strict=False)):
        if not row[places["id"]].startswith(key.rstrip("…")):
            return f"row {number} is {key}, not {row[places['id']]}"
        if len(cells) != len(shown.titles):
            continue  # bars, units: cells that hold blanks
        if not places.keys() >= set(shown.titles):
            continue  # columns of the person's own, whose titles may hold blanks
        for title, cell in zip(shown.titles, cells, strict=True):
            if title in places and not _same(cell, row[places[title]]):
                return f"row {number}, {key}: {title} is {cell!r}, not {row[places[title]]!r}"
    return None


def _same(shown: str, value: str) -> bool:
    shown = shown.strip(_MARKS)
    if shown == "–" or value == "":
        return shown in ("–", "") and value == ""
    if shown.endswith("…"):
        return True  # cut: a narrow column
    if shown == value:
        return True
    try:
        number = float(value)
    except ValueError:
        return _moment(shown) == _moment(value)
    plain = re.fullmatch(r"[-−]?\d+(?:\.(\d*))?", shown)
    if plain is None:
        return True  # as a percentage, in hexadecimal, …: what the person chose
    digits = len(plain[1] or "")
    seen = float(shown.replace("−", "-"))
    return bool(abs(seen - number) <= 0.500001 * 10**-digits)


def _moment(text: str) -> str:
    return re.sub(r"[ T]00:00:00.*$", "", text)
