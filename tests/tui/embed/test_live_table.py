"""tui.embed.live_table: a table in somebody else's app."""

from __future__ import annotations

import datetime
import subprocess
import sys
import threading
from functools import partial
from typing import ClassVar

import pandas as pd
import pytest
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from livetable import BadFrame, LiveTable, Publisher
from livetable.tui.embed.features import KINDS
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.embed.host import FRAME, Guest, host


async def test_the_newest_frame_is_shown_from_any_thread_before_and_after_mounting() -> None:
    table = LiveTable(key="id")
    table.show(FRAME.iloc[:1])
    table.show(FRAME.iloc[:2])
    async with host(table) as on:
        await on.shows("ab")
        table.show(FRAME)
        await on.shows("abc")
        thread = threading.Thread(target=table.show, args=(FRAME.iloc[::-1],))
        thread.start()
        thread.join()
        await on.shows("cba")
        table.show({"n": [7, 8], "id": ["x", "y"]}, key="n")
        await on.until(lambda: on.column() == [7, 8])
        assert table.row_count == 2


async def test_messages_say_what_the_cursor_is_on() -> None:
    table = LiveTable(key="id")
    async with host(table) as on:
        table.show(FRAME)
        row = {"id": "a", "price": 3.5, "n": 1}
        await on.until(lambda: on.app.said == [("highlighted", "a", row, 0)])
        on.app.said.clear()
        await on.pilot.press("down", "right")
        row = {"id": "b", "price": 1.5, "n": 2}
        await on.until(lambda: on.app.said == [("highlighted", "b", row, 1)])
        on.app.said.clear()
        await on.pilot.press("enter")
        await on.until(lambda: len(on.app.said) == 2)
        assert on.app.said == [("selected", "b", row, 1), ("cell", "n", 2, (1, 2))]
        on.app.said.clear()
        table.show(FRAME.iloc[::-1])  # the cursor stays on its row
        await on.shows("cba")
        assert table.cursor_row == 1
        assert on.app.said == []
        await on.pilot.click(table.table_view, offset=(6, 0))
        await on.until(lambda: on.app.said[:1] == [("header", "price", 1, "price")])
        await on.shows("bca")  # sorted


async def test_keys_of_features_that_were_not_chosen_are_the_apps() -> None:
    async with host(LiveTable(features=())) as on:
        on.table.show(FRAME)
        await on.until(lambda: on.table.row_count == 3)
        keys = [*"sjkhlgGcyqxp", "escape"]
        await on.pilot.press(*keys)
        assert on.app.pressed == keys
        await on.pilot.press("down")
        assert on.table.cursor_row == 1
        assert len(on.app.screen.active_bindings) < 40
    async with host(LiveTable(features=["sort", "panels"])) as on:
        on.table.show(FRAME)
        await on.until(lambda: on.table.row_count == 3)
        await on.pilot.press("s", "p", "j", "f", "escape", "enter", "escape", "escape")
        assert on.app.pressed == ["j", "escape", "escape"]  # of three, one closed the panel


async def test_prompts_work_without_livetables_own_app() -> None:
    async with host(LiveTable(key="id", features=("filter", "search"))) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        await on.pilot.press("f", *"price>2", "enter")
        await on.shows("ac")
        assert on.table.prompt is None
        assert on.app.focused is on.table.table_view
        await on.pilot.press("slash", *"2.5", "enter")
        await on.until(lambda: on.table.cursor_row == 1)
        await on.pilot.press("f", *"zz", "escape")
        await on.shows("ac")
        await on.pilot.press("F")
        await on.shows("abc")


async def test_all_features_at_once_and_what_each_line_says() -> None:
    features = list(KINDS)
    chosen = ["price", "n"]
    table = LiveTable(key="id", features=features, where="n > 1", sort="-price", columns=chosen)
    async with host(table) as on:
        table.show(FRAME)
        await on.shows("cb")
        shown = table.table_view.table
        assert shown is not None
        assert shown.titles == ("id", "price", "n")
        for key in "iCbrWpPmvuy":
            await on.pilot.press(key, "escape", "escape")
        await on.pilot.press("space")
        table.show(FRAME.iloc[:2])
        await on.pilot.pause()
        assert table.time.waiting is not None
        await on.pilot.press("space")
        await on.until(lambda: table.time.waiting is None)
    assert on.app._exception is None


