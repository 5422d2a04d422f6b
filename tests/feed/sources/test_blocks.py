"""livetable.feed.sources.blocks: what was read of a file, and whether it still stands there."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.sources import blocks
from livetable.feed.sources.blocks import SAMPLES, Blocks


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 400), st.integers(0, 255))
def test_a_byte_that_changed_is_seen(pieces: list[bytes], at: int, byte: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", 16)
        made = Blocks()
        for piece in pieces:
            made.add(piece)
        data = bytearray(b"".join(pieces))
        assert made.size == len(data)
        assert all(made.holds(io.BytesIO(bytes(data)), number) for number in range(made.count))
        assert all(made.holds(io.BytesIO(bytes(data) + b"x"), one) for one in range(made.count))
        if at < len(data) and data[at] != byte:
            data[at] = byte
            seen = [made.holds(io.BytesIO(bytes(data)), number) for number in range(made.count)]
            assert seen.count(False) == 1
            assert not seen[at // 16]


def test_samples_have_both_ends() -> None:
    made = Blocks()
    assert made.samples() == []
    made._hashes = [0] * (SAMPLES * 3)
    found = made.samples()
    assert (len(set(found)), min(found), max(found)) == (SAMPLES, 0, SAMPLES * 3 - 1)
