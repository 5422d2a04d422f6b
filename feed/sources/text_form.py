"""Detects the format of a text by its beginning: JSON, CSV etc., or output for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from livetable.feed.errors import LivetableError
from livetable.feed.sources.json_values import loads
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.printed import is_drawn, starts_with_value
from livetable.feed.sources.records import fields_of, separator_of
from livetable.feed.sources.utf8 import Utf8

SNIFFED: Final = 1 << 16
"""The number of first bytes that are read."""


def form_of(
    data: bytes, options: TextOptions, *, last: bool, printed: bool = False
) -> tuple[str, str | None]:
    """Return a text's form by its beginning, and its separator (None: the form's usual one).

    Args:
        data: The beginning.
        options: What was asked for on the command line.
        last: Whether it is all.
        printed: Whether lines of one word are that, without a header: a command printed them.
    """
    if options.sep is not None:
        return "csv", options.sep
    text = Utf8(options.encoding).add(data[:SNIFFED], last=last)
    lines = [line for line in re.split(rb"\r\n|\n|\r", text) if line.strip()]
    if len(lines) > 1 and not (last or text.endswith((b"\n", b"\r"))):
        lines = lines[:-1]
    if not lines:
        return "csv", None
    first = lines[0].strip()
    if first.startswith((b"{", b"[")):
        return _json_form(first, lines), None
    if b"\x1b" in text or any(is_drawn(line.decode("utf-8", "replace")) for line in lines[:8]):
        return "printed", None
    return _delimited_form(lines, first, printed=printed)


def _json_form(first: bytes, lines: Sequence[bytes]) -> str:
    if first.startswith(b"["):
        return "json"
    try:
        value = loads(first)
    except LivetableError:
        # One broken line among others, or the beginning of a document on several lines?
        return "json" if len(first) < 3 or not _is_object(lines[1:2]) else "jsonl"
    return "jsonl" if isinstance(value, dict) else "json"


def _is_object(lines: Sequence[bytes]) -> bool:
    try:
        return any(isinstance(loads(line), dict) for line in lines)
    except LivetableError:
        return False


def _delimited_form(
    lines: Sequence[bytes], first: bytes, *, printed: bool
) -> tuple[str, str | None]:
    if re.match(rb"# (HELP|TYPE|UNIT) ", first):
        return "printed", None
    separator = separator_of(lines, ",")
    counts = [len(fields_of(line, separator)) for line in lines[:20]]
    like_first = sum(count == counts[0] for count in counts)
    enough = 2 * like_first > len(counts) if separator == "," else like_first == len(counts)
    if counts[0] > 1 and enough and not re.search(rb"^[^,]*: |^\d+:\d", first):
        if separator == "\t" and starts_with_value(first.decode("utf-8", "replace")):
            return "printed", None
        return ("tsv", None) if separator == "\t" else ("csv", separator)
    if (
        printed
        or any(re.search(rb"[ \t,]", line) for line in lines)
        or starts_with_value(first.decode("utf-8", "replace"))
    ):
        return "printed", None
    return "csv", ","