async def test_a_live_table_by_its_name() -> None:
    with Publisher("guest", key="id") as orders:
        orders.send(FRAME)
        async with host(LiveTable("guest")) as on:
            await on.shows("abc")
            orders.send(FRAME.iloc[:2])
            await on.shows("ab")
            assert not on.table.table_view.stale
            orders.close()
            await on.until(lambda: on.table.table_view.stale)
            with pytest.raises(ValueError, match="'guest': make one without a source"):
                on.table.show(FRAME)


async def test_a_name_that_nobody_publishes_is_waited_for() -> None:
    async with host(LiveTable("nobody")) as on:
        assert "waiting for a table 'nobody'" in on.table.table_view.message


async def test_eight_on_one_screen() -> None:
    tables = [LiveTable(key="id", sort="price", id=f"t{number}") for number in range(8)]
    publishers = [Publisher(f"eight{number}", key="id") for number in range(4)]
    named = [LiveTable(f"eight{number}", sort="price") for number in range(4)]
    async with host(*tables, *named) as on:
        big = pd.DataFrame({"id": range(60_000), "price": range(60_000, 0, -1)})
        for table in tables:
            table.show(big)
        for publisher in publishers:
            publisher.send(big)
        for table in (*tables, *named):
            await on.until(partial(_is_sorted, on, table))
    for publisher in publishers:
        publisher.close()


def _is_sorted(on: Guest, table: LiveTable) -> bool:
    return on.column(0, table)[:2] == [59_999, 59_998]


def test_what_is_refused_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="the features are sort, filter, search"):
        LiveTable(features=["sorting"])
    with pytest.raises(ValueError, match="write NAME or ENDPOINT#NAME"):
        LiveTable("orders.csv")
    with pytest.raises(ValueError, match="write NAME or ENDPOINT#NAME"):
        LiveTable("tcp://127.0.0.1:5411")
    with pytest.raises(ValueError, match="a column's label"):
        LiveTable(key={"id": 1})
    table = LiveTable(key="id")
    with pytest.raises(BadFrame, match="no column"):
        table.show({"n": [1]})
    with pytest.raises(BadFrame):
        table.show(object())


async def test_labels_and_values_are_the_programs_own() -> None:
    frame = pd.DataFrame(
        {0: [1.5], ("x", 1): ["u"], "when": [pd.Timestamp("2026-01-02 03:04")]}, index=[9]
    )
    async with host(LiveTable(features=())) as on:
        on.table.show(frame)
        await on.until(lambda: on.app.said)
        _, key, row, position = on.app.said[0]
        assert (key, position) == (9, 0)
        assert row[0] == 1.5
        assert row["x", 1] == "u"
        assert row["when"] == pd.Timestamp("2026-01-02 03:04")


