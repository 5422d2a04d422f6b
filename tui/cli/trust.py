"""Asks whether to trust a feed's key: once, before the screen is taken."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from livetable.feed.base.command_line import say_plainly
from livetable.feed.base.terminal_text import harmless
from livetable.feed.curve import introduction, keys
from livetable.feed.errors import BadKey
from livetable.tui.target import Target


def settle_keys(targets: Sequence[Target], given: str | None) -> None:
    """Make sure that the feeds to be read over TCP are trusted, if they have keys.

    Args:
        targets: The tables to show.
        given: A feed's key from the command line.

    Raises:
        BadKey: a feed is not trusted, or there is no terminal to ask on; or its key has changed.
    """
    endpoints = [one.endpoint for one in targets if one.endpoint is not None]
    endpoints = [one for one in dict.fromkeys(endpoints) if one.startswith("tcp://")]
    if given is not None:
        keys.trust(endpoints[0], keys.read_key(given))
        return
    for endpoint in endpoints:
        if keys.known_feed(endpoint) is None:
            key = introduction.ask(endpoint)
            if key is not None:
                _ask(endpoint, key)


def _ask(endpoint: str, key: bytes) -> None:
    text = keys.key_text(key)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadKey(
            f"{endpoint} has an unknown key. If it is the feed's, run "
            f"livetable --feed-key '{text}' {endpoint}"
        )
    say_plainly(
        f"This is the first connection to {harmless(endpoint)}. Its key is\n\n"
        f"    {text}\n\n"
        "If `livetable-feed key` prints the same key there, the key is genuine."
    )
    say_plainly("Trust it from now on? [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadKey(f"{endpoint} is not trusted. Nothing was read from it")
    keys.trust(endpoint, key)
