"""What commands print, as records: where the columns are is told by blanks, boxes or lines.

The first line is the header, unless a value stands in it. A table is one block of lines; of several
in a text the longest is meant, and of those with the same header the newest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from livetable.feed.arrow.quantities import PATTERN as QUANTITY

_ESCAPES: Final = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Za-z0-9]"
    r"|\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b[@-Z\\-_=>]"
)
_CLEARED: Final = re.compile(r"(?:\x1b\[[0-3]?J|\x1b\[(?:[01](?:;[01])?)?H|\x1bc)+")
"""What makes a terminal begin a screen anew."""

_VALUE: Final = re.compile(
    QUANTITY.removeprefix("^").removesuffix("$")
    + r"|[0-9][0-9.:/,-]*[0-9]|[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*/?[0-9]+"
)
"""A word that is a value, not a heading."""

_LINE: Final = "line"
_RULE: Final = re.compile(r"[\s\-=─━+|┼╪├┤╞╡╟╢╠╣]*[-=─━]{2}[\s\-=─━+|┼╪├┤╞╡╟╢╠╣]*")
_BORDER: Final = re.compile(
    r"\s*[+┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╭╮╰╯┏┳┓┣╋┫┗┻┛╒╤╕╞╪╡╘╧╛─━═=-]{3,}[+┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╭╮╰╯┏┳┓┣╋┫┗┻┛╒╤╕╞╪╡╘╧╛─━═=\s|-]*"
)
_SIDES: Final = "|│║┃"
_COUNT: Final = re.compile(r"\((?:\d+) rows?\)|\d+ rows? in set.*|Query OK.*")


@dataclass(frozen=True)
class Printed:
    """A table that was printed.

    Attributes:
        names: The columns' names.
        rows: The values, a list a row.
        layout: How further lines are read; None where there can be none.
        unreadable: Lines that are no rows: number from 1, text, why.
        note: What there is to say of how it was read.
    """

    names: list[str]
    rows: list[list[str]]
    layout: Layout | None = None
    unreadable: list[tuple[int, str, str]] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True)
class Layout:
    """Where the columns of lines are.

    Attributes:
        header: The line above them; None if there was none.
        count: How many there are.
        spans: Where each begins and ends; the last goes on to the line's end. None: they are told
            by blanks.
    """

    header: str | None
    count: int
    spans: tuple[tuple[int, int], ...] | None = None

    def cut(self, line: str) -> list[str] | None:
        """Return a line's values; None if nobody can tell which column some of them are of."""
        if self.spans is not None and (cells := _cut(line, self.spans)) is not None:
            return cells
        cells = re.split(r" {2,}|\t", line.strip())
        if len(cells) == self.count:
            return cells
        cells = line.split(None, self.count - 1)
        return cells if len(cells) == self.count else None


# -- a text --------------------------------------------------------------------------------------


def newest_screen(text: str) -> str:
    """Return what was printed since the screen was last cleared, without colours."""
    if "\x1b" not in text:
        return text
    screens = [part for part in _CLEARED.split(text) if plain(part).strip()]
    return plain(screens[-1]) if screens else ""


def plain(text: str) -> str:
    """Return text without what colours it or moves the cursor."""
    return _ESCAPES.sub("", text)


def clears(text: str) -> bool:
    """Tell whether a text begins a screen anew."""
    return _CLEARED.search(text) is not None


def is_drawn(line: str) -> bool:
    """Tell whether a line is part of a box, or the rule below a header."""
    return _BORDER.fullmatch(line) is not None or _RULE.fullmatch(line) is not None


def starts_with_value(line: str) -> bool:
    """Tell whether the first field of a line is a value, not a heading."""
    words = line.split("\t") if "\t" in line else line.split()
    return bool(words) and _VALUE.fullmatch(words[0].strip()) is not None


