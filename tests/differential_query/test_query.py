"""The differential itself: a few of each kind agree, and what is made wrong is found."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest

from livetable.tui.query import group
from tests.differential_query import arranged, expressions, shown
from tests.differential_query.__main__ import KINDS, run


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_of_each_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compared, differences = run(kind, 8, 1)
    assert differences == 0, capsys.readouterr().out
    assert compared > 2


def some(compare: Any) -> str | None:
    """Return the first difference that a comparison finds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = (compare(random.Random(seed)) for seed in range(60))
        return next((one for one in found if one), None)


def test_what_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(expressions, "mask_of", lambda *_: np.zeros(1, dtype=bool))
        assert "livetable" in (some(expressions.compare) or "")
    with monkeypatch.context() as patched:
        patched.setattr(group, "as_key", lambda values: values[::-1])
        assert "group" in (some(arranged.group) or "")
    with monkeypatch.context() as patched:
        patched.setattr(shown, "containing", lambda *_: np.zeros(12, dtype=bool))
        assert "misses" in (some(shown.search) or "")
