"""tui.workers.arranger: the newest table and the newest wish, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest

from livetable.tui.query.arrange import Arranged, Arrangement, SortKey, arrange
from livetable.tui.workers import arranger as arranger_module
from livetable.tui.workers.arranger import Arranger
from tests.tui.stage import stage
from tests.tui.tables import table_of
from tests.waiting import wait_for


def test_an_older_result_is_not_shown_after_a_newer_one() -> None:
    arranger = Arranger(lambda: None)
    chosen = Arrangement(sort=(SortKey(("v", 0)),))
    arranger._result = arrange(table_of(pd.DataFrame({"v": [1, 2, 3]})), chosen)
    done = arranger.arrange_now(table_of(pd.DataFrame({"v": [2, 1]})), chosen)
    assert done is not None
    assert done.table.rows == 2
    assert arranger.take() is None


async def test_a_million_rows_are_sorted_beside_the_event_loop() -> None:
    async with stage() as on:
        rows = 1_000_000
        big = pd.DataFrame({"id": range(rows), "v": range(rows, 0, -1)})
        on.pane.show(table_of(big, "id"))
        on.pane.table_view.go_to(0, 1)
        on.pane.sorting.action_sort(False)
        assert "updating" in on.says
        shown = on.pane.table_view
        await on.until(lambda: shown.table and shown.table.identity(0) == (rows - 1,))
        await on.until(lambda: "working" not in on.says)


SORTED = Arrangement(sort=(SortKey(("v", 0)),))


@contextmanager
def running(arranger: Arranger) -> Iterator[None]:
    thread = threading.Thread(target=arranger.run)
    thread.start()
    try:
        yield
    finally:
        arranger.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_of_what_is_asked_only_the_newest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, began = threading.Event(), threading.Event()
    sizes: list[int] = []

    def slow(table: Any, chosen: Any, before: Any) -> Arranged:
        sizes.append(table.rows)
        began.set()
        assert go_on.wait(20)
        return arrange(table, chosen, before)

    monkeypatch.setattr(arranger_module, "_arranged", slow)
    done: list[int] = []
    arranger = Arranger(lambda: done.append(1))
    with running(arranger):
        arranger.ask(table_of(pd.DataFrame({"v": [1]})), SORTED)
        assert began.wait(20)
        for size in (2, 3, 4):
            arranger.ask(table_of(pd.DataFrame({"v": range(size)})), SORTED)
        assert arranger.busy
        assert arranger.arrange_now(table_of(pd.DataFrame({"v": [1]})), SORTED) is None
        go_on.set()
        wait_for(lambda: not arranger.busy)
        result = arranger.take()
        assert result is not None
        assert result.table.rows == 4
        assert sizes == [1, 4]
        assert done == [1]  # once, until it is taken
        arranger.ask(table_of(pd.DataFrame({"v": [5]})), SORTED)
        wait_for(lambda: len(done) == 2)


def test_a_large_table_is_not_arranged_at_once() -> None:
    arranger = Arranger(lambda: None)
    large = table_of(pd.DataFrame({"v": range(arranger_module.SMALL + 1)}))
    assert arranger.arrange_now(large, SORTED) is None
    assert arranger.take() is None


def test_a_table_that_can_not_be_arranged_is_shown_as_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Arranged:
        raise RuntimeError("of Arrow")

    monkeypatch.setattr("livetable.tui.query.arrange.arrange", broken)
    done = Arranger(lambda: None).arrange_now(table_of(pd.DataFrame({"v": [3, 1]})), SORTED)
    assert done is not None
    assert done.table.window(done.table.titles.index("v"), 0, 2).to_pylist() == [3, 1]
    assert done.problems == ("Can't apply this view: RuntimeError('of Arrow')",)