def read_printed(text: str, known: str | None = None) -> Printed:
    """Return the table in a command's output; its lines, if it is none.

    Args:
        text: The output, without escape sequences.
        known: The header of the table, if it is known.
    """
    lines = [line.rstrip() for line in text.expandtabs().splitlines()]
    if (found := _prometheus(text)) is not None:
        return found
    if (found := _box(lines)) is not None:
        return found
    number, block = _block(lines, known)
    if (found := _listing(block)) is not None or (found := _tabbed(text)) is not None:
        return found
    if (found := _ruled(block, number)) is not None:
        return found
    if (found := _blanks(block, number)) is not None:
        return found
    return as_lines([line for line in lines if line.strip()] or lines)


def as_lines(lines: Sequence[str]) -> Printed:
    """Return text as a table of its lines."""
    return Printed([_LINE], [[line] for line in lines], Layout(None, 1, ((0, 0),)))


def _block(lines: Sequence[str], known: str | None) -> tuple[int, list[str]]:
    """Return the lines of the table among all, and the number of its first one, from 1."""
    blocks: list[tuple[int, list[str]]] = []
    fresh = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            fresh = True
            continue
        # A header that comes again begins a new snapshot.
        again = bool(blocks) and not fresh and line == blocks[-1][1][0] and len(blocks[-1][1]) > 1
        if fresh or again:
            blocks.append((number, []))
            fresh = False
        blocks[-1][1].append(line)
    if not blocks:
        return 1, []
    if known is not None and (same := [one for one in blocks if known in one[1]]):
        number, block = same[-1]
        at = len(block) - 1 - block[::-1].index(known)
        return number + at, block[at:]
    most = max(len(block) for _, block in blocks)
    longest = next(block for _, block in blocks if len(block) == most)
    same = [one for one in blocks if one[1][0] == longest[0]]
    best = same[-1] if len(same[-1][1]) > 1 else same[0]
    # Several tables, each with a header of its own: a title above, and the newest is the last one.
    several = [one for one in blocks if len(one[1]) > 1 and _has_columns(one[1])]
    if len(several) > 1 and not _has_columns(best[1]):
        return several[-1]
    return best


def _has_columns(lines: Sequence[str]) -> bool:
    return _best_spans(lines) is not None


# -- by blanks -----------------------------------------------------------------------------------


_SEVERAL_WORDS: Final = re.compile(
    r"\b(?:(?:Local|Peer|Foreign) Address|Program name|Mounted on|CONTAINER ID|(?:IMAGE|NETWORK) ID"
    r"|VOLUME NAME|CREATED AT|LAST SEEN|NOMINATED NODE|READINESS GATES|MEM USAGE / LIMIT"
    r"|(?:NET|BLOCK) I/O|(?:CPU|MEM) %)"
)
"""Headings of several words that everyday commands have."""

_JOINED: Final = "\x1f"


def _blanks(lines: list[str], number: int) -> Printed | None:
    if len(lines) < 2:
        return _heading_alone(lines, number)
    lines, number = _without_title(lines, number)
    if len(lines) < 2:
        return None
    if _is_row(lines[0]):
        return _without_header(lines)
    # As one word each: one line of values alone does not tell that they are.
    header = _SEVERAL_WORDS.sub(lambda one: one.group().replace(" ", _JOINED), lines[0])
    spans = _best_spans([header, *lines[1:]])
    header = lines[0]
    if spans is None:
        return _by_words(lines, number) if _is_heading(lines) else None
    if not _is_heading(lines):
        return None
    spans, names = _parted(spans, header, lines[1:])
    layout = Layout(header, len(names), spans)
    rows, bad = [], []
    for at, line in enumerate(lines[1:], number + 1):
        cells = _cut(line, spans)
        if cells is None:
            cells = layout.cut(line)
        if cells is None:
            bad.append((at, line, f"has not the {len(names)} columns of the header"))
        else:
            rows.append(cells)
    return Printed(names, rows, layout, bad)


def _parted(
    spans: tuple[tuple[int, int], ...], header: str, rows: Sequence[str]
) -> tuple[tuple[tuple[int, int], ...], list[str]]:
    """Return columns and their headings, the last of them cut where two headings share a place.

    ``PCPU WHAT`` above ``0.00s vim notes.txt``: a number, and then words.
    """
    names: list[str] = []
    for at, (start, stop) in enumerate(spans):
        if at and start <= len(header) and header[start - 1 : start] not in ("", " "):
            # One word above two columns: it stays above the first.
            names[-1] = header[spans[at - 1][0] : stop or None].strip()
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
        if numbers and len(sizes) == 1 and not all(_VALUE.match(rest) for _, rest in parts):
            edge = start + sizes.pop() + 1
            return (*spans[:-1], (start, edge), (edge, 0)), [*names[:-1], *words]
    return spans, names


