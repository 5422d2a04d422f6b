"""Whitespace-separated columns, where each line is a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from livetable.feed.arrow.quantities import PATTERN as QUANTITY
from livetable.feed.sources.bad_lines import BadLine
from livetable.feed.sources.printed_table import (
    VALUE,
    Layout,
    Printed,
    cut_at,
)

_SEVERAL_WORDS: Final = re.compile(
    r"\b(?:(?:Local|Peer|Foreign) Address|Program name|Mounted on|CONTAINER ID|(?:IMAGE|NETWORK) ID"
    r"|VOLUME NAME|CREATED AT|LAST SEEN|NOMINATED NODE|READINESS GATES|MEM USAGE / LIMIT"
    r"|(?:NET|BLOCK) I/O|(?:CPU|MEM) %)"
)
"""Headings of several words that common commands print."""


_JOINED: Final = "\x1f"


def by_blanks(lines: list[str], number: int) -> Printed | None:
    """Return the table of whitespace-separated columns, None if the lines are not one.

    Args:
        lines: The lines of one block of the output.
        number: The number of the first of them in the output.
    """
    if len(lines) < 2:
        return _heading_alone(lines, number)
    lines, number = _without_title(lines, number)
    if len(lines) < 2:
        return None
    if _is_row(lines[0]):
        return _without_header(lines)
    # Join these headings: a single line of values does not show that they are one each.
    header = _SEVERAL_WORDS.sub(lambda heading: heading.group().replace(" ", _JOINED), lines[0])
    spans = best_spans([header, *lines[1:]])
    header = lines[0]
    if spans is None:
        return _by_words(lines, number) if _is_heading(lines) else None
    if not _is_heading(lines):
        return None
    spans, names = _parted(spans, header, lines[1:])
    layout = Layout(header, len(names), spans)
    rows, bad = [], []
    for line_number, line in enumerate(lines[1:], number + 1):
        cells = cut_at(line, spans)
        if cells is None:
            cells = layout.cut(line)
        if cells is None:
            bad.append(
                BadLine(line_number, line, f"doesn't have the {len(names)} columns of the header")
            )
        else:
            rows.append(cells)
    return Printed(names, rows, layout, bad)


def _parted(
    spans: tuple[tuple[int, int], ...], header: str, rows: Sequence[str]
) -> tuple[tuple[tuple[int, int], ...], list[str]]:
    """Return columns and their headings. Split the last column if it has two headings.

    E.g. ``PCPU WHAT`` above ``0.00s vim notes.txt``: a number, and then words.
    """
    names: list[str] = []
    for column, (start, stop) in enumerate(spans):
        if column and start <= len(header) and header[start - 1 : start] not in ("", " "):
            # One heading above two columns: it names the first.
            names[-1] = header[spans[column - 1][0] : stop or None].strip()
            names.append("")
        else:
            names.append(header[start : stop or None].strip())
    start = spans[-1][0]
    words = names[-1].split()
    parts = [row[start:].split(None, 1) for row in rows]
    if len(words) == 2 and all(len(part) == 2 for part in parts):
        sizes = {len(row[start:]) - len(row[start:].lstrip()) + len(part[0])
                 for row, part in zip(rows, parts, strict=True)}  # fmt: skip
        numbers = all(re.fullmatch(QUANTITY, first) for first, _ in parts)
        if numbers and len(sizes) == 1 and not all(VALUE.match(rest) for _, rest in parts):
            edge = start + sizes.pop() + 1
            return (*spans[:-1], (start, edge), (edge, 0)), [*names[:-1], *words]
    return spans, names


def _without_title(lines: list[str], number: int) -> tuple[list[str], int]:
    """Return lines without a title or a total above the header."""
    first, second = lines[0], lines[1]
    if re.fullmatch(r"total \d+(?:[.,]\d+)?[kKMGT]?", first.strip()):
        return lines[1:], number + 1
    ruled = len(re.findall(r"(?<!\S)-+\w+-+(?!\S)", first)) > 1
    if len(lines) > 2 and ruled and not _is_row(second):
        return lines[1:], number + 1  # vmstat: procs ---memory---
    # A title has no columns: without it the lines have more.
    widths = [_width(lines[skip:]) for skip in range(min(3, len(lines) - 1))]
    best = max(range(len(widths)), key=lambda skip: widths[skip] * (not _is_row(lines[skip])))
    spans = best_spans(lines[best:]) if best and widths[best] > widths[0] else None
    if spans is not None and all(cut_at(line, spans) is None for line in lines[:best]):
        return lines[best:], number + best
    return lines, number


def _width(lines: Sequence[str]) -> int:
    """Return the number of columns of lines with a header, 0 if they have none."""
    spans = best_spans(lines)
    return 0 if spans is None else len(spans)


def _is_row(line: str) -> bool:
    """Tell whether a line holds a value: then it is not a header."""
    return any(VALUE.fullmatch(word) for word in line.split())


def _heading_alone(lines: Sequence[str], number: int) -> Printed | None:
    """Return the columns of a table without rows, e.g. of `docker ps` if nothing runs."""
    if not lines:
        return None
    names = re.split(r" {2,}", lines[0].strip())
    if len(names) < 2 or not all(name.split()[0][0].isupper() for name in names):
        return None
    return Printed(names, [], Layout(lines[0], len(names)))


def _is_heading(lines: Sequence[str]) -> bool:
    """Tell whether the first line names columns.

    Headings begin with capitals, or have numbers below them.
    """
    words = [word for word in lines[0].split() if any(map(str.isalpha, word))]
    capitals = sum(next(filter(str.isalpha, word)).isupper() for word in words)
    ends = lines[0].rstrip().endswith((":", ".", ",")) or (words and words[0].endswith(":"))
    if words and 2 * capitals > len(words) and not ends:
        return True
    counted = [sum(map(bool, map(VALUE.fullmatch, line.split()))) for line in lines[1:]]
    most = [
        2 * count >= len(line.split()) - 1 for count, line in zip(counted, lines[1:], strict=True)
    ]
    return bool(words) and not ends and all(most) and sum(counted) > 0


def _without_header(lines: list[str]) -> Printed | None:
    spans = _blank_spans(["", *lines])
    if spans is None or len(spans) < 2:
        return None
    rows = [cut_at(line, spans) or [] for line in lines]
    names = [str(number) for number in range(1, len(spans) + 1)]
    return Printed(names, rows, Layout(None, len(spans), spans))


def _by_words(lines: list[str], number: int) -> Printed | None:
    """Split at blanks. The last column takes the rest of the line."""
    names = lines[0].split()
    if all(line.split()[0].endswith(":") for line in lines[1:]):
        names = ["", *names]  # /proc/interrupts: lines begin with a name
    count = len(names)
    if count < 2:
        return None
    layout = Layout(lines[0], count)
    rows, bad, more = [], [], 0
    for line_number, line in enumerate(lines[1:], number + 1):
        cells = line.split(None, count - 1)
        if len(cells) == count:
            more += len(cells[-1].split()) > 1
            rows.append(cells)
        else:
            bad.append(BadLine(line_number, line, f"has {len(cells)} of {count} values"))
    if len(bad) > len(rows):
        return None
    note = None
    if more:
        note = f"{more:,} lines have more values than the header: the last column has the rest"
    return Printed(names, rows, layout, bad, note)


def best_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return where columns are: the result with the most columns."""
    candidates = [
        spans for spans in (_header_spans(lines), _blank_spans(lines))
        if spans is not None and len(spans) > 1
    ]  # fmt: skip
    by_gaps = _gap_count(lines)
    best = max(candidates, key=len, default=None)
    if best is not None and len(best) >= by_gaps:
        return best
    return None if by_gaps < 2 else best


