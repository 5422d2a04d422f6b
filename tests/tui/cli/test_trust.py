"""tui.cli.trust: a feed's key is asked for once, and nothing is read before somebody trusts it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from livetable.feed.curve import introduction, keys
from livetable.feed.errors import BadKey
from livetable.tui.cli.trust import settle_keys
from livetable.tui.target import Target

KEY, OTHER = bytes(range(32)), bytes(32)
FEED = Target("tcp://feed.example:5555", "orders")


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every feed show its key; give which were asked for it."""
    asked: list[str] = []

    def ask(endpoint: str, seconds: float = 0.3) -> bytes | None:
        asked.append(endpoint)
        return KEY if "plain" not in endpoint else None

    monkeypatch.setattr(introduction, "ask", ask)
    return asked


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Typed]:
    """Give what lets somebody type an answer; it gives what the person sees."""

    def answer(text: str) -> Typed:
        screen = Typed()
        monkeypatch.setattr("sys.stdin", Typed(text))
        monkeypatch.setattr("sys.stderr", screen)
        return screen

    return answer


@pytest.mark.parametrize("answer", ["y\n", " YES \n"])
def test_a_key_is_asked_for_once(
    shown: list[str], types: Callable[[str], Typed], answer: str
) -> None:
    screen = types(answer)
    settle_keys([FEED, Target(FEED.endpoint, "prices"), FEED], None)
    assert shown == [FEED.endpoint]
    assert keys.known_feed(FEED.endpoint or "") == KEY
    assert f"\n    {keys.key_text(KEY)}\n" in screen.getvalue()
    assert screen.getvalue().endswith("[y/N] ")
    screen = types("")
    settle_keys([FEED], None)  # by now it is known
    assert (screen.getvalue(), len(shown)) == ("", 1)


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n", "j\n"])
def test_whatever_is_not_yes_is_no(
    shown: list[str], types: Callable[[str], Typed], answer: str
) -> None:
    types(answer)
    with pytest.raises(BadKey, match=r"is not trusted\. Nothing was read"):
        settle_keys([FEED], None)
    assert keys.known_feed(FEED.endpoint or "") is None


def test_where_nobody_can_be_asked_it_says_what_to_write(
    shown: list[str], types: Callable[[str], Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in ("sys.stdin", "sys.stderr"):  # either is no terminal
        types("y\n")
        monkeypatch.setattr(stream, io.StringIO("y\n"))
        with pytest.raises(BadKey) as caught:
            settle_keys([FEED], None)
        assert f"livetable --feed-key '{keys.key_text(KEY)}' {FEED.endpoint}" in str(caught.value)
    assert keys.known_feed(FEED.endpoint or "") is None


def test_a_key_of_the_command_line_is_taken_as_it_is(shown: list[str]) -> None:
    settle_keys([FEED], keys.key_text(OTHER))
    assert keys.known_feed(FEED.endpoint or "") == OTHER
    assert shown == []
    with pytest.raises(BadKey, match="is not a key"):
        settle_keys([Target("tcp://feed.example:5556")], "curve25519 nonsense")
    with pytest.raises(BadKey):  # it is known by another one
        settle_keys([FEED], keys.key_text(KEY))
    assert keys.known_feed(FEED.endpoint or "") == OTHER


def test_only_feeds_elsewhere_have_keys(shown: list[str], types: Callable[[str], Typed]) -> None:
    types("n\n")
    settle_keys([Target(), Target(None, "orders"), Target("ipc:///tmp/x")], None)
    assert shown == []
    settle_keys([Target("tcp://plain.example:1")], None)  # it shows none
    assert shown == ["tcp://plain.example:1"]
