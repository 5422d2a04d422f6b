"""Make the pickles in this folder: `python make.py`, once with each version of pandas.

They are what users' publishers send: `pickle.dumps(frame)` as pyzmq's `send_pyobj` does it.
"""

from __future__ import annotations

import decimal
import pickle
from pathlib import Path

import numpy as np
import pandas as pd


def frames() -> dict[str, object]:
    """Return the frames by name; each version of pandas makes the same."""
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None])
    days = pd.date_range("2026-01-05", periods=4, freq="D")
    ordinary = pd.DataFrame(
        {
            "int": [1, -2, 2**53 + 1, 0],
            "float": [0.5, float("nan"), float("inf"), -0.0],
            "bool": [True, False, True, False],
            "text": ["x", "", None, "grün"],
            "small": np.array([1, 2, 3, 4], dtype="int8"),
        }
    )
    return {
        "normal": pd.DataFrame(np.arange(6, dtype="float64").reshape(2, 3)),
        "ordinary": ordinary,
        "category": pd.DataFrame({"c": pd.Categorical(["lo", "hi", None, "lo"], ["lo", "hi"])}),
        "times": pd.DataFrame(
            {
                "naive": days,
                "zone": days.tz_localize("Europe/Berlin"),
                "utc": days.tz_localize("UTC"),
                "delta": pd.to_timedelta([1, 2, None, 4], unit="s"),
            }
        ),
        "time_index": pd.DataFrame({"v": [1.0, 2.0, 3.0, 4.0]}, index=days),
        "multi": pd.DataFrame(
            np.arange(8).reshape(4, 2),
            index=index,
            columns=pd.MultiIndex.from_tuples([("x", 1), ("x", 2)]),
        ),
        "masked": pd.DataFrame(
            {
                "i": pd.array([1, None, 3], dtype="Int64"),
                "b": pd.array([True, None, False], dtype="boolean"),
                "s": pd.array(["a", None, "c"], dtype="string"),
            }
        ),
        "labels": pd.DataFrame([[1, 2, 3]], columns=["a", "a", None], index=[10]),
        "objects": pd.DataFrame(
            {"o": [decimal.Decimal("1.50"), [1, 2], {"k": "v"}, b"\x00"]}, dtype=object
        ),
        "empty": pd.DataFrame(),
        "no_rows": pd.DataFrame({"a": np.array([], dtype="int64")}),
        "series": pd.Series([1.5, 2.5], name="s", index=["p", "q"]),
        "mixed_blocks": pd.concat([ordinary, ordinary.add_suffix("_2")], axis=1),
        "period": pd.DataFrame({"p": pd.period_range("2026-01", periods=3, freq="M")}),
    }


def main() -> None:
    """Write one file per frame, named after it and the version of pandas."""
    version = ".".join(pd.__version__.split(".")[:2])
    for name, frame in frames().items():
        path = Path(__file__).with_name(f"{name}-{version}.pickle")
        path.write_bytes(pickle.dumps(frame, protocol=pickle.DEFAULT_PROTOCOL))


if __name__ == "__main__":
    main()