def _gap_count(lines: Sequence[str]) -> int:
    """Return the number of fields separated by two or more blanks, 0 if lines differ."""
    counts = {len(re.split(r" {2,}", line.strip())) for line in lines}
    return counts.pop() if len(counts) == 1 else 0


def _header_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return columns that begin where their headings do, None if a line has others."""
    header = lines[0]
    starts = [match.start() for match in re.finditer(r"(?:(?<= {2})|^)\S", header)]
    if len(starts) < 2:
        return None
    starts[0] = 0
    for line in lines[1:]:
        for start in starts[1:]:
            if start < len(line) and line[start - 1] != " ":
                return None
    spans = tuple(zip(starts, [*starts[1:], 0], strict=True))
    # Two blanks in a cell: these are two columns, with headings elsewhere.
    if any("  " in cell for line in lines[1:] for cell in cut_at(line, spans) or ()):
        return None
    return spans


def _blank_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return columns that are separated by blanks in all lines."""
    # Long, as each rule about a heading continues where the rule before it ended.
    if any(not line.isascii() and is_wide(line) for line in lines):
        return None  # one character takes two cells
    header, rows = lines[0], lines[1:]
    columns: list[list[int]] = []
    waiting: int | None = None
    for start, stop in _used_spans(lines):
        says = header[start:stop].strip()
        if columns and header:
            last = columns[-1]
            alone = not any(row[last[0] : last[1]].strip() for row in rows)
            if (
                alone
                and says
                and not says.isupper()
                and len(header[last[0] : start].rstrip()) == start - last[0] - 1
            ):
                last[1] = stop  # "Peer Address" above right-aligned values
                continue
            gap = header[columns[-1][0] : start]
            one_blank = len(gap) - len(gap.rstrip()) <= 1
            empty = not any(row[start:stop].strip() for row in rows)
            if not says and _is_right_aligned(columns[-1], header, rows):
                waiting = waiting or start  # the next heading is above its right end
                continue
            if not says or (empty and one_blank and not says.isupper()):
                columns[-1][1] = stop
                continue
            if waiting is not None:
                start, waiting = waiting, None
            before = header[columns[-1][0] : columns[-1][1]].strip()
            if not before and len(columns) == 1 and not any(
                row[columns[0][0] : columns[0][1]].strip() for row in rows
            ):  # fmt: skip
                columns[-1] = [start, stop]
                continue
        columns.append([start, stop])
    if waiting is not None:
        return None
    shifted = any("  " in line[start:stop].strip() for start, stop in columns[:-1] for line in rows)
    if shifted or any("  " in header[start:stop].strip() for start, stop in columns):
        return None  # values wider than their heading have shifted the rest of the line
    columns = [part for span in columns for part in _glued(span, header, rows)]
    if len(columns) < 2:
        return None
    starts = [0, *(start for start, _ in columns[1:])]
    return tuple(zip(starts, [*starts[1:], 0], strict=True))


