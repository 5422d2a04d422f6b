"""tui.cli.options: each option reaches the feed and the browser, or says that it does not."""

from __future__ import annotations

import pytest

from livetable.feed.cli import main as feed_command
from livetable.tui.cli.options import REACH, Browser, build_parser, for_browser, for_feed, is_given
from livetable.tui.cli.web import command_for
from livetable.tui.target import Target


def all_options() -> dict[str, str]:
    """Return each option of the parser with how it may be written, by the name of its value."""
    values = {
        "columns": "=a", "where": "=x > 1", "sort": "=a", "stale_after": "=2.0", "view": "=v.toml",
        "history": "=64.0", "feed_key": "=k", "theme": "=textual-light", "web": "=8001",
        "topic": "=t", "key": "=id", "limit": "=5", "sep": "=;", "encoding": "=latin-1",
        "types": "=a=text", "every": "=3.0", "alert": "=x > 1", "alert_command": "=true",
        "record": "=x.tape", "rotate": "=1h", "keep": "=2", "at": "=14:00", "changes_of": "=k",
        "origin": "=/a/b.csv", "format": "=csv", "until": "=x > 1", "timeout": "=5.0",
    }  # fmt: skip
    actions = {one.dest: one for one in build_parser()._actions if one.option_strings}
    del actions["help"], actions["version"]  # they end the command
    return {
        name: max(action.option_strings, key=len) + values.get(name, "")
        for name, action in actions.items()
    }


def test_each_option_says_how_far_it_reaches() -> None:
    # An option that is new belongs into REACH of options.py, or it would be dropped on its way.
    assert set(REACH) == set(all_options()) | {"source"}


@pytest.mark.parametrize("name", all_options())
def test_an_option_reaches_the_feed_and_the_browser(name: str) -> None:
    text = all_options()[name]
    options = build_parser().parse_args([text])
    assert is_given(options, name)
    reach = REACH[name]
    assert for_feed(options) == ([text] if reach.feed else [])
    passed = [text] if reach.browser is Browser.PASSED else []
    assert for_browser(options) == passed
    if name == "origin":
        return  # given by `command_for` itself
    shown = command_for([Target(None, "orders")], options)
    assert shown[3:] == ["--in-browser", *passed, "orders"]
    # What the feed is given, its own parser reads; and so does the viewer of a browser.
    again = feed_command.build_parser().parse_args(["x", *for_feed(options)])
    if reach.feed:
        assert getattr(again, name) == getattr(options, name)
    in_browser = build_parser().parse_args(shown[3:])
    if passed:
        assert getattr(in_browser, name) == getattr(options, name)


def test_a_repeated_option_is_passed_on_each_time() -> None:
    options = build_parser().parse_args(["--topic", "a", "--topic", "b", "--alert", "x > 1"])
    assert for_feed(options) == ["--topic=a", "--topic=b"]
    assert for_browser(options) == ["--topic=a", "--topic=b", "--alert=x > 1"]
