"""livetable.feed.base.closing: what is left is closed, whatever happened inside."""

from __future__ import annotations

import pytest

from livetable.feed.base.closing import Closing


class Door(Closing):
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_it_is_closed_once_and_an_error_goes_on() -> None:
    with Door() as door:
        assert door.closed == 0
    assert door.closed == 1
    with pytest.raises(ZeroDivisionError), door:
        raise ZeroDivisionError
    assert door.closed == 2


def test_what_says_nothing_of_its_end_has_none() -> None:
    with pytest.raises(NotImplementedError), Closing():
        pass
