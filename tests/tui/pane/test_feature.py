"""tui.pane.feature: what a feature has that does nothing by itself."""

from __future__ import annotations

import pytest

from livetable.tui.pane.feature import Feature, following
from livetable.tui.pane.feature_pane import FeaturePane
from tests.tui.stage import frame, last_note, stage


def test_a_feature_without_hooks_does_nothing() -> None:
    feature = Feature(FeaturePane())
    feature.on_table(frame({"a": 1}))
    feature.on_painted(frame({"a": 1}))
    assert not feature.problems()
    assert not feature.idle_actions()
    assert not feature.back()
    feature.close()


def test_the_value_after_the_last_is_the_first() -> None:
    assert following("abc", "a") == "b"
    assert following("abc", "c") == "a"
    with pytest.raises(ValueError, match="not in list"):
        following("abc", "d")


async def test_a_notice_shows_what_it_says() -> None:
    async with stage() as on:
        feature = Feature(on.pane)
        feature.say("[bold]a[/bold]")
        await on.until(lambda: last_note(on) == "[bold]a[/bold]")
        on.pane.table_view.go_to(0, 2)
        under = feature.under_cursor()
        assert under is not None
        assert under[1:] == (2, ("cpu %", 0))