def _without_title(lines: list[str], number: int) -> tuple[list[str], int]:
    """Return lines without a heading of groups above the header, or a line that counts."""
    first, second = lines[0], lines[1]
    if re.fullmatch(r"total \d+(?:[.,]\d+)?[kKMGT]?", first.strip()):
        return lines[1:], number + 1
    ruled = len(re.findall(r"(?<!\S)-+\w+-+(?!\S)", first)) > 1
    if len(lines) > 2 and ruled and not _is_row(second):
        return lines[1:], number + 1  # vmstat: procs ---memory---
    # A title has no columns of its own: without it there are more.
    widths = [_width(lines[skip:]) for skip in range(min(3, len(lines) - 1))]
    best = max(range(len(widths)), key=lambda skip: widths[skip] * (not _is_row(lines[skip])))
    spans = _best_spans(lines[best:]) if best and widths[best] > widths[0] else None
    if spans is not None and all(_cut(line, spans) is None for line in lines[:best]):
        return lines[best:], number + best
    return lines, number


def _width(lines: Sequence[str]) -> int:
    """Return how many columns lines have below a header; 0 for none."""
    spans = _best_spans(lines)
    return 0 if spans is None else len(spans)


def _is_row(line: str) -> bool:
    """Tell whether a value stands in a line: then it is no header."""
    return any(_VALUE.fullmatch(word) for word in line.split())


def _heading_alone(lines: Sequence[str], number: int) -> Printed | None:
    """Return the columns of a table without rows: `docker ps` where nothing runs."""
    if not lines:
        return None
    names = re.split(r" {2,}", lines[0].strip())
    if len(names) < 2 or not all(name.split()[0][0].isupper() for name in names):
        return None
    return Printed(names, [], Layout(lines[0], len(names)))


def _is_heading(lines: Sequence[str]) -> bool:
    """Tell whether a first line names columns: not just because it is the first.

    Headings begin with capitals, or stand above numbers.
    """
    words = [word for word in lines[0].split() if any(map(str.isalpha, word))]
    capitals = sum(next(filter(str.isalpha, word)).isupper() for word in words)
    ends = lines[0].rstrip().endswith((":", ".", ",")) or (words and words[0].endswith(":"))
    if words and 2 * capitals > len(words) and not ends:
        return True
    counted = [sum(map(bool, map(_VALUE.fullmatch, line.split()))) for line in lines[1:]]
    most = [
        2 * count >= len(line.split()) - 1 for count, line in zip(counted, lines[1:], strict=True)
    ]
    return bool(words) and not ends and all(most) and sum(counted) > 0


def _without_header(lines: list[str]) -> Printed | None:
    spans = _blank_spans(["", *lines])
    if spans is None or len(spans) < 2:
        return None
    rows = [_cut(line, spans) or [] for line in lines]
    names = [str(at) for at in range(1, len(spans) + 1)]
    return Printed(names, rows, Layout(None, len(spans), spans))


def _by_words(lines: list[str], number: int) -> Printed | None:
    """Split at blanks, the last column taking what is left of a line."""
    names = lines[0].split()
    if all(line.split()[0].endswith(":") for line in lines[1:]):
        names = ["", *names]  # /proc/interrupts: lines begin with a name
    count = len(names)
    if count < 2:
        return None
    layout = Layout(lines[0], count)
    rows, bad, more = [], [], 0
    for at, line in enumerate(lines[1:], number + 1):
        cells = line.split(None, count - 1)
        if len(cells) == count:
            more += len(cells[-1].split()) > 1
            rows.append(cells)
        else:
            bad.append((at, line, f"has {len(cells)} of {count} values"))
    if len(bad) > len(rows):
        return None
    note = None
    if more:
        note = f"{more:,} lines have more values than the header: the last column has the rest"
    return Printed(names, rows, layout, bad, note)


