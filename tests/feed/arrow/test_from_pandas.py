"""livetable.feed.arrow.from_pandas: a column becomes Arrow's exactly, or its text, and says so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.arrow import from_pandas
from livetable.feed.arrow.arrays import comparable, is_text
from livetable.feed.arrow.from_pandas import columns_of, to_arrow, values_of_column
from tests.ugly import NoText, ugly_frames

FRAMES = {name: one for name, one in ugly_frames().items() if isinstance(one, pd.DataFrame)}
DAY = dt.date(2026, 1, 2)

KEPT: dict[str, tuple[Any, list[Any]]] = {
    "nan is a number": (np.array([1.5, np.nan]), [1.5, np.nan]),
    "half floats": (np.array([1.5], "f2"), [1.5]),
    "unsigned": (np.array([2**64 - 1], "u8"), [2**64 - 1]),
    "nullable": (pd.array([2**53 + 1, None], dtype="Int64"), [2**53 + 1, None]),
    "categories": (pd.Categorical(["a", None, "a"]), ["a", None, "a"]),
    "sparse": (pd.arrays.SparseArray([0.0, 1.0, 0.0]), [0.0, 1.0, 0.0]),
    "days": (np.array([DAY, None], dtype=object), [DAY, None]),
    "decimals": (np.array([Decimal("1.5")], dtype=object), [Decimal("1.5")]),
    "large": (np.array([2**70], dtype=object), [2**70]),
    "lists": (np.array([[1], None], dtype=object), [[1], None]),
    "every other": (np.arange(10)[::3], [0, 3, 6, 9]),
}

TEXT: dict[str, tuple[Any, list[Any]]] = {
    "complex": (np.array([1 + 2j, np.nan]), ["(1+2j)", None]),
    "periods": (pd.period_range("2026-01", periods=2, freq="M").array, ["2026-01", "2026-02"]),
    "intervals": (pd.interval_range(0, 1).array, ["(0, 1]"]),
    "periods as categories": (
        pd.Categorical(pd.period_range("2026-01", periods=1, freq="M")), ["2026-01"]
    ),
    "mixed": (np.array([1, "a", None], dtype=object), ["1", "a", None]),
    "no text": (
        np.array([NoText(), 1], dtype=object), ["<NoText: str() raised RuntimeError>", "1"]
    ),
    "surrogates": (np.array(["a\ud800", 1], dtype=object), ["a\\ud800", "1"]),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_what_arrow_holds_stays(name: str) -> None:
    values, wanted = KEPT[name]
    array, is_text = to_arrow(values)
    assert not is_text
    np.testing.assert_equal(array.to_pylist(), wanted)


@pytest.mark.parametrize("name", TEXT)
def test_what_arrow_has_no_type_for_is_its_text(name: str) -> None:
    values, wanted = TEXT[name]
    array, is_text = to_arrow(values)
    assert (is_text, array.to_pylist()) == (True, wanted)


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.none()))
def test_any_mixture_is_kept_or_text(cells: list[Any]) -> None:
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    array, is_text = to_arrow(values)
    assert len(array) == len(cells)
    for found, cell in zip(array.to_pylist(), cells, strict=True):
        if pd.isna(cell):
            assert found is None or found != found
        elif is_text:
            wanted = str(cell).encode("utf-8", "backslashreplace").decode()
            assert found == wanted
        else:
            assert found == cell


@pytest.mark.parametrize("name", FRAMES)
def test_columns_are_those_that_pandas_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_pandas(frame: pd.DataFrame) -> Any:
        raise AttributeError("_mgr")

    frame = FRAMES[name]
    found = [to_arrow(values) for values in columns_of(frame)]
    monkeypatch.setattr(from_pandas, "manager_of", another_pandas)
    wanted = [to_arrow(values) for values in columns_of(frame)]
    assert len(found) == len(wanted) == frame.shape[1]
    for (array, as_text), (other, other_is_text) in zip(found, wanted, strict=True):
        assert (array.type, as_text) == (other.type, other_is_text)
        # Python has no year 2600: times are compared as numbers.
        numbers = [comparable(one).to_pylist() for one in (array, other)]
        np.testing.assert_equal(*numbers)


def test_columns_are_not_copied() -> None:
    frame = pd.DataFrame(np.arange(6.0).reshape(3, 2)).assign(n=1)
    for at, values in enumerate(columns_of(frame)):
        assert np.shares_memory(values, frame.iloc[:, at].to_numpy())
    array, _ = to_arrow(columns_of(frame)[2])
    assert np.shares_memory(array.to_numpy(), frame["n"].to_numpy())


def test_values_of_a_column_or_an_index() -> None:
    assert isinstance(values_of_column(pd.Series([1, 2])), np.ndarray)
    assert isinstance(values_of_column(pd.Index(["a"], dtype="category")), pd.Categorical)
    assert is_text(to_arrow(values_of_column(pd.Index(["a"])))[0].type)
