"""Tables that other programs write, read back through the real source: equal or refused.

Never silently other: each value is what its writer meant by `tests.differential.csv_oracle` (the
rules of types, written down once more), or what was put in, for forms that have types themselves.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from livetable.feed.errors import LivetableError
from tests.differential import arrow_oracle, csv_oracle
from tests.followed import FollowedFile
from tests.printed import instant

SECONDS = 20.0
"""A table is to be there by then, on a machine that does much else."""

QUIET = 0.9
"""A source that called its publisher for nothing in so many seconds is done: what is unfinished in
a file shows after 0.5."""

# A failing example waits for `QUIET`: to shrink one takes minutes, and is done when asked for.
PHASES = [Phase.explicit, Phase.generate] + [Phase.shrink] * ("LIVETABLE_SHRINK" in os.environ)

EXAMPLES = settings(
    max_examples=int(os.environ.get("LIVETABLE_EXAMPLES", "25")),
    deadline=None,
    derandomize=True,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder for files and sockets."""
    folder = Path(tempfile.mkdtemp(prefix="rt-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


Columns = tuple[list[str], list[list[Any]]]
Judge = Callable[[Columns], str | None]


def judged(
    name: str, data: bytes, place: Path, judge: Judge, *, refusing: bool = False, **options: Any
) -> str | None:
    """Return how a file is read wrongly; None if it is read right, or refused with a reason.

    Args:
        name: The file's name.
        data: What is in it.
        place: Where it may be.
        judge: Tells how a table is wrong.
        refusing: Whether it may be refused: whoever wrote it was in the wrong.
        options: Options of the command line.
    """
    folder = Path(tempfile.mkdtemp(dir=place))
    path = folder / name
    path.write_bytes(data)
    wrong: list[str | None] = ["no table, and no reason"]
    began = time.monotonic()

    def right() -> bool:
        table = file.table()
        quiet = time.monotonic() - max(began, file.told.newest) > QUIET
        done = bool(file.told.calls) and quiet and not file.is_under_way
        if table is not None:
            names = [str(one) for one in table.column_names]
            wrong[0] = judge((names, [_values(column) for column in table.columns]))
            return wrong[0] is None or done
        return file.failure is not None or done

    with FollowedFile(path, folder, **options) as file:
        file.wait(right, SECONDS)
        table = file.table()
        said = file.said()
        failure = file.failure
    shutil.rmtree(folder)
    if failure is not None and not isinstance(failure, LivetableError):
        raise failure
    if table is None and said.strip() and refusing:
        return None
    return f"{wrong[0]}\nsaid: {said}\n{data[:3000]!r}" if wrong[0] else None


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return values


def _rows(columns: Columns) -> list[list[Any]]:
    return [list(row) for row in zip(*columns[1], strict=True)]


def by_csv(text: str, separator: str | None = None) -> Judge:
    """Return a judge of what Python's `csv` reads."""
    wanted = csv_oracle.read(text, separator)

    def judge(columns: Columns) -> str | None:
        if not wanted.rows:
            count = len(columns[1][0]) if columns[1] else 0
            return f"{count} rows, not 0" if count else None
        return csv_oracle.first_difference(columns[0], _rows(columns), wanted)

    return judge


# --- values ----------------------------------------------------------------------------------

WORDS = st.sampled_from([
    "", " ", "a", "x y", " lead", "trail ", "é", "日本", "🙂", 'quo"te', '"', '""', "com,ma",
    "semi;colon", "pi|pe", "tab\tbed", "new\nline", "car\rriage", "cr\r\nlf", "NA", "N/A", "NaN",
    "null", "None", "none", "na", "NULL", "true", "False", "TRUE", "00501", "007", "0x1F",
    "12e4567", "1e5", "inf", "-inf", "Infinity", "1_000", "+1", "-", "-0", "0", "1", "12", "-7",
    "0.1", "1.", ".5", "-.5", "1e400", "1e-400", "12345678901234567891", "9223372036854775808",
    "18446744073709551616", "9007199254740993", "3.14159265358979323846", "2025-11-28",
    "2025-11-28 10:00", "2025-11-28T10:00:00Z", "2025-11-28T10:00:00.123456789", "2025-02-30",
    "10:00", "28.11.2025", "1,5", "1.000,5", "#", "# x", "'", "\\", "\\n", "=1+1", "{", "[1]",
])  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.integers(-1000, 1000).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9),
                max_value=10**9).map(str),
)  # fmt: skip
TEXT = st.one_of(
    WORDS,
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"], max_codepoint=0x2FFF),
        max_size=8,
    ),
)
CELLS: list[st.SearchStrategy[str]] = [
    TEXT,
    NUMBERS,
    st.integers(0, 99_999).map("{:05}".format),
    st.integers(-50, 50).map(str),
    st.sampled_from(["true", "false"]),
    st.sampled_from(["2025-11-28", "2024-02-29", "1969-12-31"]),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.isoformat(" ")),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda one: f"{one:.4f}"),
    st.sampled_from(["12e4567", "1234567", "0x1F"]),
]
MISSING = st.sampled_from(["", "NA", "N/A", "NaN", "null", "None"])
HEADS = st.lists(
    st.sampled_from(["id", "name", "a b", "x,y", 'q"', "é", "0", "1.5", "price", "Zeit", "n"]),
    min_size=1, max_size=5, unique=True,
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn, least: int = 1) -> tuple[list[str], list[list[str]]]:
    """Draw a header, and rows of texts: each column of one kind, some with missing values."""
    header = draw(HEADS)
    assume(least <= len(header))
    kinds = [draw(st.sampled_from(CELLS)) for _ in header]
    kinds = [st.one_of(one, one, one, MISSING) if draw(st.booleans()) else one for one in kinds]
    rows = draw(st.lists(st.tuples(*kinds).map(list), min_size=0, max_size=12))
    return header, rows


