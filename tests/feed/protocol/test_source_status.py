"""livetable.feed.protocol.source_status: a status as JSON and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import WireError
from livetable.feed.protocol.source_status import MOST_LINES, NO_SOURCE, SourceStatus

LINES = st.tuples(st.integers(1, 1 << 40), st.text(max_size=200), st.text(max_size=200))


@given(
    status=st.builds(
        SourceStatus,
        reading=st.none() | st.sampled_from([0.0, 0.25, 1.0]),
        settling=st.booleans(),
        unfinished=st.none() | st.integers(0, 1 << 40),
        checking=st.booleans(),
        unreadable=st.integers(1, 1 << 40),
        lines=st.lists(LINES, max_size=MOST_LINES).map(tuple),
    )
)
def test_a_status_comes_back(status: SourceStatus) -> None:
    assert SourceStatus.from_json(status.to_json()) == status


def test_what_says_nothing_takes_no_bytes() -> None:
    assert NO_SOURCE.to_json() == {}
    assert SourceStatus.from_json({}) == NO_SOURCE


def test_only_the_first_lines_are_sent_and_short() -> None:
    many = SourceStatus(unreadable=30, lines=tuple((at, "x" * 300, "why") for at in range(30)))
    sent = many.to_json()["lines"]
    assert len(sent) == MOST_LINES
    assert sent[0] == [0, "x" * 200, "why"]


@pytest.mark.parametrize(
    "value", [None, [], {"reading": -1}, {"lines": 5}, {"lines": [[]] * 21}, {"lines": [[1, "a"]]},
              {"lines": [[-1, "a", "b"]]}, {"unfinished": "1"}, {"unreadable": 1.5}],
)  # fmt: skip
def test_wrong_statuses(value: Any) -> None:
    with pytest.raises(WireError):
        SourceStatus.from_json(value)
