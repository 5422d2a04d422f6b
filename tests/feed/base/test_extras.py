"""livetable.feed.base.extras: a package that is missing is one sentence."""

from __future__ import annotations

import pytest

from livetable.feed.base.extras import MissingExtra, need


def test_a_missing_extra_is_one_sentence() -> None:
    with pytest.raises(
        MissingExtra, match=r'flying needs one more package: pip install "livetable\[x\]"'
    ):
        need("no_such_package_at_all", "x", "flying")
