"""The ugly frames of product.md, by name: what every reader, screen and test meets first."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


class NoText:
    """An object that has no text."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def _categories_of_anything() -> pd.Series[Any]:
    return pd.Series(pd.Categorical([pd.Interval(0, 1), None, pd.Interval(0, 1)]))


def ugly_frames() -> dict[str, Any]:
    """Return the frames, each small; a value may also be a dict, a list or an Arrow table."""
    days = pd.date_range("2026-03-28 22:00", periods=4, freq="h")
    return {
        "0 rows": pd.DataFrame({"a": [], "b": []}),
        "0 columns": pd.DataFrame(index=range(3)),
        "0 columns, labels": pd.DataFrame(index=["x", "y"]),
        "0 × 0": pd.DataFrame(),
        "one cell": pd.DataFrame({"a": [1]}),
        "500 columns": pd.DataFrame(np.arange(2000).reshape(4, 500)),
        "duplicate columns": pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a"]),
        "column labels": pd.DataFrame(
            [[1, 2, 3, 4, 5, 6]],
            columns=pd.Index([1, None, ("t", 2), "", "x", 1.5], dtype=object, tupleize_cols=False),
        ),
        "multi": pd.DataFrame(
            np.arange(8).reshape(4, 2),
            index=pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None]),
            columns=pd.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["n", None]),
        ),
        "named index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="id")),
        "duplicate index": pd.DataFrame({"a": [1, 2, 3]}, index=["p", "p", "q"]),
        "range index": pd.DataFrame({"a": [1, 2, 3]}, index=pd.RangeIndex(10, 4, -2)),
        "floats": pd.DataFrame({"f": [np.nan, np.inf, -np.inf, -0.0, 1e-300, 1e300, 0.1]}),
        "half and long floats": pd.DataFrame(
            {"h": np.array([0.5, 2.0], "float16"), "l": np.array([0.5, 2.0], "longdouble")}
        ),
        "ints": pd.DataFrame(
            {"i": [2**53 + 1, -(2**63)], "u": np.array([2**64 - 1, 0], dtype="uint64")}
        ),
        "huge ints": pd.DataFrame({"i": pd.Series([2**70, -(2**200), None], dtype=object)}),
        "larger ints": pd.DataFrame({"i": pd.Series([2**700, 1], dtype=object)}),
        "complex": pd.DataFrame({"c": [1 + 2j, complex("nan")]}),
        "missing": pd.DataFrame(
            {
                "none": pd.Series([None, None], dtype=object),
                "NA": pd.array([1, pd.NA], dtype="Int64"),
                "NaT": [pd.Timestamp("2026-01-01"), pd.NaT],
                "bool": pd.Series([True, None], dtype=object),
                "boolean": pd.array([True, None], dtype="boolean"),
            }
        ),
        "categories": pd.DataFrame({"c": pd.Categorical(["b", None, "a"], ordered=True)}),
        "categories of intervals": pd.DataFrame({"c": _categories_of_anything()}),
        "no categories": pd.DataFrame({"c": pd.Categorical([None, None], categories=[])}),
        "times": pd.DataFrame(
            {
                "zone": days.tz_localize("UTC").tz_convert("Europe/Berlin"),
                "fixed": days.tz_localize(datetime.timezone(datetime.timedelta(hours=-3.5))),
                "ns": days.as_unit("ns") + pd.Timedelta(1, "ns"),
                "s": days.as_unit("s"),
                "period": days.to_period("D"),
                "delta": pd.to_timedelta([1, -1, None, 10**6], unit="s"),
            }
        ),
        "dates": pd.DataFrame(
            {
                "date": pd.Series([datetime.date(2026, 1, 2), None], dtype=object),
                "time": pd.Series([datetime.time(1, 2, 3, 4), None], dtype=object),
                "zones": pd.Series(
                    [pd.Timestamp("2026", tz="UTC"), pd.Timestamp("2026")], dtype=object
                ),
                "far": np.array(["9999-12-31", "-9999-01-01"], dtype="datetime64[s]"),
            }
        ),
        "intervals": pd.DataFrame({"i": pd.interval_range(0, 3)}),
        "decimals": pd.DataFrame({"d": [decimal.Decimal("1.50"), None, decimal.Decimal("-1E+5")]}),
        "bytes": pd.DataFrame({"b": [b"\x1b[2J", b"", None]}),
        "nested": pd.DataFrame(
            {"l": [[1, 2], [], None], "d": [{"a": 1}, {"b": [2]}, {}], "a": [np.arange(2)] * 3}
        ),
        "sparse": pd.DataFrame({"s": pd.arrays.SparseArray([0.0, 0.0, 1.0])}),
        "arrow backed": pd.DataFrame(
            {
                "s": pd.array(["a", None], dtype="string[pyarrow]"),
                "l": pd.Series(pa.array([[1], None]), dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
                "d": pd.Series(pa.array([1, 2], pa.date32()), dtype=pd.ArrowDtype(pa.date32())),
                "x": pd.Series(
                    pa.array([1, None]).dictionary_encode(),
                    dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.int64())),
                ),
            }
        ),
        "objects": pd.DataFrame({"o": pd.Series([NoText(), object, 1, "x", None, print])}),
        "hostile text": pd.DataFrame(
            {
                "[/x] [bold]\x1b]0;title\x07": [
                    "\x1b[2J\x1b]52;c;aGk=\x07",
                    "a\nb\tc\r",
                    "\x9b31m\x85\x00\x7f",
                    "[/foo] price[0]=5 [x] [link=http://x]",
                    "x" * 1_000_000,
                    "\u202eevil\u2066",
                ]
            }
        ),
        "wide text": pd.DataFrame(
            {
                "中文": ["漢字", "e\u0301\u0300", "שלום", "مرحبا", "👩‍👩‍👧‍👦🇩🇪👍🏽", "ｶﾞ\u3000"],
                "n": range(6),
            }
        ),
        "surrogates": pd.DataFrame({"s": pd.Series(["\ud800", "ok", None], dtype=object)}),
        "series": pd.Series([1.5, 2.5], index=["p", "q"]),
        "dict": {"a": [1, 2], "b": ["x", None]},
        "rows": [{"a": 1}, {"b": 2}],
        "arrow": pa.table({"a": pa.chunked_array([[1], [2, None]]), "v": pa.array(["x"] * 3)}),
        "arrow types": pa.table(
            {
                "view": pa.array(["x", None], pa.string_view()),
                "struct": pa.array([{"a": 1}, None]),
                "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
                "null": pa.nulls(2),
                "fixed": pa.array([b"ab", None], pa.binary(2)),
                "month": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
                "t32": pa.array([1, None], pa.time32("ms")),
                "d64": pa.array([86_400_000, None], pa.date64()),
            }
        ),
        "polars": pl.DataFrame(
            {
                "c": pl.Series(["a", None], dtype=pl.Categorical),
                "l": [[1, 2], None],
                "s": ["x", "y"],
            }
        ),
        "keys that are lists": pd.DataFrame(
            {"a": [1, 2]}, index=pd.Index([(1, 2), (3, 4)], tupleize_cols=False)
        ),
        "a list of any length": pa.table(
            {
                "n": pa.ListArray.from_arrays(pa.array([0, 10**5]), pa.nulls(10**5)),
                "t": pa.array([[10**17]], pa.list_(pa.timestamp("s"))),
            }
        ),
        "array": np.arange(6).reshape(3, 2),
    }
