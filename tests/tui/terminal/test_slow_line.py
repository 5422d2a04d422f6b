"""tui.terminal.slow_line: a paint waits for the line, and is then what there is by then."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from textual.pilot import Pilot

from livetable.tui.terminal import slow_line
from livetable.tui.terminal.slow_line import CarefulPaint
from tests.tui.stage import TableApp
from tests.tui.tables import table_of
from tests.waiting import wait_until


class Line:
    """A terminal behind a line that is ready when a test says so."""

    size = (30, 6)

    def __init__(self) -> None:
        self.started = 1
        self.waits = 0.0
        self.written: list[str] = []
        self.asked = 0
        self.pace = SimpleNamespace(is_limited=False, painted=lambda: None)
        self.output = SimpleNamespace(erases=False, together=contextlib.nullcontext)

    def wait(self) -> float:
        return self.waits

    def write(self, data: str) -> None:
        self.written.append(data)

    def ask(self) -> None:
        self.asked += 1


@asynccontextmanager
async def painting() -> AsyncIterator[tuple[Pilot[None], CarefulPaint, Line]]:
    app = TableApp()
    async with app.run_test(size=Line.size) as pilot:
        await show(pilot, 1)
        line: Any = Line()
        careful = CarefulPaint(app, line)
        assert careful.is_on  # at the start every line is taken for a slow one
        yield pilot, careful, line


async def show(pilot: Pilot[None], value: int) -> None:
    app = pilot.app
    assert isinstance(app, TableApp)
    app.table.update(table_of(pd.DataFrame({"v": [value], "s": ["same"]})))
    await pilot.pause()


async def test_what_is_the_same_is_not_told_again() -> None:
    async with painting() as (pilot, careful, line):
        careful.display()
        assert "v" in line.written[0]
        assert line.asked == 1  # so that it is known when it is seen
        careful.display()
        assert len(line.written) == 1
        await show(pilot, 4)
        careful.display()
        assert "4" in line.written[1]
        assert len(line.written[1]) < len(line.written[0]) / 2
        assert "same" not in line.written[1]
        careful.forget()  # somebody else may have written there
        careful.display()
        assert "same" in line.written[2]


async def test_what_is_owed_is_painted_as_it_stands_when_the_line_is_ready() -> None:
    async with painting() as (pilot, careful, line):
        line.waits = 0.01
        for value in (21, 22, 23):
            await show(pilot, value)
            careful.display()
        assert line.written == []
        line.waits = 0.0
        await wait_until(lambda: line.written, lambda: line.waits)
        (told,) = line.written
        assert "23" in told
        assert "21" not in told
        assert "22" not in told
        careful.pay()  # nothing is owed any more
        assert len(line.written) == 1


async def test_it_is_on_while_each_byte_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with painting() as (pilot, careful, line):

        def is_on() -> bool:
            return careful.is_on

        monkeypatch.setattr(slow_line, "time", SimpleNamespace(monotonic=lambda: 1e12))
        assert not is_on()  # the start is over
        line.pace.is_limited = True
        assert is_on()
        careful.display()
        assert "same" in line.written[0]  # what was painted without this is not known
        line.pace.is_limited, line.waits = False, 9.0
        await show(pilot, 5)
        careful.display()
        assert is_on()  # it owes a paint: nobody may paint past it
        line.waits = 0.0
        careful.pay()
        assert "5" in line.written[1]
        assert not is_on()
        line.started += 1  # given back and taken again: it is blank
        line.pace.is_limited = True
        assert is_on()
        careful.display()
        assert "same" in line.written[-1]