def _best_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return where columns are, by what gives the most of them."""
    found = [
        spans for spans in (_header_spans(lines), _blank_spans(lines))
        if spans is not None and len(spans) > 1
    ]  # fmt: skip
    by_gaps = _gap_count(lines)
    best = max(found, key=len, default=None)
    if best is not None and len(best) >= by_gaps:
        return best
    return None if by_gaps < 2 else best


def _gap_count(lines: Sequence[str]) -> int:
    """Return how many fields two or more blanks make of each line; 0 if not the same of all."""
    counts = {len(re.split(r" {2,}", line.strip())) for line in lines}
    return counts.pop() if len(counts) == 1 else 0


def _header_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return columns that begin where their headings do, if those of all lines do."""
    header = lines[0]
    starts = [found.start() for found in re.finditer(r"(?:(?<= {2})|^)\S", header)]
    if len(starts) < 2:
        return None
    starts[0] = 0
    for line in lines[1:]:
        for start in starts[1:]:
            if start < len(line) and line[start - 1] != " ":
                return None
    spans = tuple(zip(starts, [*starts[1:], 0], strict=True))
    # Two blanks in a cell: columns of their own, whose headings stand elsewhere.
    if any("  " in cell for line in lines[1:] for cell in _cut(line, spans) or ()):
        return None
    return spans


def _blank_spans(lines: Sequence[str]) -> tuple[tuple[int, int], ...] | None:
    """Return columns between which all lines are blank."""
    if any(not line.isascii() and _is_wide(line) for line in lines):
        return None  # one character, two places
    header, rows = lines[0], lines[1:]
    width = max(map(len, lines))
    used = bytearray(width)
    for line in lines:
        for at, one in enumerate(line):
            if one != " ":
                used[at] = 1
    spans: list[list[int]] = []
    for at in range(width):
        if used[at] and (at == 0 or not used[at - 1]):
            spans.append([at, at + 1])
        elif used[at]:
            spans[-1][1] = at + 1
    made: list[list[int]] = []
    waiting: int | None = None
    for start, stop in spans:
        says = header[start:stop].strip()
        if made and header:
            last = made[-1]
            alone = not any(row[last[0] : last[1]].strip() for row in rows)
            if (
                alone
                and says
                and not says.isupper()
                and len(header[last[0] : start].rstrip()) == start - last[0] - 1
            ):
                last[1] = stop  # "Peer Address" above values that stand at the right
                continue
            gap = header[made[-1][0] : start]
            one_blank = len(gap) - len(gap.rstrip()) <= 1
            empty = not any(row[start:stop].strip() for row in rows)
            if not says and _stands_right(made[-1], header, rows):
                waiting = waiting or start  # above it, at its right end, the next heading stands
                continue
            if not says or (empty and one_blank and not says.isupper()):
                made[-1][1] = stop
                continue
            if waiting is not None:
                start, waiting = waiting, None
            before = header[made[-1][0] : made[-1][1]].strip()
            if not before and len(made) == 1 and not any(
                row[made[0][0] : made[0][1]].strip() for row in rows
            ):  # fmt: skip
                made[-1] = [start, stop]
                continue
        made.append([start, stop])
    if waiting is not None:
        return None
    pushed = any("  " in line[start:stop].strip() for start, stop in made[:-1] for line in rows)
    if pushed or any("  " in header[start:stop].strip() for start, stop in made):
        return None  # lines that are wider than the header pushed their values along
    made = [part for span in made for part in _glued(span, header, rows)]
    if len(made) < 2:
        return None
    starts = [0, *(start for start, _ in made[1:])]
    return tuple(zip(starts, [*starts[1:], 0], strict=True))


def _stands_right(span: Sequence[int], header: str, rows: Sequence[str]) -> bool:
    """Tell whether a column's values stand at its right: what follows is not of it, then."""
    start, stop = span
    cells = [row[start:stop] for row in rows if row[start:stop].strip()]
    heading = header[start:stop].rstrip()
    if not heading.strip() or len(heading) != stop - start or not cells:
        return False
    # All end with the heading, and not all begin with it.
    return all(len(cell.rstrip()) == stop - start for cell in cells) and any(
        len(cell) - len(cell.lstrip()) != len(heading) - len(heading.lstrip()) for cell in cells
    )


