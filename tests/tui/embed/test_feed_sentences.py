"""tui.embed.feed_sentences: a widget without a status line says what is not current."""

from __future__ import annotations

import pytest

from livetable.tui.embed.feed_sentences import not_current, nothing_yet
from livetable.tui.model.feed_state import FeedState, Link
from tests.tui.tables import prices


@pytest.mark.parametrize(
    ("link", "note", "says"),
    [
        (Link.LIVE, None, []), (Link.GONE, None, ["✕ gone: orders does not answer"]),
        (Link.CONNECTING, None, ["✕ gone: orders does not answer"]),
        (Link.ENDED, None, ["■ ended"]), (Link.ENDED, "done", ["■ ended: done"]),
    ],
)  # fmt: skip
def test_what_is_not_current_is_said(link: Link, note: str | None, says: list[str]) -> None:
    state = FeedState(link=link, table=prices(a=1), note=note)
    assert list(not_current(state, "orders", None)) == says
    assert list(not_current(state, "orders", ["price"])) == says
    assert list(not_current(state, "orders", ["x", "y"])) == [*says, "No column 'x', 'y'"]


def test_before_the_first_table_it_is_waited_for() -> None:
    assert list(not_current(FeedState(name="orders"), "orders", ["x"])) == []
    assert nothing_yet(FeedState(name="orders")) == "waiting for a table 'orders' …"
    assert nothing_yet(FeedState(name="orders", note="no key")) == "no key"
