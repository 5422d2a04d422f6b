"""livetable.feed.sources.text_form: a text's beginning tells how it is read."""

from __future__ import annotations

import pytest

from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.text_form import form_of


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"a,b\n1,2\n", "csv"), (b"a;b\n1;2\n", "csv"), (b"a\tb\n1\t2\n", "tsv"),
        (b'{"a":1}\n', "jsonl"), (b"[1]\n", "json"), (b"{\n", "json"), (b"word\nx\n", "csv"),
        (b"A   B\n1   2\n", "printed"), (b"4.0K\t./x\n", "printed"), (b"7\n8\n", "printed"),
        (b"+---+---+\n| a | b |\n", "printed"), (b"# TYPE x gauge\nx 1\n", "printed"),
        (b" 10:00 up 1 day,  1 user\nUSER  TTY\na  b\n", "printed"), (b"\x1b[1mA B\n", "printed"),
    ],
)  # fmt: skip
def test_forms_are_told_by_the_beginning(text: bytes, form: str) -> None:
    assert form_of(text, TextOptions(), last=False)[0] == form
