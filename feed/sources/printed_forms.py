"""Reads output that is not in whitespace-separated columns: tabs, `ls -l`, boxes, Prometheus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.blank_columns import is_wide
from livetable.feed.sources.printed_table import (
    BORDER,
    COUNT,
    RULE,
    SIDES,
    VALUE,
    Layout,
    Printed,
    cut_at,
)


def read_tabbed(text: str) -> Printed | None:
    """Return tab-separated lines. There is no header if the first field is a value."""
    lines = [line for line in text.splitlines() if line.strip()]
    counts = {line.count("\t") for line in lines}
    if len(counts) != 1 or counts == {0}:
        return None
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines]
    if VALUE.fullmatch(rows[0][0]):
        return Printed([str(number) for number in range(1, len(rows[0]) + 1)], rows)
    return Printed(rows[0], rows[1:])


_MODE: Final = re.compile(r"[-dlbcpsDC][-rwxsStT]{9}[.+@]?\s")


def read_listing(lines: list[str]) -> Printed | None:
    """Return the output of `ls -l`: no header, and names can have blanks."""
    body = lines[1:] if lines and lines[0].startswith("total ") else lines
    if not body or not all(map(_MODE.match, body)):
        return None
    names = ["mode", "links", "owner", "group", "size", "modified", "name"]
    rows = []
    for line in body:
        fields = re.fullmatch(
            r"(\S+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\d+,\s*\d+|\S+)\s+"
            r"(\w{3}\s+\d+\s+[\d:]+|\d+ \w{3}\s+[\d:]+|\d{4}-\d\d-\d\d[ T][\d:.]+(?: [-+]\d{4})?"
            r"|\d\d-\d\d \d\d:\d\d|\d{4}-\d\d-\d\d)\s(.*)",
            line,
        )
        if fields is None:
            return None
        rows.append([part.strip() for part in fields.groups()])
    return Printed(names, rows)


def read_ruled(lines: list[str], number: int) -> Printed | None:
    """Return a table with a rule below its header that shows where the columns are."""
    below = next((row for row, line in enumerate(lines[1:8], 1) if RULE.fullmatch(line)), None)
    if below is None:
        return None
    header, rule, body = lines[below - 1], lines[below], lines[below + 1 :]
    crossed = [place for place, sign in enumerate(rule) if sign in "+|┼╪"]
    framed = crossed and all(place < len(header) and header[place] in SIDES for place in crossed)
    if framed:
        sides = header[0] in SIDES
        edges = [*([] if sides else [-1]), *crossed]
        edges = edges if sides and edges[-1] == len(rule) - 1 else [*edges, 0]
        spans = tuple((start + 1, stop) for start, stop in pairwise(edges))
    else:
        # dpkg prints runs of = with a - between the columns.
        mark = r"[=+]+" if "=-=" in rule else r"[-=─━]+"
        runs = [run.span() for run in re.finditer(mark, rule)]
        if len(runs) < 2:
            return None
        starts = [0, *(start for start, _ in runs[1:])]
        spans = tuple(zip(starts, [*starts[1:], 0], strict=True))
    rows, bad = [], []
    for line_number, line in enumerate(body, number + below + 1):
        if RULE.fullmatch(line) or COUNT.fullmatch(line.strip()):
            continue
        edged = framed and any(place < len(line) and line[place] not in SIDES for place in crossed)
        cells = [line[start : stop or None].strip() for start, stop in spans]
        if edged or (not framed and cut_at(line, spans) is None):
            bad.append(BadLine(line_number, line, "does not fit the columns of the header"))
        else:
            rows.append(cells)
    names = [header[start : stop or None].strip() for start, stop in spans]
    return Printed(names, rows, Layout(header, len(names), spans), bad)


def read_box(lines: Sequence[str]) -> Printed | None:
    """Return a table in a box, e.g. from a database or `aws`; if there are several, the last."""
    borders = [row for row, line in enumerate(lines) if BORDER.fullmatch(line)]
    if len(borders) < 2:
        return None
    records = _records_in(lines[borders[0] : borders[-1] + 1])
    if not records:
        return None
    counts = [len(cells) for _, cells in records]
    count = max(counts)
    if count < 2 and len(records) < 2:
        return None
    header = next(row for row, (_, cells) in enumerate(records) if len(cells) == count)
    head_part = records[header][0]
    titles = [cells for _, cells in records[:header] if len(cells) != 1]
    rest = [cells for _, cells in records[header + 1 :]]
    if titles or any(len(cells) != count for cells in rest):
        return None
    if any(part == head_part for part, _ in records[header + 1 :]):
        return None  # a header of several lines
    return Printed(records[header][1], rest)


def _records_in(inside: Sequence[str]) -> list[tuple[int, list[str]]] | None:
    """Return each line of a box as the number of its part and its cells; None if it is no box."""
    records: list[tuple[int, list[str]]] = []
    part = 0
    places: list[int] | None = None
    for row, line in enumerate(inside):
        if BORDER.fullmatch(line):
            if records and records[-1][0] == part:
                part += 1
            crossed = [place for place, sign in enumerate(line) if sign in "+┬┼┴╦╬╩╤╪╧┳╋┻╒┌╔╭┏├╠╞┣"
                       or sign in "┐┤┘╗╣╝╕╡╛┓┫┛╮╯└╰╚╘┗|"]  # fmt: skip
            if len(crossed) > 2 or places is None:
                places = crossed if len(crossed) > 1 else places
            continue
        text = line.strip()
        if not text or text[0] not in SIDES:
            if text and row:
                return None
            continue
        cells = _between(line, places) or [
            cell.strip() for cell in re.split(rf"[{SIDES}]", text)[1:-1]
        ]
        records.append((part, cells))
    return records


def _between(line: str, places: Sequence[int] | None) -> list[str] | None:
    """Return the cells between a box's sides, if these are below the border's corners."""
    if places is None or len(places) < 2 or is_wide(line):
        return None
    if any(place >= len(line) or line[place] not in SIDES for place in places):
        return None
    if line[places[-1] + 1 :].strip():
        return None  # the row has columns beyond the border's last corner
    return [line[start + 1 : stop].strip() for start, stop in pairwise(places)]


_SAMPLE: Final = re.compile(
    r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+"
    r"([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))(?:\s+(-?[0-9.]+))?(?:\s+#.*)?\s*"
)


_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


_UNESCAPED: Final = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read_prometheus(text: str) -> Printed | None:
    """Return metrics in Prometheus' text format, a row for each sample."""
    if not re.match(
        r"\s*(?:# (?:HELP|TYPE|UNIT|EOF)\b|[a-zA-Z_:][\w:]*(?:\{[^{}]*\})? [-+0-9NI])", text
    ):
        return None
    samples: list[tuple[str, dict[str, str], str, str]] = []
    described = "# TYPE" in text or "# HELP" in text
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        sample = _SAMPLE.fullmatch(line)
        if sample is None or not (described or sample[2]):
            return None
        labels, rest = {}, sample[2] or ""
        while rest.strip():
            pair = _LABEL.match(rest)
            if pair is None:
                return None
            labels[pair[1]] = re.sub(
                r'\\[\\"n]', lambda escape: _UNESCAPED[escape.group()], pair[2]
            )
            rest = rest[pair.end() :]
        samples.append((sample[1], labels, sample[3], sample[4] or ""))
    if not samples:
        return None
    keys = list(dict.fromkeys(key for _, labels, _, _ in samples for key in labels))
    timed = any(time for *_, time in samples)
    names = ["metric", *keys, "value", *(["timestamp"] if timed else [])]
    rows = [
        [metric, *(labels.get(key, "") for key in keys), value, *([time] if timed else [])]
        for metric, labels, value, time in samples
    ]
    return Printed(names, rows)
