"""What is printed and exported, read back by two readers each."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from livetable.tui.output.files import export
from livetable.tui.output.text_formats import as_text
from tests.differential_query.arranged import _report, plain
from tests.differential_query.frames import random_frame, table_in

_NAMES: Final = (
    "i8", "n", "u", "ni", "f", "f32", "on", "s", "w", "c", "d", "h", "t", "took", "tm", "day",
)  # fmt: skip


def write(chance: random.Random) -> str | None:
    """Export a frame; both readers read the same values in it."""
    names, seed = tuple(chance.sample(_NAMES, 3)), chance.random()
    form = chance.choice(("csv", "json", "jsonl", "parquet", "feather"))

    def difference(frame: pd.DataFrame) -> str | None:
        how, table = table_in(random.Random(seed), frame)
        cells = {name: [plain(value) for value in frame[name]] for name in frame.columns}
        if form in ("parquet", "feather"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"t.{form}"
                export(table, path, lambda rows: None)
                binary = _by_arrow(path, form), _by_polars(path, form)
            for reader, found in zip(("pyarrow", "polars"), binary, strict=True):
                for name, values in found.items():
                    if not _same(values, cells[name]):
                        return f"{form} of {name} by {how}, {reader}: {values}"
            return None
        text = as_text(table, form)
        readers = _BY_TEXT[form]
        for reader, read in readers.items():
            found = read(text)
            for name, wanted in cells.items():
                if (said := _differs(found[name], wanted, name)) is not None:
                    return f"{form} of {name} by {how}, {reader}: {said}"
                shapes = {_shape(one) for one in found[name] if one not in (None, "")}
                if name in ("t", "took", "tm", "day") and len(shapes) > 1:
                    return f"{form} of {name} by {how}: in several forms, {found[name]}"
        return None

    return _report(random_frame(chance, names), difference)


def _by_csv(text: str) -> dict[str, list[Any]]:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    return {name: [row[name] for row in rows] for name in rows[0]}


def _by_pandas_csv(text: str) -> dict[str, list[Any]]:
    read = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return {str(name): read[name].tolist() for name in read}


def _by_json(text: str) -> dict[str, list[Any]]:
    rows = json.loads(text) if text.startswith("[") else list(map(json.loads, text.splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}


def _by_numbers_as_texts(text: str) -> dict[str, list[Any]]:
    def load(one: str) -> Any:
        return json.loads(one, parse_int=str, parse_float=str)

    rows = load(text) if text.startswith("[") else list(map(load, text.splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}


_BY_TEXT: Final = {
    "csv": {"csv": _by_csv, "pandas": _by_pandas_csv},
    "json": {"json": _by_json, "digits": _by_numbers_as_texts},
    "jsonl": {"json": _by_json, "digits": _by_numbers_as_texts},
}


def _shape(text: Any) -> str:
    return "".join("0" if one.isdigit() else one for one in str(text)).lstrip("-0d ")


def _differs(found: list[Any], wanted: list[Any], name: str) -> str | None:
    for one, meant in zip(found, wanted, strict=True):
        if meant is None or (isinstance(meant, float) and not math.isfinite(meant)):
            if one not in (None, "", "inf", "-inf", math.inf, -math.inf):
                return f"{one!r}, wanted nothing"
        elif isinstance(meant, bool):
            if one not in (meant, str(meant).lower()):
                return f"{one!r}, wanted {meant}"
        elif isinstance(meant, str):
            if one != meant:
                return f"{one!r}, wanted {meant!r}"
        elif name in ("t", "day"):
            if pd.Timestamp(one) != pd.Timestamp(meant):
                return f"{one!r}, wanted {meant}"
        elif name == "took":
            if pd.Timedelta(one) != meant:
                return f"{one!r}, wanted {meant}"
        elif name == "tm":
            if str(one)[:8] != meant.isoformat()[:8]:
                return f"{one!r}, wanted {meant}"
        elif plain(_number(one)) != meant and not (
            isinstance(meant, float) and math.isclose(float(one), meant, rel_tol=1e-6)
        ):
            return f"{one!r}, wanted {meant!r}"
    return None


def _number(one: Any) -> Any:
    return Decimal(one) if isinstance(one, str) else one


def _by_arrow(path: Path, form: str) -> dict[str, list[Any]]:
    read: pa.Table = pq.read_table(path) if form == "parquet" else pa.ipc.open_file(path).read_all()
    return {name: [plain(one) for one in read[name].to_pylist()] for name in read.column_names}


def _by_polars(path: Path, form: str) -> dict[str, list[Any]]:
    schema = pa.ipc.open_file(path).schema if form == "feather" else pq.read_schema(path)
    if any(pa.types.is_decimal256(kind) for kind in schema.types):  # polars knows none of those
        return {}
    read = pl.read_parquet(path) if form == "parquet" else pl.read_ipc(path)
    return {name: [plain(one) for one in read[name].to_list()] for name in read.columns}


def _same(found: list[Any], wanted: list[Any]) -> bool:
    return len(found) == len(wanted) and all(
        one == other or (isinstance(one, float) and math.isclose(one, other, rel_tol=1e-6))
        for one, other in zip(found, wanted, strict=True)
    )
