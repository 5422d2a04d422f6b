"""tui.embed.features: names of features, and what they stand for."""

from __future__ import annotations

import pytest

from livetable.tui.embed.features import KINDS, kinds_of
from livetable.tui.pane.feature_pane import FEATURES
from livetable.tui.pane.filters import Filters
from livetable.tui.pane.sorting import Sorting


def test_each_feature_of_a_pane_has_one_name() -> None:
    named = [kind for kinds in KINDS.values() for kind in kinds]
    assert sorted(map(repr, named)) == sorted(map(repr, FEATURES))


def test_names_stand_for_features() -> None:
    assert kinds_of(["sort", "filter"]) == {Sorting, Filters}
    assert kinds_of("sort") == {Sorting}
    assert kinds_of(()) == frozenset()


@pytest.mark.parametrize("wrong", [["sorting"], None, 5, [5]])
def test_what_is_unknown_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="the features are sort, filter, search"):
        kinds_of(wrong)  # type: ignore[arg-type]
