"""Recorded outputs of everyday commands: the table is the one that a person reads off them.

`tests/recorded/NAME.txt` is what the command wrote, `NAME.json` the table. In it

- `columns`: the names; a list where any of several will do, null where any name will;
- `rows`: the cells' texts; a list where any of several will do;
- `or`: other tables that are right, too;
- `sorted`: a column, and its cells as `--sort COLUMN:desc` must give them;
- `any_order`: the columns' order is free, and those in `optional` need not be there;
- `text`: instead of columns: the lines, one blank between words. Each is one row, whatever its
  columns; the first may be the header, those in `also` may be left out;
- `holds`: values that must stand in the cells, each in one piece;
- `why`: what had to be decided.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.streamed import Streamed
from tests.printed import Printed, first_difference, print_once, same

FOLDER = Path(__file__).parent.parent / "recorded"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
WANTED: dict[str, dict[str, Any]] = {
    name: json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in NAMES
}
SECONDS = 20
CAT = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer)"

HOW: dict[str, Callable[..., Printed]] = {
    "piped": lambda folder, name, *more: print_once(
        folder, *more, data=(FOLDER / f"{name}.txt").read_bytes(), seconds=SECONDS
    ),
    "command": lambda folder, name, *more: print_once(
        folder, *more, "--", sys.executable, "-c", CAT, str(FOLDER / f"{name}.txt"),
        seconds=SECONDS,
    ),
}  # fmt: skip


def judge(columns: list[str], rows: list[list[Any]], wanted: dict[str, Any]) -> str | None:
    """Return how a table differs from the one that a person reads; None if it does not."""
    if "holds" in wanted:
        cells = [str(cell) for row in [columns, *rows] for cell in row if cell is not None]
        missing = [one for one in wanted["holds"] if not any(one in cell for cell in cells)]
        return f"no cell holds {missing}" if missing else None
    if "text" in wanted:
        return _judge_lines(columns, rows, wanted["text"], wanted.get("also", []))
    if wanted.get("any_order"):
        columns, rows = _in_order(columns, rows, wanted)
    found = first_difference(columns, rows, wanted["columns"], wanted["rows"])
    others = [judge(columns, rows, other) for other in wanted.get("or", [])]
    return None if None in others else found


def _judge_lines(
    columns: list[str], rows: list[list[Any]], lines: list[str], also: list[str]
) -> str | None:
    text = [
        " ".join(" ".join("" if cell is None else str(cell) for cell in row).split())
        for row in [columns, *rows]
    ]
    for there in (text, text[1:]):
        kept = [line for line in there if line and line not in also]
        if kept == lines:
            return None
    return f"the rows are {text}, not {lines}"


def _in_order(
    columns: list[str], rows: list[list[Any]], wanted: dict[str, Any]
) -> tuple[list[str], list[list[Any]]]:
    """Return a table with its columns in the order of what is wanted; others behind."""

    def place(name: str) -> int:
        found = [at for at, one in enumerate(wanted["columns"]) if same(name, one)]
        return found[0] if found else len(wanted["columns"])

    kept = [at for at, name in enumerate(columns) if name not in wanted.get("optional", [])]
    order = sorted(kept, key=lambda at: place(columns[at]))
    return [columns[at] for at in order], [[row[at] for at in order] for row in rows]


def read_here(name: str) -> Printed:
    """Return what livetable makes of a recorded output, without a process of its own."""
    with Publisher(f"recorded {name}"[:60]) as publisher:
        rows = Streamed(TextOptions(), publisher)
        data = (FOLDER / f"{name}.txt").read_bytes()
        for at in range(0, len(data), 1000):
            rows.add(data[at : at + 1000])
        assert rows.finish()
        with pa.ipc.open_stream(pa.py_buffer(publisher.snapshot())) as stream:
            table = stream.read_all()
    records = table.to_pylist()
    lines = [json.dumps(record, default=str, ensure_ascii=False) for record in records]
    return Printed(0, "\n".join(lines).encode(), "")


@pytest.mark.parametrize("name", NAMES)
def test_a_person_reads_the_same_table(name: str, runtime_folder: Path) -> None:
    printed = read_here(name)
    difference = judge(*printed.table(), WANTED[name])
    assert difference is None, f"{name}: {difference}\n{WANTED[name].get('why', '')}\n{printed}"


# Each takes a process or three: all of them in `make test-long`, some in each run.
SOME = [
    *NAMES[::5],
    *(pytest.param(one, marks=pytest.mark.long) for one in NAMES if one not in NAMES[::5]),
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", SOME)
def test_the_table_is_the_one_that_a_person_reads(
    name: str, how: str, runtime_folder: Path
) -> None:
    printed = HOW[how](runtime_folder, name)
    assert printed.code == 0, str(printed)
    difference = judge(*printed.table(), WANTED[name])
    assert difference is None, f"{name}: {difference}\n{WANTED[name].get('why', '')}\n{printed}"


SORTED = [
    (name, at) for name in NAMES for at in range(len(WANTED[name].get("sorted", [])))
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "at"),
    [
        *SORTED[::3],
        *(pytest.param(*one, marks=pytest.mark.long) for one in SORTED if one not in SORTED[::3]),
    ],
)
def test_numbers_with_units_sort_as_numbers(name: str, at: int, runtime_folder: Path) -> None:
    wanted = WANTED[name]["sorted"][at]
    printed = HOW["piped"](runtime_folder, name, "--sort", f"{wanted['column']}:desc")
    if printed.code != 0 and "or" in wanted:  # the name as it stands in the text
        printed = HOW["piped"](runtime_folder, name, "--sort", f"{wanted['or']}:desc")
    assert printed.code == 0, str(printed)
    columns, rows = printed.table()
    names = [there.strip() for there in columns]
    assert wanted["column"] in names, str(printed)
    cells = [row[names.index(wanted["column"])] for row in rows]
    assert len(cells) == len(wanted["descending"])
    assert all(map(same, cells, wanted["descending"])), f"{cells}, not {wanted['descending']}"


# --- the judge itself -----------------------------------------------------------------------


Made = tuple[str, list[str], list[list[Any]]]


def _wrongs(table: dict[str, Any], random_: random.Random) -> list[Made]:
    """Return a right table made wrong in several ways."""
    columns = [
        one if isinstance(one, str) else f"any{at}" if one is None else one[0]
        for at, one in enumerate(table["columns"])
    ]
    rows = [[one if isinstance(one, str) else one[0] for one in row] for row in table["rows"]]
    made: list[Made] = [("right", columns, rows)]
    made.append(("a row lost", columns, rows[:-1]))
    made.append(("a row twice", columns, [*rows, rows[-1]]))
    at, row = random_.randrange(len(columns)), random_.randrange(len(rows))
    other = [list(one) for one in rows]
    other[row][at] += "x"
    made.append(("a cell changed", columns, other))
    for index, one in enumerate(rows):
        if len(set(one)) > 1:
            shifted = [*rows[:index], one[1:] + one[:1], *rows[index + 1 :]]
            made.append(("cells shifted", columns, shifted))
    made.append(("a column more", [*columns, "more"], [[*one, ""] for one in rows]))
    made.append(("a column less", columns[:-1], [one[:-1] for one in rows]))
    return made


@pytest.mark.parametrize("name", [name for name in NAMES if WANTED[name]["columns"]])
def test_the_judge_finds_what_is_wrong(name: str) -> None:
    wanted = WANTED[name]
    for what, columns, rows in _wrongs(wanted, random.Random(name)):
        assert (judge(columns, rows, wanted) is None) == (what == "right"), what


def test_the_judge_of_lines() -> None:
    lines = {"text": ["a 1", "b 2 3"], "also": ["note"]}
    assert judge(["x", "y"], [["a", 1], ["b", "2 3"]], lines) is None
    assert judge(["a", "1"], [["b", "2 3"], ["note", None]], lines) is None
    wrong: list[list[list[Any]]] = [
        [["a", 1]], [["a", 1], ["b", "2"]], [["a", "1 b"], ["2", "3"]], [["b", "2 3"]]
    ]  # fmt: skip
    for rows in wrong:
        assert judge(["x", "y"], rows, lines) is not None
    assert judge(["x"], [["a b"]], {"holds": ["b"]}) is None
    assert judge(["x"], [["a"]], {"holds": ["b"]}) is not None


def test_each_recorded_output_has_its_table() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(NAMES)
    assert len(NAMES) >= 25
