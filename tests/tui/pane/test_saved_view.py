"""tui.pane.saved_view: how a table was looked at last is how it is shown next."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.writer import TapeWriter
from livetable.tui.config.settings import Settings, view_path
from livetable.tui.query.rules import Rule
from livetable.tui.target import PIPE, Target, ViewOptions
from tests.tui.orders import stage
from tests.waiting import wait_for


async def test_a_view_is_remembered() -> None:
    async with stage() as on:
        pass
    assert not view_path("orders").exists()  # nothing was chosen
    async with stage() as on:
        await on.pilot.press("s", "l", "minus", "u", "r", *"v>2:red", "enter")
        await on.until(lambda: on.values == [1, 2, 3])
    wait_for(lambda: view_path("orders").exists())
    async with stage() as on:
        await on.until(lambda: on.values == [1, 2, 3])
        table = on.pane.table_view.table
        assert table is not None
        assert table.titles == ("id", "v")
        assert on.pane.table_view.has_class("-red-up")
        assert on.pane.state.rules == (Rule("v>2", "red"),)
        await on.pilot.press("s", "s", "plus", "u", "u", "R")
        await on.until(lambda: on.values == [2, 1, 3])
    async with stage(ViewOptions(where=("v > 1",), remember=False)) as on:
        await on.until(lambda: on.values == [2, 3])
    assert "v > 1" not in view_path("orders").read_text()


async def test_a_view_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "shared.toml"
    path.write_text("sort = [['v', 'desc']]")
    async with stage(ViewOptions(view=path)) as on:
        await on.until(lambda: on.values == [3, 2, 1])
        await on.pilot.press("F", "s")
        await on.until(lambda: on.values == [2, 1, 3])
    assert "sort" not in path.read_text()
    path.write_text("sort = 5")
    async with stage(ViewOptions(view=path)) as on:
        await on.until(lambda: on.app._notifications)
        assert "sort must be a list" in next(iter(on.app._notifications)).message
        await on.pilot.press("s")
        await on.until(lambda: on.values == [1, 2, 3])
    assert path.read_text() == "sort = 5"


async def test_a_view_of_a_file_is_not_one_of_another_and_says_what_it_hides() -> None:
    first, second = (Target(None, "orders", origin=f"/{name}/orders.csv") for name in "AB")
    async with stage(target=first) as on:
        await on.pilot.press("l", "minus", "f", *"w<1&id!='a'", "enter", "b", "B")
        await on.until(lambda: on.values == [1, 3])
    wait_for(lambda: view_path("orders", first.origin).exists())
    assert "A/orders.csv" in view_path("orders", first.origin).read_text()
    for other in (second, Target(None, "orders"), Target(None, "orders", origin=PIPE)):
        async with stage(target=other) as on:
            assert on.values == [2, 1, 3]
            assert not on.app._notifications
    async with stage(target=first) as on:
        await on.until(lambda: on.values == [1, 3])
        await on.until(lambda: on.app._notifications)
        (notice,) = on.app._notifications
        assert notice.message == "Remembered view: 1 filter, 1 hidden column. Press V to clear."
        await on.pilot.press("V")
        await on.until(lambda: on.values == [2, 1, 3])
    async with stage(target=first) as on:
        assert on.values == [2, 1, 3]
        assert not on.app._notifications


async def test_what_is_piped_is_told_apart_by_its_columns() -> None:
    async with stage(target=Target(None, "orders", origin=PIPE)) as on:
        await on.pilot.press("f", *"v>1", "enter")
        await on.until(lambda: on.values == [2, 3])
    async with stage(target=Target(None, "orders", origin=PIPE)) as on:
        await on.until(lambda: on.values == [2, 3])
    other = pd.DataFrame({"id": list("abc"), "v": [2, 1, 3], "more": 0})
    async with stage(target=Target(None, "orders", origin=PIPE), data=other) as on:
        assert on.values == [2, 1, 3]


async def test_the_notice_names_the_key_of_ones_own() -> None:
    view_path("orders").parent.mkdir(parents=True)
    view_path("orders").write_text('filters = ["v > 1"]\nhidden = ["w", "none"]')
    async with stage(chosen=Settings(keys={"show-all-rows-and-columns": "f5"})) as on:
        await on.until(lambda: on.values == [2, 3])
        await on.until(lambda: on.app._notifications)
        (notice,) = on.app._notifications
        assert notice.message == "Remembered view: 1 filter, 1 hidden column. Press f5 to clear."
        await on.pilot.press("f5")
        await on.until(lambda: on.values == [2, 1, 3])


async def test_a_tapes_view_is_its_own_and_told_too(tmp_path: Path) -> None:
    path = tmp_path / "day.tape"
    data = Encoder()(capture({"id": list("abc"), "v": [2, 1, 3]})).data
    writer = TapeWriter(path, "orders")
    header = Header("snapshot", "orders", 1, Position("e", 1), rows=3, columns=2, key=("id",))
    writer.add(1700000000.0, header, data)
    writer.close()
    view = view_path("orders", str(path))
    view.parent.mkdir(parents=True)
    view.write_text('filters = ["v > 1"]')
    async with stage(target=Target(None, "day", tape=path)) as on:
        await on.until(lambda: on.values == [2, 3])
        await on.until(lambda: on.app._notifications)
        assert "Press V to clear" in next(iter(on.app._notifications)).message
