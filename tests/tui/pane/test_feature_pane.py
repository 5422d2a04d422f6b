"""tui.pane.feature_pane: its features are one thing to Textual."""

from __future__ import annotations

from textual.binding import Binding

from livetable.tui.pane.feature import bindings_of
from livetable.tui.pane.feature_pane import FEATURES, FeaturePane
from livetable.tui.pane.groups import Groups
from tests.tui.stage import last_note, stage


def test_no_two_features_have_the_same_key_or_action() -> None:
    bindings = [one for one in bindings_of(*FEATURES) if isinstance(one, Binding)]
    keys = [key for one in bindings for key in one.key.split(",")]
    assert len(keys) == len(set(keys))
    actions = [name for kind in FEATURES for name in vars(kind) if name.startswith("action_")]
    assert len(actions) == len(set(actions))


def test_each_key_has_an_action_of_the_pane() -> None:
    pane = FeaturePane()
    for binding in bindings_of(*FEATURES):
        assert isinstance(binding, Binding)
        assert callable(getattr(pane, f"action_{binding.action.partition('(')[0]}"))
    assert isinstance(pane.feature(Groups), Groups)


async def test_keys_of_the_table_are_off_while_a_text_is_typed() -> None:
    async with stage() as on:
        pane = on.pane
        assert pane.check_action("sort", (False,))
        assert pane.check_action("quit", ())  # another's
        await on.press("f")
        assert not pane.check_action("sort", (False,))
        assert pane.check_action("quit", ())
        await on.press("escape")
        assert pane.check_action("sort", (False,))


async def test_esc_closes_one_thing_at_a_time() -> None:
    async with stage() as on:
        await on.press("right", "right", "right", "b")
        await on.press("i", "space")
        pane, seen = on.pane, []
        while True:
            seen.append(
                (pane.panels.is_open, pane.state.paused_at is not None, bool(pane.chosen().groups))
            )
            if not pane.back():
                break
        assert seen == [
            (True, True, True), (False, True, True), (False, False, True), (False, False, False),
        ]  # fmt: skip


async def test_what_needs_groups_is_idle_without_them() -> None:
    async with stage() as on:
        assert on.pane.idle_actions == {"ungroup", "total"}
        await on.press("A")
        assert "Press b to group first" in last_note(on)
        await on.press("b")
        assert on.pane.idle_actions == frozenset()
