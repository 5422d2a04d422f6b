"""workers.alerts and panes.alerted: told once when a row begins to meet a condition."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.model.table import Table
from livetable.tui.pane.alerts import desktop_notice
from livetable.tui.query.conditions import Watch, check_alert
from livetable.tui.query.expression import BadExpression
from livetable.tui.widgets.prompt import Prompt
from livetable.tui.workers.alerts import MOST, Alarm, sentence_of
from tests.tui.stage import frame, stage
from tests.tui.tables import prices, table_of


def told(watch: Watch, table: Table) -> list[str]:
    return [table.name_of(row) for row in watch.check(table).tolist()]


def test_a_row_is_told_of_when_it_begins() -> None:
    watch = Watch("price > 10")
    assert told(watch, prices(a=5, b=11)) == ["b"]
    assert told(watch, prices(a=12, b=13)) == ["a"]
    assert told(watch, prices(b=9, a=12)) == []
    assert told(watch, prices(a=12, b=11)) == ["b"]
    assert told(watch, prices(c=11)) == ["c"]
    assert told(watch, prices(a=12, c=11)) == ["a"]  # it was gone


def test_not_again_until_it_came_far_enough_back() -> None:
    watch = Watch("price > 10 until price < 8")
    assert told(watch, prices(a=11)) == ["a"]
    for price in (9, 11, 8, 12):
        assert told(watch, prices(a=price)) == []
    assert told(watch, prices(a=7)) == []
    assert told(watch, prices(a=11)) == ["a"]


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), min_size=1)))
def test_against_a_plain_reckoning(states: list[dict[str, int]]) -> None:
    watch, on = Watch("price > 2 until price < 1"), set[str]()
    for state in states:
        begins = {key for key, price in state.items() if price > 2} - on
        assert set(told(watch, prices(**state))) == begins
        on = {key for key in on | begins if key in state and state[key] >= 1}


def test_rows_without_a_key_are_told_apart_by_place() -> None:
    watch = Watch("x > 1")
    assert watch.check(table_of(pd.DataFrame({"x": [0, 2]}))).tolist() == [1]
    assert watch.check(table_of(pd.DataFrame({"x": [2, 2]}))).tolist() == [0]


def test_what_can_not_be_worked_out_is_said_and_the_rest_goes_on() -> None:
    alarm = Alarm(["nope > 1", "price > 1"], "t")
    (alert,) = alarm.check(prices(a=5))
    assert alarm.problem == "nope > 1: there is no column 'nope'"
    assert (alert.row, alert.values) == ("a", {"id": "a", "price": 5})
    assert sentence_of(alert).endswith("t a: price > 1")
    with pytest.raises(BadExpression):
        check_alert("price > 1 until price <")
    check_alert("any > 1 until other == 'x'")
    with pytest.raises(BadExpression, match="there is no column 'any'"):
        check_alert("any > 1", ("x",))


def test_of_many_only_some_are_told_of_singly() -> None:
    many = {f"r{at}": 5.0 for at in range(MOST + 7)}
    alerts = Alarm(["price > 1"], "t").check(prices(**many))
    assert len(alerts) == MOST
    assert [alert.more for alert in alerts] == [0] * (MOST - 1) + [7]
    assert "and 7 rows more" in sentence_of(alerts[-1])


def test_hostile_text_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "x\x1b]52;c;AAAA\x07\x9b31m"
    table = table_of(pd.DataFrame({"id": [hostile], "price": [5]}), "id")
    (alert,) = Alarm(["price > 1"], hostile).check(table)
    for text in (sentence_of(alert), desktop_notice(sentence_of(alert))[4:-1]):
        assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)
    monkeypatch.setenv("TMUX", "x")
    monkeypatch.setenv("TERM", "foot")
    assert desktop_notice("a;b") == "\x1bPtmux;\x1b\x1b]777;notify;livetable;a,b\x07\x1b\\"


def test_a_command_gets_the_row(tmp_path: Path) -> None:
    out = tmp_path / "rows"
    alarm = Alarm(["price > 1"], "t", f"cat >> {out}; echo >> {out}")
    alarm.check(prices(a=5))
    alarm.check(prices(a=5, b=6))
    alarm.close(10)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["row"] for row in rows] == [{"id": "a", "price": 5}, {"id": "b", "price": 6}]
    assert rows[0]["condition"] == "price > 1"
    alarm = Alarm(["price > 1"], "t", "echo broken >&2; exit 3")
    alarm.check(prices(a=5))
    alarm.close(10)
    assert alarm.problem == "the command ended with 3: broken"


async def test_alerts_in_a_viewer() -> None:
    async with stage() as on:
        await on.press("W")
        await on.type("price >")
        await on.press("enter")
        await on.until(lambda: "not an expression" in on.hint)
        assert on.pane.query(Prompt)
        await on.type(" 4")
        await on.press("enter")
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.alerts == ("price > 4",)
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.until(lambda: [alert.row for alert in on.pane.told] == ["a"])
        on.pane.show(frame({"a": 9, "b": 7, "c": 2}))
        await on.until(lambda: [alert.row for alert in on.pane.told] == ["a", "b"])
        await on.press("E")
        await on.until(lambda: len(on.pane.app.screen_stack) == 2)
        await on.press("escape")
        await on.press("W", "enter")
        await on.until(lambda: on.pane.alerts == ())
        on.pane.show(frame({"a": 1, "b": 1, "c": 9}))
        await on.becomes("abc")
        assert len(on.pane.told) == 2


def test_alerts_are_remembered_and_read(tmp_path: Path) -> None:
    from livetable.tui.config.settings import BadFile
    from livetable.tui.config.view_file import Remembered, read_view, write_view

    path = tmp_path / "t.toml"
    view = Remembered(alerts=("price > 1 until price < 0",))
    write_view(path, "t", view)
    assert read_view(path) == view
    path.write_text('alerts = ["price >"]\n')
    with pytest.raises(BadFile, match="alerts: 'price >'"):
        read_view(path)


def test_a_key_that_is_nan_is_told_of_once() -> None:
    watch = Watch("v > 1")
    for expected in (1, 0, 0):
        table = table_of(pd.DataFrame({"id": [float("nan"), 1.0], "v": [2, 0]}), "id")
        assert len(watch.check(table)) == expected


def test_until_in_quotes_is_text() -> None:
    assert Watch("s == 'x until y' until `a until b` > 1").conditions == (
        "s == 'x until y'", "`a until b` > 1",
    )  # fmt: skip
    assert Watch("s == 'x until y'").conditions == ("s == 'x until y'", None)
