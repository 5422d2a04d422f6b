"""tui.workers.alerts: what is told of the rows that begin to meet a condition."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from livetable.tui.pane.alerts import desktop_notice
from livetable.tui.query.conditions import check_alert
from livetable.tui.query.nodes import BadExpression
from livetable.tui.workers.alerts import MOST, Alarm, sentence_of
from tests.tui.tables import prices, table_of


def test_what_can_not_be_worked_out_is_said_and_the_rest_goes_on() -> None:
    alarm = Alarm(["nope > 1", "price > 1"], "t")
    (alert,) = alarm.check(prices(a=5))
    assert alarm.problem == "nope > 1: No column 'nope'"
    assert (alert.row, alert.values) == ("a", {"id": "a", "price": 5})
    assert sentence_of(alert).endswith("t a: price > 1")
    with pytest.raises(BadExpression):
        check_alert("price > 1 until price <")
    check_alert("any > 1 until other == 'x'")
    with pytest.raises(BadExpression, match="No column 'any'"):
        check_alert("any > 1", ("x",))


def test_of_many_only_some_are_told_of_singly() -> None:
    many = {f"r{at}": 5.0 for at in range(MOST + 7)}
    alerts = Alarm(["price > 1"], "t").check(prices(**many))
    assert len(alerts) == MOST
    assert [alert.more for alert in alerts] == [0] * (MOST - 1) + [7]
    assert "and 7 more rows" in sentence_of(alerts[-1])


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
    assert alarm.problem == "The alert command exited with 3: broken"