def _glued(span: list[int], header: str, rows: Sequence[str]) -> list[list[int]]:
    """Return a span, cut where all rows have two blanks in the middle of a heading.

    `ss` writes two headings as one word: Address:PortProcess.
    """
    start, stop = span
    parts = [row[start:stop].ljust(stop - start) for row in rows]
    blank = "".join(" " if all(part[at] == " " for part in parts) else "x"
                    for at in range(stop - start))  # fmt: skip
    found = re.search(r"(?<=x) {2,}(?=x)", blank)
    if found is None or " " in header[start + found.start() : start + found.end()] or not header:
        return [span]
    return [[start, start + found.start()], [start + found.end(), stop]]


def _is_wide(line: str) -> bool:
    return any(unicodedata.east_asian_width(one) in "WF" or unicodedata.combining(one)
               for one in line)  # fmt: skip


def _cut(line: str, spans: Sequence[tuple[int, int]]) -> list[str] | None:
    """Return a line's values between places; None if one stands across an edge."""
    for start, _ in spans[1:]:
        if start < len(line) and line[start - 1] != " ":
            return None
    return [line[start : stop or None].strip() for start, stop in spans]


# -- other forms ---------------------------------------------------------------------------------


def _tabbed(text: str) -> Printed | None:
    """Return lines with tabs between their values; without a header if the first has a value."""
    lines = [line for line in text.splitlines() if line.strip()]
    counts = {line.count("\t") for line in lines}
    if len(counts) != 1 or counts == {0}:
        return None
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines]
    if _VALUE.fullmatch(rows[0][0]):
        return Printed([str(at) for at in range(1, len(rows[0]) + 1)], rows)
    return Printed(rows[0], rows[1:])


_MODE: Final = re.compile(r"[-dlbcpsDC][-rwxsStT]{9}[.+@]?\s")


def _listing(lines: list[str]) -> Printed | None:
    """Return what `ls -l` prints: it has no header, and names have blanks."""
    body = lines[1:] if lines and lines[0].startswith("total ") else lines
    if not body or not all(map(_MODE.match, body)):
        return None
    names = ["mode", "links", "owner", "group", "size", "modified", "name"]
    rows = []
    for line in body:
        found = re.fullmatch(
            r"(\S+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\d+,\s*\d+|\S+)\s+"
            r"(\w{3}\s+\d+\s+[\d:]+|\d+ \w{3}\s+[\d:]+|\d{4}-\d\d-\d\d[ T][\d:.]+(?: [-+]\d{4})?"
            r"|\d\d-\d\d \d\d:\d\d|\d{4}-\d\d-\d\d)\s(.*)",
            line,
        )
        if found is None:
            return None
        rows.append([part.strip() for part in found.groups()])
    return Printed(names, rows)


def _ruled(lines: list[str], number: int) -> Printed | None:
    """Return a table with a line below its header, which says where the columns are."""
    at = next((at for at, line in enumerate(lines[1:8], 1) if _RULE.fullmatch(line)), None)
    if at is None:
        return None
    header, rule, body = lines[at - 1], lines[at], lines[at + 1 :]
    crossed = [place for place, one in enumerate(rule) if one in "+|┼╪"]
    framed = crossed and all(place < len(header) and header[place] in _SIDES for place in crossed)
    if framed:
        sides = header[0] in _SIDES
        edges = [*([] if sides else [-1]), *crossed]
        edges = edges if sides and edges[-1] == len(rule) - 1 else [*edges, 0]
        spans = tuple((start + 1, stop) for start, stop in pairwise(edges))
    else:
        # dpkg's columns are runs of =, between which a - stands.
        mark = r"[=+]+" if "=-=" in rule else r"[-=─━]+"
        runs = [found.span() for found in re.finditer(mark, rule)]
        if len(runs) < 2:
            return None
        starts = [0, *(start for start, _ in runs[1:])]
        spans = tuple(zip(starts, [*starts[1:], 0], strict=True))
    rows, bad = [], []
    for line_number, line in enumerate(body, number + at + 1):
        if _RULE.fullmatch(line) or _COUNT.fullmatch(line.strip()):
            continue
        edged = framed and any(place < len(line) and line[place] not in _SIDES for place in crossed)
        cells = [line[start : stop or None].strip() for start, stop in spans]
        if edged or (not framed and _cut(line, spans) is None):
            bad.append((line_number, line, "does not fit the columns of the header"))
        else:
            rows.append(cells)
    names = [header[start : stop or None].strip() for start, stop in spans]
    return Printed(names, rows, Layout(header, len(names), spans), bad)


