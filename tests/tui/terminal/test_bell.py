"""tui.terminal.bell: an event that a thread can wait for together with its input."""

from __future__ import annotations

import os
import select

import pytest

from livetable.tui.terminal.bell import Bell


def rings(bell: Bell) -> bool:
    return bool(select.select([bell.listen], [], [], 0)[0])


def test_it_rings_until_it_is_cleared() -> None:
    bell = Bell()
    assert (bell.is_set(), rings(bell)) == (False, False)
    bell.set()
    bell.set()
    assert (bell.is_set(), rings(bell)) == (True, True)
    bell.clear()
    assert (bell.is_set(), rings(bell)) == (False, False)
    bell.clear()  # nothing to read, and no wait
    bell.close()


def test_a_bell_that_nobody_hears_does_not_block() -> None:
    bell = Bell()
    for _ in range(100_000):  # more than a pipe holds
        bell.set()
    assert rings(bell)
    bell.close()


def test_after_its_end_it_is_an_event_still() -> None:
    bell = Bell()
    bell.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(bell.listen)
    bell.set()
    assert bell.is_set()
    bell.clear()
    bell.close()  # a second time does nothing
    assert not bell.is_set()
