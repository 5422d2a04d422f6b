"""Random frames of all types, and the ways in which they reach a viewer."""

from __future__ import annotations

import datetime
import random
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from livetable.tui.model.table import Table
from tests.tui.tables import table_of

WORDS: Final = ("ab", "abc", "b", "Ba", "a|b", "x.y", "item2", "item10", "", "µs", "it's", "1", "é")
CATEGORIES: Final = ("low", "mid", "high")
_LARGE: Final = (2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1)
_START: Final = pd.Timestamp("2026-03-28 22:00")


def _whole(bits: int, *, signed: bool) -> Callable[[random.Random], int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def one(chance: random.Random) -> int:
        if chance.random() < 0.8:
            return chance.randint(max(low, -9), min(high, 9))
        near = chance.choice((low, high, *_LARGE)) + chance.randint(-1, 1)
        return min(max(near, low), high)

    return one


def _float(chance: random.Random) -> float:
    return chance.choice(
        (0.0, -0.0, 0.1, 0.5, -1.5, 2.0, 3.0, 1e17, 1e-9, float("nan"), float("inf"), -float("inf"),
         round(chance.uniform(-9, 9), 2), float(chance.randint(-9, 9)), 2.0**53, 1 / 3)
    )  # fmt: skip


def _narrow(chance: random.Random) -> float:
    number = _float(chance)
    return number if number != number or abs(number) < 1e4 else 2.5


def _decimal(chance: random.Random) -> Decimal:
    if chance.random() < 0.05:
        return Decimal("9" * chance.choice((16, 20, 30))).scaleb(-2)
    return Decimal(chance.randint(-900, 900)).scaleb(-2)


def _huge(chance: random.Random) -> int:
    return chance.choice((0, 1, 2**64, 2**64 + 1, -(2**70), 10**30)) + chance.randint(-2, 2)


def _moment(chance: random.Random) -> pd.Timestamp:
    return _START + pd.Timedelta(minutes=30 * chance.randint(0, 20), seconds=chance.choice((0, 1)))


def _span(chance: random.Random) -> pd.Timedelta:
    return pd.Timedelta(seconds=chance.choice((0, 1, 59, 3600, 5400, 86400, 90061, -3600)))


def _time(chance: random.Random) -> datetime.time:
    return datetime.time(chance.randint(0, 23), chance.choice((0, 30)), chance.choice((0, 7)))


def _date(chance: random.Random) -> datetime.date:
    return datetime.date(2026, chance.randint(1, 3), chance.randint(1, 28))


_Make = Callable[[random.Random], Any]
_KINDS: Final[dict[str, tuple[_Make, str, float]]] = {
    "i8": (_whole(8, signed=True), "int8", 0),
    "i32": (_whole(32, signed=True), "int32", 0),
    "n": (_whole(64, signed=True), "int64", 0),
    "m": (_whole(64, signed=True), "int64", 0),
    "u": (_whole(64, signed=False), "uint64", 0),
    "u8": (_whole(8, signed=False), "uint8", 0),
    "ni": (_whole(64, signed=True), "Int64", 0.2),
    "f": (_float, "float64", 0),
    "g": (_float, "float64", 0),
    "f32": (_float, "float32", 0),
    "f16": (_narrow, "float16", 0),
    "on": (lambda chance: chance.random() < 0.5, "bool", 0),
    "nb": (lambda chance: chance.random() < 0.5, "boolean", 0.2),
    "s": (lambda chance: chance.choice(WORDS), "str", 0.2),
    "w": (lambda chance: chance.choice(WORDS), "str", 0),
    "c": (lambda chance: chance.choice(CATEGORIES), "category", 0.2),
    "d": (_decimal, "object", 0.1),
    "e": (_decimal, "object", 0),
    "h": (_huge, "object", 0),
    "t": (_moment, "datetime64[us]", 0.1),
    "z": (_moment, "datetime64[ns, Europe/Berlin]", 0.1),
    "took": (_span, "timedelta64[us]", 0.1),
    "tm": (_time, "object", 0),
    "day": (_date, "object", 0),
}  # fmt: skip

WHOLE: Final = ("i8", "i32", "n", "m", "u", "u8", "ni", "h")
FLOATS: Final = ("f", "g", "f32", "f16")
DECIMALS: Final = ("d", "e")
TEXTS: Final = ("s", "w")


KINDS: Final = tuple(_KINDS)


def random_frame(chance: random.Random, names: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Return a frame with up to 12 rows of columns of these kinds, of all if None."""
    rows = chance.randint(1, 12)
    made: dict[str, Any] = {"id": range(rows)}
    for name in names or tuple(_KINDS):
        make, dtype, gone = _KINDS[name]
        values = [None if chance.random() < gone else make(chance) for _ in range(rows)]
        made[name] = _series(values, dtype)
    return pd.DataFrame(made)


def _series(values: list[Any], dtype: str) -> Any:
    if dtype == "category":
        return pd.Categorical(values, categories=CATEGORIES, ordered=True)
    if dtype.startswith("datetime64[ns"):
        found = pd.Series(pd.to_datetime(values)).dt.tz_localize("UTC")
        return found.dt.tz_convert("Europe/Berlin").dt.as_unit("ns")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        made: Any = pd.Series
        return made(values, dtype=dtype)


def carried(chance: random.Random, frame: pd.DataFrame) -> tuple[str, Any]:
    """Return how a frame reaches the viewer, and what is sent then."""
    name = chance.choice(("numpy", "numpy", "nullable", "arrow", "polars", "duckdb"))
    if any(frame[one].isna().all() for one in frame):  # of what type is it? each library differs
        return "numpy", frame
    plain = frame.drop(columns=[one for one in ("h", "f16") if one in frame])
    try:
        if name == "nullable" and "f16" not in frame:
            return name, frame.convert_dtypes()
        if name == "arrow" and len(plain.columns) == len(frame.columns):
            return name, frame.convert_dtypes(dtype_backend="pyarrow")
        if name == "polars" and len(plain.columns) == len(frame.columns):
            sent = pl.from_pandas(frame)
            return name, sent.cast({"c": pl.Enum(CATEGORIES)}) if "c" in frame else sent
        if name == "duckdb" and not {"c", "f16", "h", "d", "e", "took", "z"} & set(frame.columns):
            return name, duckdb.from_df(frame).to_arrow_table()
    except Exception:  # not every library has every type
        pass
    return "numpy", frame


def table_in(chance: random.Random, frame: pd.DataFrame) -> tuple[str, Table]:
    """Return how a frame reached the viewer, and the viewer's table."""
    name, sent = carried(chance, frame)
    return name, table_of(sent, "id")


def smaller(frame: pd.DataFrame, differs: Callable[[pd.DataFrame], bool]) -> pd.DataFrame:
    """Return the fewest rows and columns of a frame for which there still is a difference."""

    def fails(one: pd.DataFrame) -> bool:
        try:
            return differs(one)
        except Exception:
            return False

    for row in list(frame.index):
        less = frame.drop(index=row)
        if len(less) and fails(less):
            frame = less
    for column in frame.columns[1:]:
        less = frame.drop(columns=column)
        if fails(less):
            frame = less
    return frame
