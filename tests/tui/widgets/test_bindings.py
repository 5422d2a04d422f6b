"""tui.widgets.bindings: keys have names, by which people change them."""

from __future__ import annotations

from textual.binding import Binding

from livetable.tui.app import all_bindings
from livetable.tui.widgets.bindings import name_of, named, wrong_keys


def test_no_key_does_two_things() -> None:
    used: dict[str, str] = {}
    names: dict[str, str] = {}
    for binding in all_bindings():
        # Space plays a tape as it lets a table go on: one name.
        assert binding.id == name_of(binding.description) or binding.description == "Play/stop"
        assert binding.id is not None
        assert names.setdefault(binding.id, binding.action) == binding.action
        for key in binding.key.split(","):
            assert used.setdefault(key, binding.action) == binding.action, key
    assert len(used) > 80


def test_wrong_keys() -> None:
    bindings = [one for one in named(Binding("s", "a", "Sort"), Binding("x", "b", "Pick a row"))
                if isinstance(one, Binding)]  # fmt: skip
    assert [one.id for one in bindings] == ["sort", "pick-a-row"]
    assert wrong_keys({"sort": "t,ctrl+s"}, bindings) is None
    assert wrong_keys({"sort": "x", "pick-a-row": "s"}, bindings) is None
    assert "No key binding 'none'. Use one of: pick-a-row, sort" in str(
        wrong_keys({"none": "x"}, bindings)
    )
    assert "keys must be a string" in str(wrong_keys({"sort": 1}, bindings))
    assert "x is already the key for sort" in str(wrong_keys({"sort": "x"}, bindings))
