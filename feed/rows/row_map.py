"""Maps the rows of a table, in order, to stored rows. Immutable: states share unchanged pages.

Each row has a *number*, which it keeps while it exists; new rows get higher numbers, and rows are
in the order of their numbers. So a removed row changes the positions of others, but not their
numbers. Numbers are grouped in pages of `PAGE`: changing a hundred of a million rows copies at most
a hundred pages. Feeds and viewers use this class, each with its own numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

Numbers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
"""Row numbers, positions or stored rows."""

PAGE: Final = 512
"""Numbers in a page."""

GONE: Final = -1
"""Marks a row that does not exist."""

_NOBODY: Final[Numbers] = np.full(PAGE, GONE, dtype=np.int64)
_FEW: Final = 1000
_SPARE_PAGES: Final = 64
_MOST_EMPTY: Final = 8  # so many times the necessary pages make rows be renumbered


class Rows:
    """A table's rows.

    Args:
        pages: For each page, the stored row of each number, `GONE` if the row does not exist; all
            but the last have `PAGE` numbers.
        counts: Existing rows of each page.
        base: The first number of the first page.
        written: Bytes written for all states up to this one.
    """

    def __init__(self, pages: Sequence[Numbers], counts: Numbers, base: int, written: int) -> None:
        self._pages = pages
        self._counts = counts
        self.base = base
        self.written = written + 16 * len(pages)

    @classmethod
    def of(cls, stored: Numbers) -> Rows:
        """Return rows numbered from 0."""
        pages = [stored[at : at + PAGE] for at in range(0, len(stored), PAGE)]
        return cls(pages, np.array([len(page) for page in pages], dtype=np.int64), 0, stored.nbytes)

    @cached_property
    def _starts(self) -> Numbers:
        """The position of each page's first row, and the number of all rows."""
        starts = np.zeros(len(self._pages) + 1, dtype=np.int64)
        np.cumsum(self._counts, out=starts[1:])
        return starts

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def end(self) -> int:
        """The number that the next row gets."""
        if not self._pages:
            return self.base
        return self.base + PAGE * (len(self._pages) - 1) + len(self._pages[-1])

    @property
    def is_sparse(self) -> bool:
        """Whether so many numbers are unused that the rows should be renumbered."""
        return len(self._pages) > _SPARE_PAGES + _MOST_EMPTY * (len(self) // PAGE + 1)

    # -- changes -----------------------------------------------------------------------------------

    def changed(self, numbers: Numbers, stored: Numbers) -> Rows:
        """Map some rows to other stored rows.

        Args:
            numbers: Their numbers, ascending; the rows exist.
            stored: Their new stored rows.
        """
        pages, written = list(self._pages), self.written
        if len(numbers) > _FEW:
            for page, inside, start, stop in self._by_page(numbers):
                copy = pages[page] = pages[page].copy()
                copy[inside] = stored[start:stop]
                written += copy.nbytes
        else:
            last, copy = -1, _NONE
            for page, place, row in zip(*self._one_by_one(numbers), stored.tolist(), strict=True):
                if page != last:
                    last, copy = page, pages[page].copy()
                    pages[page] = copy
                    written += copy.nbytes
                copy[place] = row
        return Rows(pages, self._counts, self.base, written)

    def without(self, numbers: Numbers) -> Rows:
        """Remove rows by their numbers, ascending; the rows exist."""
        pages, counts, written = list(self._pages), self._counts.copy(), self.written
        for page, inside, start, stop in self._by_page(numbers):
            counts[page] -= stop - start
            if counts[page]:
                copy = pages[page].copy()
                copy[inside] = GONE
                pages[page] = copy
                written += copy.nbytes
            else:
                pages[page] = _NOBODY[: len(pages[page])]
        there = np.flatnonzero(counts)
        # The last page stays: its length says which number comes next.
        first = int(there[0]) if len(there) else max(0, len(pages) - 1)
        return Rows(pages[first:], counts[first:], self.base + PAGE * first, written)

    def with_more(self, stored: Numbers) -> Rows:
        """Append rows; they get the numbers from `end` on."""
        pages, counts, written = list(self._pages), self._counts, self.written + stored.nbytes
        if pages and len(pages[-1]) < PAGE:
            room = PAGE - len(pages[-1])
            written += pages[-1].nbytes
            pages[-1] = np.concatenate((pages[-1], stored[:room]))
            counts = counts.copy()
            counts[-1] += len(stored[:room])
            stored = stored[room:]
        more = [stored[at : at + PAGE] for at in range(0, len(stored), PAGE)]
        counts = np.concatenate((counts, np.array([len(page) for page in more], dtype=np.int64)))
        return Rows([*pages, *more], counts, self.base, written)

    def stored_anew(self, move: Callable[[Numbers], Numbers]) -> Rows:
        """Map all rows to other stored rows.

        Args:
            move: Maps stored rows to new ones; not called with `GONE`.
        """
        pages = []
        for page, count in zip(self._pages, self._counts, strict=True):
            if count == len(page):
                pages.append(move(page))
            elif count:
                copy = page.copy()
                there = page != GONE
                copy[there] = move(page[there])
                pages.append(copy)
            else:
                pages.append(page)
        written = self.written + 8 * PAGE * len(pages)
        return Rows(pages, self._counts, self.base, written)

    # -- look-ups ----------------------------------------------------------------------------------

    def stored(self, start: int, stop: int) -> Numbers:
        """Return where the rows from position `start` to before `stop` are stored."""
        return self._slice(
            start, stop, lambda page, there, _: page if there is None else page[there]
        )

    def numbers(self, start: int, stop: int) -> Numbers:
        """Return the numbers of the rows from position `start` to before `stop`."""
        return self._slice(
            start,
            stop,
            lambda page, there, first: (
                first + (np.arange(len(page), dtype=np.int64) if there is None else there)
            ),
        )

    def numbers_at(self, positions: Numbers) -> Numbers:
        """Return the numbers of rows, by their positions, which are in ascending order."""
        numbers = np.empty(len(positions), dtype=np.int64)
        pages = np.searchsorted(self._starts, positions, side="right") - 1
        if len(positions) <= _FEW:
            dense = self._counts[pages] == np.fromiter(
                (len(self._pages[page]) for page in pages.tolist()), np.int64, len(pages)
            )
            if dense.all():
                return self.base + PAGE * pages + positions - self._starts[pages]
        for page, start, stop in _runs(pages):
            inside = positions[start:stop] - self._starts[page]
            if self._counts[page] < len(self._pages[page]):
                inside = np.flatnonzero(self._pages[page] != GONE)[inside]
            numbers[start:stop] = self.base + PAGE * page + inside
        return numbers

    def positions_of(self, numbers: Numbers) -> Numbers:
        """Return the positions of rows by ascending numbers; `GONE` for rows that don't exist."""
        stored = self.stored_of(numbers)
        return np.where(stored == GONE, GONE, self.rank(numbers))

    def rank(self, numbers: Numbers) -> Numbers:
        """Return how many rows precede each of these ascending numbers, existing or not."""
        ranks = np.zeros(len(numbers), dtype=np.int64)
        first, last = np.searchsorted(numbers, (self.base, self.end))
        known = numbers[first:last]
        if len(known) > _FEW:
            for page, inside, start, stop in self._by_page(known):
                there = np.concatenate(([0], np.cumsum(self._pages[page] != GONE)))
                ranks[start + first : stop + first] = self._starts[page] + there[inside]
        else:
            places, pages, counts = self._one_by_one(known), self._pages, self._counts
            ranks[first:last] = self._starts[places[0]] + [
                inside
                if counts[page] == len(pages[page])
                else np.count_nonzero(pages[page][:inside] != GONE)
                for page, inside in zip(*places, strict=True)
            ]
        ranks[last:] = len(self)
        return ranks

    def stored_of(self, numbers: Numbers) -> Numbers:
        """Return the stored rows by ascending numbers; `GONE` for rows that don't exist."""
        stored = np.full(len(numbers), GONE, dtype=np.int64)
        first, last = np.searchsorted(numbers, (self.base, self.end))
        known, pages = numbers[first:last], self._pages
        if len(known) > _FEW:
            for page, inside, start, stop in self._by_page(known):
                stored[start + first : stop + first] = pages[page][inside]
        else:
            places = zip(*self._one_by_one(known), strict=True)
            stored[first:last] = [pages[page][inside] for page, inside in places]
        return stored

    def differing(self, before: Rows) -> tuple[Numbers, Numbers, Numbers]:
        """Return the numbers of rows that changed, that were added, and that were removed.

        Args:
            before: An earlier state of the same rows. Shared pages are skipped.
        """
        changed, added, removed = [_NONE], [_NONE], [_NONE]
        start = min(self.base, before.base)
        for first in range(start, max(self.end, before.end), PAGE):
            now, then = self._page(first), before._page(first)
            if now is then:
                continue
            length = max(len(now), len(then))
            now, then = _long(now, length), _long(then, length)
            here, there = now != GONE, then != GONE
            changed.append(first + np.flatnonzero(here & there & (now != then)))
            added.append(first + np.flatnonzero(here & ~there))
            removed.append(first + np.flatnonzero(there & ~here))
        return np.concatenate(changed), np.concatenate(added), np.concatenate(removed)

    def _page(self, first: int) -> Numbers:
        number = (first - self.base) // PAGE
        return self._pages[number] if 0 <= number < len(self._pages) else _NONE

    def _slice(
        self, start: int, stop: int, look: Callable[[Numbers, Numbers | None, int], Numbers]
    ) -> Numbers:
        starts = self._starts
        first = max(0, int(np.searchsorted(starts, start, side="right")) - 1)
        parts = [_NONE]
        number = first
        while number < len(self._pages) and starts[number] < stop:
            page = self._pages[number]
            if self._counts[number]:
                whole = self._counts[number] == len(page)
                there = None if whole else np.flatnonzero(page != GONE)
                parts.append(look(page, there, self.base + PAGE * number))
            number += 1
        skipped = start - int(starts[first]) if first < len(starts) else 0
        return np.concatenate(parts)[skipped : skipped + max(0, stop - start)]

    def _one_by_one(self, numbers: Numbers) -> tuple[list[int], list[int]]:
        """Return the page of each number and the place in it: faster than `_by_page` for few."""
        offsets = numbers - self.base
        return (offsets // PAGE).tolist(), (offsets % PAGE).tolist()

    def _by_page(self, numbers: Numbers) -> Iterator[tuple[int, Numbers, int, int]]:
        """Yield for each page its places, and the range of `numbers` that they come from."""
        offsets = numbers - self.base
        for page, start, stop in _runs(offsets // PAGE):
            yield page, offsets[start:stop] - PAGE * page, start, stop


_NONE: Final[Numbers] = np.empty(0, dtype=np.int64)


def _long(page: Numbers, length: int) -> Numbers:
    return page if len(page) == length else np.concatenate((page, _NOBODY[: length - len(page)]))


def _runs(values: Numbers) -> Iterator[tuple[int, int, int]]:
    """Yield each distinct value of a sorted array with its range."""
    if len(values):
        edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
        for start, stop in pairwise(edges):
            yield int(values[start]), start, stop


def in_any_order(look: Callable[[Numbers], Numbers], asked: Numbers) -> Numbers:
    """Call a look-up that needs ascending numbers with numbers in any order."""
    order = np.argsort(asked, kind="stable")
    result = np.empty(len(asked), dtype=np.int64)
    result[order] = look(asked[order])
    return result