# --- CSV ------------------------------------------------------------------------------------


@EXAMPLES
@given(
    table=texts(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    finished=st.booleans(),
    mark=st.booleans(),
    told=st.booleans(),
)
def test_by_csv(
    place: Path, table: tuple[list[str], list[list[str]]], quoting: Any, end: str,
    separator: str, finished: bool, mark: bool, told: bool,
) -> None:  # fmt: skip
    header, rows = table
    # A separator that is not said is found by the header: it has to stand there.
    assume(told or separator == "," or (len(header) > 1 and not any("," in n for n in header)))
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, lineterminator=end, delimiter=separator)
    writer.writerow(header)
    writer.writerows(rows)
    text = file.getvalue()
    if not finished and rows and rows[-1][-1] and not text.endswith('"' + end):
        text = text.removesuffix(end)
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    wrong = judged("t.csv", data, place, by_csv(text, separator), sep=separator if told else None)
    assert wrong is None, wrong


DIRTY_LINES = st.sampled_from([
    'pipe,5",2', '5" pipe,1,2', '"a"b,1,2', 'a,"b"c",2', 'a,"b" ,2', 'a,b', "a,b,c,d", "a", "a,b,",
    ",,", "", " ", "a,'b,c',d", '"a\nb",1,2', '"a""b",1,2', "1,2,3", "4,5,6", "00501,0x1F,12e4567",
    "NA,NA,NA", "a, b, c", '"",1,2', "a\\,b,1,2", "# note", 'x,"y, z",1', "\t1,2,3", "1;2;3",
])  # fmt: skip


@EXAMPLES
@given(
    lines=st.lists(DIRTY_LINES, max_size=14),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    finished=st.booleans(),
    mark=st.booleans(),
)
def test_dirty_writers(place: Path, lines: list[str], end: str, finished: bool, mark: bool) -> None:
    text = end.join(["a,b,c", *lines]) + (end if finished else "")
    wanted = csv_oracle.read(text, ",")
    # Quotes that are never closed: readers differ, and a growing file may close them yet.
    assume(not wanted.open_quote)
    if not finished:
        assume(lines and lines[-1].count(",") == 2 and not lines[-1].endswith(","))
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    wrong = judged("t.csv", data, place, by_csv(text, ","), refusing=True)
    assert wrong is None, wrong


