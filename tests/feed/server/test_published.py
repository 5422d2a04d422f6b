"""livetable.feed.server.published: a name is taken, handed over, and given back."""

from __future__ import annotations

import copy
import pickle

import pandas as pd
import pytest

from livetable.feed import NameTaken, Publisher, PublisherClosed

FRAME = pd.DataFrame({"a": [1, 2]})


def test_a_name_is_taken_numbered_or_replaced() -> None:
    with Publisher("orders") as first:
        with pytest.raises(NameTaken, match="already published by this process"):
            Publisher("orders")
        with Publisher("orders", taken="number") as second:
            assert second.name == "orders-2"
        third = Publisher("orders", taken="replace")
        with pytest.raises(PublisherClosed, match="taken over by a newer Publisher"):
            first.send(FRAME)
        third.send(FRAME)
        third.close()
    with pytest.raises(ValueError, match='must be "error", "replace" or "number"'):
        Publisher("orders", taken="x")  # type: ignore[arg-type]
    Publisher("orders").close()


def test_the_same_line_takes_over_from_itself() -> None:
    made = [Publisher("again") for _ in range(2)]
    made[1].send(FRAME)
    with pytest.raises(PublisherClosed, match="use that Publisher"):
        made[0].send(FRAME)
    made[1].close()


def test_it_ends_once_and_is_closed_once() -> None:
    with Publisher("t") as table:
        table.send(FRAME)
        assert table.shape == (2, 1)
        assert table.flush(1.0)
        table.end("done")
        table.end("again")
        assert table._state.note == "done"
        with pytest.raises(PublisherClosed, match="was ended"):
            table.send(FRAME)
    table.close()
    assert table.flush()
    with pytest.raises(PublisherClosed, match="was closed"):
        table.note("x")


def test_an_exception_is_the_last_note() -> None:
    table = Publisher("t")
    with pytest.raises(RuntimeError), table:
        raise RuntimeError("no more")
    assert table._state.note == "RuntimeError: no more"


def test_it_is_neither_copied_nor_pickled() -> None:
    with Publisher("t") as table:
        assert repr(table) == f"Publisher('t', endpoint={table.endpoint!r})"
        for make in (copy.copy, copy.deepcopy):
            with pytest.raises(PublisherClosed, match="can't copy"):
                make(table)
        with pytest.raises(PublisherClosed, match="can't pickle"):
            pickle.dumps(table)


def test_a_name_is_free_when_its_publisher_is_collected() -> None:
    Publisher("t")
    Publisher("t").close()