def test_importing_the_package_costs_nothing_and_the_widget_needs_no_publisher() -> None:
    code = """
import sys, livetable
assert not {"textual", "zmq", "pandas"} & set(sys.modules)
livetable.LiveTable
assert "textual" in sys.modules and "pandas" not in sys.modules
assert not [name for name in sys.modules if name.startswith("livetable.feed.server")]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


async def test_what_is_typed_in_one_go_is_for_the_prompt_and_the_rest_for_the_table() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        for key in ("f", *"price>2", "enter", "s", "j", "q"):  # before any of it is looked at
            on.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await on.until(lambda: on.app.pressed == ["j", "q"])
        await on.shows("ca")
        assert on.table.prompt is None
        assert on.app.focused is on.table.table_view
        assert len(on.table.chosen().sort) == 1
        on.app.post_message(events.Key("f", "f"))
        on.app.post_message(events.Paste("price<3"))
        await on.until(lambda: len(on.table.chosen().filters) == 2)
        await on.until(lambda: on.app.focused is not on.table.table_view)
        for key in ("z", "enter", "1"):  # a wrong one stays open, and gets what was typed after it
            on.app.post_message(events.Key(key, key if len(key) == 1 else None))
        prompt = on.table.query_one(Prompt)
        await on.until(lambda: prompt.query_one(Input).value == "price<3z1")
        on.app.screen.set_focus(None)
        on.table.focus()
        await on.pilot.press("escape")
        await on.until(lambda: on.table.prompt is None)


async def test_the_key_of_a_row_is_what_the_program_calls_it() -> None:
    day, ten = datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, 10)
    for frame, key, wanted in (
        (FRAME.iloc[1:], None, 1),
        (FRAME[::-1], None, 2),
        (FRAME.set_index(pd.Index([10, 20, 30])), None, 10),
        (FRAME.set_index("id"), None, "a"),
        (FRAME.assign(day=day), "day", day),
        (FRAME.assign(at=pd.Timestamp("2026-01-01 10:00")), "at", ten),
        (FRAME.assign(took=pd.Timedelta(1, "s")), "took", datetime.timedelta(seconds=1)),
        (FRAME, ["id", "n"], ("a", 1)),
    ):
        async with host(LiveTable(key=key)) as on:
            on.table.show(frame)
            await on.until(lambda: on.app.said)
            assert on.app.said[0][1] == wanted
            if isinstance(key, str):
                assert on.app.said[0][2][key] == wanted


async def test_another_row_under_a_cursor_that_stands_still_is_told() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.until(lambda: on.app.said)
        on.app.said.clear()
        on.table.show(FRAME.iloc[1:])
        await on.until(lambda: on.app.said)
        assert on.app.said[0][1] == "b"
        on.table.show(FRAME.iloc[:0])
        await on.until(lambda: on.table.row_count == 0)
        on.app.said.clear()
        on.table.show(pd.concat([FRAME, FRAME]))  # a key that is there twice
        await on.until(lambda: on.app.said)
        on.app.said.clear()
        on.table.table_view.go_to(3, 0)
        await on.until(lambda: [one[3] for one in on.app.said] == [3])


async def test_what_was_selected_is_what_was_on_the_screen() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.until(lambda: on.app.said)
        on.app.said.clear()
        on.app.post_message(events.Key("enter", None))
        on.app.post_message(events.Key("down", None))
        await on.until(lambda: on.table.cursor_row == 1)
        await on.until(lambda: any(one[0] == "selected" for one in on.app.said))
        chosen = [one for one in on.app.said if one[0] == "selected"]
        assert [(one[1], one[3]) for one in chosen] == [("a", 0)]


async def test_a_widget_that_is_mounted_again_goes_on() -> None:
    with Publisher("again", key="id") as again:
        again.send(FRAME)
        shown, named = LiveTable(key="id", sort="-n"), LiveTable("again")
        async with host(shown, named) as on:
            shown.show(FRAME)
            await on.shows("cba")
            await on.until(lambda: on.column(0, named) == ["a", "b", "c"])
            await shown.remove()
            await named.remove()
            shown.show(FRAME)
            await on.app.mount(shown, named)
            again.send(FRAME.iloc[:1])
            shown.show(FRAME.iloc[:2])
            await on.shows("ba")
            await on.until(lambda: on.column(0, named) == ["a"])


async def test_what_is_not_current_says_so_even_without_rows() -> None:
    with Publisher("empty", key="id") as empty:
        empty.send(FRAME.iloc[:0])
        async with host(LiveTable("empty", columns=["n", "nope"], where="")) as on:
            line = on.table.query_one(ViewLine)
            await on.until(lambda: "No column 'nope'" in str(line.render()))
            assert on.table.feed_state == "live"
            empty.end("all done")
            await on.until(lambda: "■ ended: all done" in str(line.render()))
            assert on.table.feed_state == "ended"


async def test_a_table_that_goes_away_under_its_dialog_takes_nobody_along() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        await on.pilot.press("C")
        await on.until(lambda: len(on.app.screen_stack) == 2)
        await on.table.remove()
        await on.pilot.press("down", "space", "enter", "escape")
        await on.until(lambda: len(on.app.screen_stack) == 1)
    assert on.app._exception is None


async def test_a_derived_widget_has_keys_of_its_own() -> None:
    done: list[str] = []

    class Own(LiveTable):
        BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+t", "mine", "Mine")]

        def action_mine(self) -> None:
            done.append("mine")

    async with host(Own(features=())) as on:
        on.table.show(FRAME)
        await on.until(lambda: on.table.row_count)
        await on.pilot.press("ctrl+t")
        assert done == ["mine"]
        before = on.table.table_view.table
        assert before is not None
        header = on.table.table_view
        await on.pilot.mouse_down(header, offset=(3, 0))
        await on.pilot.mouse_up(header, offset=(12, 0))
        await on.pilot.pause()
        assert header.table is not None
        assert header.table.titles == before.titles