def test_lines_that_are_left_out_are_counted(place: Path) -> None:
    path = place / "t.csv"
    path.write_text("a,b\n1,2\n3\n4,5,6\n7,8\n9\n")
    with FollowedFile(path, place) as file:
        assert file.wait(lambda: _pairs(file) == [(1, 2), (7, 8)], SECONDS), file.table()
        assert file.wait(lambda: re.search(r"\b3\b", file.said()), SECONDS), file.said()


def _pairs(file: FollowedFile) -> list[tuple[Any, ...]]:
    table = file.table()
    return [] if table is None else list(zip(*map(_values, table.columns), strict=True))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("said", [True, False])
def test_encodings(place: Path, encoding: str, said: bool) -> None:
    text = "id,name\n1,café\n2,naïve\n3,Straße\n"
    if not said and encoding in ("utf-16-le", "utf-16-be"):
        pytest.skip("without a mark they can't be told")
    more = {"encoding": encoding} if said else {}
    wrong = judged("t.csv", text.encode(encoding), place, by_csv(text), refusing=True, **more)
    assert wrong is None, wrong


def test_decimal_commas(place: Path) -> None:
    text = "id;price;city\n1;1,5;Köln\n2;-0,25;Ulm\n3;1000,00;Jena, Ost\n"
    wrong = judged("t.csv", text.encode(), place, by_csv(text))
    assert wrong is None, wrong