def _used_spans(lines: Sequence[str]) -> list[list[int]]:
    """Return the ranges of positions at which at least one line is not blank."""
    used = {place for line in lines for place, sign in enumerate(line) if sign != " "}
    spans: list[list[int]] = []
    for place in sorted(used):
        if place - 1 in used:
            spans[-1][1] = place + 1
        else:
            spans.append([place, place + 1])
    return spans


def _is_right_aligned(span: Sequence[int], header: str, rows: Sequence[str]) -> bool:
    """Tell whether a column is right-aligned: then the text after it is another column's."""
    start, stop = span
    cells = [row[start:stop] for row in rows if row[start:stop].strip()]
    heading = header[start:stop].rstrip()
    if not heading.strip() or len(heading) != stop - start or not cells:
        return False
    # All cells end below the heading's end, and not all begin below its beginning.
    return all(len(cell.rstrip()) == stop - start for cell in cells) and any(
        len(cell) - len(cell.lstrip()) != len(heading) - len(heading.lstrip()) for cell in cells
    )


def _glued(span: list[int], header: str, rows: Sequence[str]) -> list[list[int]]:
    """Split a span where all rows have two blanks below the middle of a heading.

    `ss` prints two headings as one word: Address:PortProcess.
    """
    start, stop = span
    parts = [row[start:stop].ljust(stop - start) for row in rows]
    blank = "".join(" " if all(part[place] == " " for part in parts) else "x"
                    for place in range(stop - start))  # fmt: skip
    gap = re.search(r"(?<=x) {2,}(?=x)", blank)
    if gap is None or " " in header[start + gap.start() : start + gap.end()] or not header:
        return [span]
    return [[start, start + gap.start()], [start + gap.end(), stop]]


def is_wide(line: str) -> bool:
    """Tell whether a line has characters that take two terminal cells, or none."""
    return any(unicodedata.east_asian_width(sign) in "WF" or unicodedata.combining(sign)
               for sign in line)  # fmt: skip
