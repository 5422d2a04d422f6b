"""tests.soak: what it finds; and a short form of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import soak

FEW = [(30, 9)] * 9


def test_what_is_flat() -> None:
    assert soak.wrong([100.0, 120, 130, 131, 130, 131, 130, 132, 131], FEW, 32) == []


def test_what_is_not() -> None:
    (grown,) = soak.wrong([100.0 + 3 * at for at in range(9)], FEW, 32)
    assert grown == "it grew from 112.0 to 121.0 MB in the last third of the time"
    (large,) = soak.wrong([33.0 + soak.ROOM] * 9, FEW, 32)
    assert large == f"it held {33 + soak.ROOM:.0f} MB, more than 32 + {soak.ROOM:.0f}"
    (fds,) = soak.wrong([100.0] * 9, [(30 + at, 9) for at in range(9)], 32)
    assert fds.startswith("its descriptors grew")
    (threads,) = soak.wrong([100.0] * 9, [(30, 9 + at) for at in range(9)], 32)
    assert threads.startswith("its threads grew")
    assert soak.wrong([100.0] * 9, [(30, 9 + (at > 3)) for at in range(9)], 32) == []  # a pool's


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_used_viewer_does_not_grow(runtime_folder: Path) -> None:
    assert soak.soak(runtime_folder, 180, history=8, times=1, pause=0.05) == []
