"""livetable.feed.arrow.pandas_private: this pandas has what is leant on, and it means the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa

from livetable.feed.arrow import pandas_private


def test_blocks_hold_the_columns_where_the_manager_says() -> None:
    frame = pd.DataFrame({"a": [1, 2], "s": ["x", "y"], "b": [3, 4]})
    frame["c"] = [5, 6]  # a block of its own
    manager = pandas_private.manager_of(frame)
    blocks = [block.values for block in manager.blocks]
    for at, name in enumerate(frame.columns):
        values = blocks[manager.blknos[at]]
        found = values[manager.blklocs[at]] if values.ndim == 2 else values
        assert list(found) == frame[name].to_list()


def test_columns_that_are_arrows() -> None:
    column = pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())).array
    assert pandas_private.is_arrows(column)
    assert pandas_private.arrow_of(column).to_pylist() == ["a", None]
    assert not pandas_private.is_arrows(pd.Series([1]).array)


def test_who_shares_an_index_is_known() -> None:
    index = pd.Index([10, 20, 30])
    view = index.view()
    shared = list(pandas_private.indexes_that_share(index))
    assert any(one is view for one in shared)
    del view, shared
    assert all(one is index for one in pandas_private.indexes_that_share(index))


def test_an_index_that_has_looked_something_up_holds_on_to_its_array() -> None:
    index = pd.Index(["a", "b"])
    assert not pandas_private.finds_labels(index)
    assert index.get_loc("b") == 1
    assert pandas_private.finds_labels(index)


def test_pandas_copies_on_write_from_3_on_or_in_a_mode_of_2() -> None:
    def pandas(version: str, mode: object) -> Any:
        return SimpleNamespace(__version__=version, get_option=lambda name: mode)

    assert pandas_private.is_copy_on_write(pandas("3.0.1", None))
    assert pandas_private.is_copy_on_write(pandas("2.2.3", True))
    assert not pandas_private.is_copy_on_write(pandas("2.2.3", False))
    assert not pandas_private.is_copy_on_write(pandas("2.3.3", "warn"))
