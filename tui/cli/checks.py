"""Reads single option values, or refuses them with a sentence that names the option."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, NoReturn

from livetable.feed.base.command_line import fail
from livetable.feed.sources.file_types import path_of

PROGRAM: Final = "livetable"


def read_column_names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    from livetable.tui.query.quoting import split_names, unquoted

    names = split_names(text)
    if not all(names):
        refuse(f"--columns has an empty name: {text!r}")
    return tuple(map(unquoted, names))


def read_sort_keys(text: str | None) -> tuple[tuple[str, bool], ...]:
    if text is None:
        return ()
    from livetable.tui.query.quoting import split_names, unquoted

    keys = []
    for name in split_names(text):
        title, colon, direction = name.rpartition(":")
        if not colon or direction not in ("asc", "desc"):
            title, direction = name, "asc"
        if not title:
            refuse(f"--sort has an empty name: {text!r}")
        keys.append((unquoted(title), direction == "desc"))
    return tuple(keys)


def read_filters(texts: list[str]) -> tuple[str, ...]:
    filters = tuple(text.strip() for text in texts if text.strip())
    if filters:
        from livetable.tui.query.arrange import is_expression
        from livetable.tui.query.expression import parse
        from livetable.tui.query.nodes import BadExpression

        for text in filters:
            try:
                if is_expression(text):  # plain words are searched for: any are valid
                    parse(text, None)
            except BadExpression as error:
                refuse(f"--where {text!r}: {error.sentence}")
    return filters


def check_condition(name: str, text: str | None) -> str | None:
    """Return a condition from the command line, or refuse it."""
    if text is None:
        return None
    from livetable.tui.query.conditions import check_alert
    from livetable.tui.query.nodes import BadExpression

    try:
        check_alert(text)
    except BadExpression as error:
        refuse(f"--{name} {text!r}: {error.sentence}")
    return text


def read_moment_of(text: str | None) -> str | None:
    if text is not None:
        from livetable.tui.text.clock import read_moment

        if read_moment(text, time.time()) is None:
            refuse(f"Can't read --at {text!r} as a time. Use 14:03, 14:03:07 or -30")
    return text


def view_file_of(text: str | None) -> Path | None:
    if text is None:
        return None
    path = path_of(text)
    if not path.parent.is_dir():
        refuse(f"--view: no folder {path.parent}")
    if path.is_dir():
        refuse(f"--view {path} is a folder. Name a file in it")
    return path


def option_of(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def refuse(sentence: str) -> NoReturn:
    fail(PROGRAM, sentence, 2)