# --- frames by other libraries ---------------------------------------------------------------

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "float": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    "text": st.one_of(st.none(), TEXT),
    "bool": st.booleans(),
    "time": st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Draw a table with types."""
    names = draw(HEADS)
    kinds = [draw(st.sampled_from(sorted(VALUES))) for _ in names]
    count = draw(st.integers(1, 8))
    types = {"int": pa.int64(), "float": pa.float64(), "text": pa.string(), "bool": pa.bool_(),
             "time": pa.timestamp("us")}  # fmt: skip
    return pa.table({
        name: pa.array([draw(VALUES[kind]) for _ in range(count)], types[kind])
        for name, kind in zip(names, kinds, strict=True)
    })  # fmt: skip


def _by_pandas(table: pa.Table) -> str:
    return str(table.to_pandas(types_mapper=pd.ArrowDtype).to_csv(index=False))


def _by_polars(table: pa.Table) -> str:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame.write_csv()


def _by_arrow(table: pa.Table) -> str:
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue().decode()


def _by_duckdb(table: pa.Table) -> str:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file, duckdb.connect() as connection:
        connection.register("here", table)
        connection.execute(f"copy here to '{file.name}' (header, delimiter ',')")
        return Path(file.name).read_bytes().decode()


CSV_WRITERS: dict[str, Callable[[pa.Table], str]] = {
    "pandas": _by_pandas, "polars": _by_polars, "arrow": _by_arrow, "duckdb": _by_duckdb,
}  # fmt: skip


@pytest.mark.parametrize("writer", CSV_WRITERS)
@settings(EXAMPLES, max_examples=25)
@given(table=tables())
def test_csv_by_other_libraries(place: Path, writer: str, table: pa.Table) -> None:
    text = CSV_WRITERS[writer](table)
    # What a library writes that `csv` reads as rows of other lengths is the library's fault.
    assume(csv_oracle.read(text, ",").left_out == 0)
    wrong = judged("t.csv", text.encode(), place, by_csv(text, ","))
    assert wrong is None, wrong


def _parquet_by_polars(table: pa.Table, path: Path) -> None:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.write_parquet(path)


def _ipc_by_polars(table: pa.Table, path: Path) -> None:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.write_ipc(path)


def _parquet_by_duckdb(table: pa.Table, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.register("here", table)
        connection.execute(f"copy here to '{path}' (format parquet)")


BINARY_WRITERS: dict[str, Callable[[pa.Table, Path], object]] = {
    "arrow.parquet": pa.parquet.write_table,
    "arrow.feather": lambda table, path: pa.feather.write_feather(table, path),
    "pandas.parquet": lambda table, path: table.to_pandas().to_parquet(path),
    "pandas.feather": lambda table, path: table.to_pandas().to_feather(path),
    "polars.parquet": _parquet_by_polars,
    "polars.arrow": _ipc_by_polars,
    "duckdb.parquet": _parquet_by_duckdb,
}


@pytest.mark.parametrize("writer", BINARY_WRITERS)
@settings(EXAMPLES, max_examples=15)
@given(table=tables())
def test_forms_with_types(place: Path, writer: str, table: pa.Table) -> None:
    name = f"t.{writer.split('.')[1]}"
    path = place / name
    BINARY_WRITERS[writer](table, path)
    # What pandas and polars changed while writing (a None, a large integer) is theirs.
    wanted = arrow_oracle.by_pyarrow(path)
    wrong = judged(
        name, path.read_bytes(), place, lambda found: arrow_oracle.first_difference(found, wanted)
    )
    assert wrong is None, wrong


# --- JSON -----------------------------------------------------------------------------------

JSON_CELLS: list[st.SearchStrategy[Any]] = [
    TEXT,
    st.integers(-(10**25), 10**25),
    st.integers(-100, 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["00501", "12e4567", "0x1F", "NA", "", "1", "null", "true"]),
    st.lists(st.integers(-5, 5), max_size=3),
    st.fixed_dictionaries({"p": st.integers(0, 9)}, optional={"q": TEXT}),
]


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw records: each column of one kind, or of two; some values missing or null."""
    names = draw(st.lists(st.sampled_from(["id", "name", "a b", "é", "n"]), min_size=1, max_size=4,
                          unique=True))  # fmt: skip
    kinds = {name: draw(st.sampled_from(JSON_CELLS)) for name in names}
    if draw(st.integers(0, 3)) == 0:
        kinds[names[0]] = st.one_of(kinds[names[0]], draw(st.sampled_from(JSON_CELLS)))
    rows = draw(st.lists(
        st.fixed_dictionaries(kinds).flatmap(
            lambda row: st.sampled_from([row, row, row, dict(list(row.items())[:-1] or row)])
        ),
        min_size=1, max_size=8,
    ))  # fmt: skip
    rows[0] = {name: rows[0].get(name) for name in names}  # the first line has all, in order
    return rows


def by_json(rows: list[dict[str, Any]]) -> Judge:
    """Return a judge of records."""
    names = list(dict.fromkeys(name for row in rows for name in row))

    def judge(columns: Columns) -> str | None:
        found, values = columns
        if sorted(found) != sorted(names):
            return f"columns {found}, not {names}"
        if len(values[0]) != len(rows):
            return f"{len(values[0])} rows, not {len(rows)}"
        for name in names:
            there = [row.get(name) for row in rows]
            kinds = {_kind(one) for one in there} - {"null"}
            mixed = len(kinds) > 1
            for at, (value, wanted) in enumerate(
                zip(values[found.index(name)], there, strict=True)
            ):
                if not _same_json(value, wanted, mixed=mixed):
                    return f"row {at + 1}, {name!r}: {value!r}, not {wanted!r}"
        return None

    return judge


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool | str | list | dict):
        return "null" if value is None else type(value).__name__
    return "number"