def _box(lines: Sequence[str]) -> Printed | None:
    """Return a table in a box, as databases and `aws` print it; the last of several."""
    borders = [at for at, line in enumerate(lines) if _BORDER.fullmatch(line)]
    if len(borders) < 2:
        return None
    inside = [line for line in lines[borders[0] : borders[-1] + 1]]
    records: list[tuple[int, list[str]]] = []
    part = 0
    places: list[int] | None = None
    for at, line in enumerate(inside):
        if _BORDER.fullmatch(line):
            if records and records[-1][0] == part:
                part += 1
            crossed = [place for place, one in enumerate(line) if one in "+┬┼┴╦╬╩╤╪╧┳╋┻╒┌╔╭┏├╠╞┣"
                       or one in "┐┤┘╗╣╝╕╡╛┓┫┛╮╯└╰╚╘┗|"]  # fmt: skip
            if len(crossed) > 2 or places is None:
                places = crossed if len(crossed) > 1 else places
            continue
        text = line.strip()
        if not text or text[0] not in _SIDES:
            if text and at:
                return None
            continue
        cells = _between(line, places) or [
            cell.strip() for cell in re.split(rf"[{_SIDES}]", text)[1:-1]
        ]
        records.append((part, cells))
    counts = [len(cells) for _, cells in records]
    if not counts:
        return None
    count = max(counts)
    if count < 2 and len(records) < 2:
        return None
    header = next(at for at, (_, cells) in enumerate(records) if len(cells) == count)
    head_part = records[header][0]
    titles = [cells for part_at, cells in records[:header] if len(cells) != 1]
    rest = [cells for _, cells in records[header + 1 :]]
    if titles or any(len(cells) != count for cells in rest):
        return None
    if any(part_at == head_part for part_at, _ in records[header + 1 :]):
        return None  # a header of several lines
    return Printed(records[header][1], rest)


def _between(line: str, places: Sequence[int] | None) -> list[str] | None:
    """Return what stands between the sides of a box, where they are below the border's corners."""
    if places is None or len(places) < 2 or _is_wide(line):
        return None
    if any(place >= len(line) or line[place] not in _SIDES for place in places):
        return None
    return [line[start + 1 : stop].strip() for start, stop in pairwise(places)]


_SAMPLE: Final = re.compile(
    r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+"
    r"([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))(?:\s+(-?[0-9.]+))?(?:\s+#.*)?\s*"
)
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_UNESCAPED: Final = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def _prometheus(text: str) -> Printed | None:
    """Return metrics in Prometheus' text format, a row a sample."""
    if not re.match(
        r"\s*(?:# (?:HELP|TYPE|UNIT|EOF)\b|[a-zA-Z_:][\w:]*(?:\{[^{}]*\})? [-+0-9NI])", text
    ):
        return None
    samples: list[tuple[str, dict[str, str], str, str]] = []
    described = "# TYPE" in text or "# HELP" in text
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _SAMPLE.fullmatch(line)
        if found is None or not (described or found[2]):
            return None
        labels, rest = {}, found[2] or ""
        while rest.strip():
            pair = _LABEL.match(rest)
            if pair is None:
                return None
            labels[pair[1]] = re.sub(r'\\[\\"n]', lambda one: _UNESCAPED[one.group()], pair[2])
            rest = rest[pair.end() :]
        samples.append((found[1], labels, found[3], found[4] or ""))
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
