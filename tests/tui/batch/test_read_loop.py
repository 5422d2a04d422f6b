"""tui.batch.read_loop: states without a screen, and what is said while they are awaited."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.feed.base.command_line import SAID_SECONDS
from livetable.feed.protocol.source_status import SourceStatus
from livetable.tui.batch import read_loop
from livetable.tui.batch.read_loop import Hint, NoTable, Reading, asked, lacking, nothing_of
from livetable.tui.model.feed_state import Link
from livetable.tui.target import Target, ViewOptions

ORDERS = Target(None, "orders")


def test_each_state_comes_until_it_is_told_to_end(orders: Publisher) -> None:
    reading = Reading(ORDERS, 20.0)
    seen: list[int] = []
    for state in reading:
        if state.table is not None and state.table.rows not in seen:
            reading.satisfied = True
            seen.append(state.table.rows)
            if len(seen) == 2:
                reading.end(7)
            else:
                orders.send(pd.DataFrame({"id": [1], "v": [1]}))
    assert (seen, reading.code) == ([3, 1], 7)


def test_its_end_is_news(orders: Publisher) -> None:
    links = []
    for state in Reading(ORDERS, 20.0):
        links.append(state.link)
        if state.link is Link.LIVE and state.table is not None:
            orders.close()
        if state.link is Link.ENDED:
            break
    assert Link.LIVE in links
    assert links[-1] is Link.ENDED


def test_a_table_is_kept_with_its_past_only_if_it_is_asked_for(orders: Publisher) -> None:
    for conditions, has_past in (((), False), (("v > 1",), False), (("d(v) > 1",), True)):
        reading = Reading(ORDERS, 20.0, conditions=conditions)
        for state in reading:
            if state.table is not None:
                assert (state.table.past is not None) is has_past
                reading.end()
    assert asked(ViewOptions(where=("a", "b"), until="c")) == ("a", "b", "c")
    assert asked(ViewOptions()) == ()


def test_it_says_what_it_waits_for_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(read_loop, "SAID_SECONDS", 0.05)
    with pytest.raises(NoTable, match=r"^No table 'orders'\. No table is live on this machine$"):
        list(Reading(ORDERS, 0.3))
    assert capsys.readouterr().err == "livetable: waiting for table 'orders'\n"


def test_a_hint_is_due_once_and_no_wait_is_longer_than_what_is_left() -> None:
    hint = Hint()
    assert not hint.is_due()
    first = hint.left(None)
    assert first is not None
    assert 0 < first <= SAID_SECONDS
    assert hint.left(time.monotonic() - 5) == 0.0
    hint.say("")  # in its place something else was said
    assert hint.left(None) is None
    assert not hint.is_due()
    later = hint.left(time.monotonic() + 60)
    assert later is not None
    assert later > 50


@pytest.mark.parametrize(
    ("awaited", "says"),
    [
        ("rows of x.csv", "No rows of x.csv"),
        ("a feed at tcp://h:1", "No feed at tcp://h:1"),
        ("the processes of this machine", "No processes of this machine"),
        ("table 'a the b'", "No table 'a the b'"),
    ],
)
def test_how_nothing_is_said(awaited: str, says: str) -> None:
    assert nothing_of(awaited) == says


def test_what_a_source_lacks_is_one_short_sentence() -> None:
    assert lacking(SourceStatus()) is None
    one = SourceStatus(unreadable=1, lines=((7, "x" * 500, "has 3 fields"),))
    said = lacking(one)
    assert said == f"1 line could not be read: line 7 has 3 fields: {'x' * 80}"
    many = lacking(SourceStatus(unreadable=1234, lines=one.lines))
    assert many is not None
    assert many.startswith("1,234 lines could not be read")
    assert lacking(SourceStatus(unreadable=2)) is not None


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (io.StringIO, "livetable: reading a␛[2J.csv 75%\n"),
        (Screen, "\rlivetable: reading a␛[2J.csv 50% \rlivetable: reading a␛[2J.csv 75% \r\x1b[K"),
    ],
)
def test_how_much_is_read_is_said_if_it_takes_a_while(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], said: str
) -> None:
    now = 100.0
    screen = stream()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(read_loop, "time", SimpleNamespace(monotonic=lambda: now))
    progress = read_loop._Progress()
    for done, seconds in ((0.25, 1.5), (0.5, 0.1), (0.75, 5.0)):
        progress.show("a\x1b[2J.csv", done)
        assert progress.done == done
        now += seconds
    progress.show("a\x1b[2J.csv", 0.75)
    progress.end()
    assert progress.done is None
    progress.end()
    assert screen.getvalue() == said