def _same_json(value: Any, wanted: Any, *, mixed: bool) -> bool:
    if wanted is None or value is None:
        return value is wanted or (value == "null" and mixed)
    if isinstance(value, float) and math.isnan(value):
        return False
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted or (mixed and value == json.dumps(wanted))
    if isinstance(wanted, int | float):
        if isinstance(value, int | float | Decimal):
            same = Decimal(value) == Decimal(wanted)
            return same or (isinstance(wanted, float) and float(value) == wanted)
        # Integers that no machine type holds may be text, and whatever shares a column with text.
        wide = isinstance(wanted, int) and abs(wanted) >= 2**63
        return (mixed or wide or isinstance(value, str)) and _json_number(value) == wanted
    if isinstance(wanted, str):
        if isinstance(value, datetime):
            at = instant(wanted)
            utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            return csv_oracle.is_time(wanted) and at == utc
        return bool(value == wanted) or (
            hasattr(value, "isoformat") and value.isoformat() == wanted
        )
    if isinstance(value, str):
        try:
            return bool(json.loads(value) == wanted)
        except ValueError:
            return False
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(
            _same_json(one, other, mixed=True) for one, other in zip(value, wanted, strict=True)
        )  # fmt: skip
    return isinstance(value, dict) and all(
        _same_json(value.get(name), wanted.get(name), mixed=True) for name in {*value, *wanted}
    )


def _json_number(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _split(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    data = [[row.get(name) for name in names] for row in rows]
    return json.dumps({"columns": names, "index": list(range(len(rows))), "data": data})


JSON_WRITERS: dict[str, tuple[str, Callable[[list[dict[str, Any]]], str]]] = {
    "lines": ("t.jsonl", lambda rows: "".join(json.dumps(row) + "\n" for row in rows)),
    "lines, unfinished": ("t.jsonl", lambda rows: "\n".join(map(json.dumps, rows))),
    "lines as .json": ("t.json", lambda rows: "".join(json.dumps(row) + "\n" for row in rows)),
    "compact, ndjson": (
        "t.ndjson",
        lambda rows: "".join(
            json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\r\n" for row in rows
        ),
    ),
    "records": ("t.json", json.dumps),
    "indented": ("t.json", lambda rows: json.dumps(rows, indent=2, ensure_ascii=False)),
    "split": ("t.json", _split),
}


@pytest.mark.parametrize("writer", JSON_WRITERS)
@settings(EXAMPLES, max_examples=20)
@given(rows=records())
def test_json(place: Path, writer: str, rows: list[dict[str, Any]]) -> None:
    name, write = JSON_WRITERS[writer]
    assume(writer != "lines as .json" or len(rows) > 1)
    wrong = judged(name, write(rows).encode(), place, by_json(rows))
    assert wrong is None, wrong


# --- the judges themselves -------------------------------------------------------------------


@settings(EXAMPLES, max_examples=100)
@given(rows=records(), seed=st.integers(0, 1000))
def test_the_judge_of_json_finds_a_change(rows: list[dict[str, Any]], seed: int) -> None:
    names = list(rows[0])
    values: list[list[Any]] = [[row.get(name) for row in rows] for name in names]
    judge = by_json(rows)
    assert judge((names, values)) is None
    at, row = random.Random(seed).randrange(len(names)), seed % len(rows)
    other = [list(column) for column in values]
    other[at][row] = 777_777 if other[at][row] != "777777" else "y"
    assert judge((names, other)) is not None
    assert judge((names, [column[:-1] for column in values])) is not None


def test_a_wrong_table_is_told(place: Path) -> None:
    text = "a,b\n1,x\n2,y\n"
    assert judged("t.csv", text.encode(), place, by_csv(text)) is None
    assert judged("t.csv", b"", place, by_csv(text)) is not None
    for other in ("a,b\n1,x\n", "a,b\n1,x\n2,z\n", "a,c\n1,x\n2,y\n", "a,b\n2,y\n1,x\n",
                  "a,b\n1,x\n2,y\n2,y\n", "a,b\n01,x\n2,y\n"):  # fmt: skip
        assert judged("t.csv", text.encode(), place, by_csv(other)) is not None, other
