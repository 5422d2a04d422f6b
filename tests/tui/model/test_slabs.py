"""livetable.tui.model.slabs: memory for small bodies of frames."""

from __future__ import annotations

import gc
import weakref

import pytest

from livetable.tui.model.slabs import MOST, SLAB, Slabs


def test_bodies_stay_what_they_are() -> None:
    slabs = Slabs()
    sizes = [1, 63, 64, 65, 8000, MOST, MOST, MOST, MOST, MOST, 7]
    kept = [slabs.keep(bytes([at]) * size) for at, size in enumerate(sizes)]
    assert [bytes(body) for body in kept] == [bytes([at]) * n for at, n in enumerate(sizes)]
    assert len({id(memoryview(body).obj) for body in kept}) == 2
    with pytest.raises(TypeError):
        kept[0][0] = 1  # type: ignore[index]


def test_large_ones_and_none_are_not_copied() -> None:
    slabs = Slabs()
    for body in (b"", bytes(MOST + 1)):
        assert slabs.keep(body) is body


def test_a_slab_is_given_back_when_nothing_of_it_is_held() -> None:
    slabs = Slabs()
    first = slabs.keep(bytes(MOST))
    slab = weakref.ref(memoryview(first).obj)
    others = [slabs.keep(bytes(MOST)) for _ in range(2 * SLAB // MOST)]
    assert slab() is not None
    del first
    gc.collect()
    assert slab() is not None  # others lie in it
    del others[: SLAB // MOST]
    gc.collect()
    assert slab() is None
