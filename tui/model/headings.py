"""The columns of a table as they are shown, without their values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import pyarrow as pa

from livetable.feed.arrow.quantities import DTYPE as QUANTITY
from livetable.feed.base.terminal_text import harmless
from livetable.feed.frames.decoder import Labels
from livetable.feed.protocol.labels import Label, from_json, to_text

if TYPE_CHECKING:
    from livetable.tui.model.table import Table

ColumnRef = tuple[str, int]
"""Identifies a column: its title, and how many columns before it have the same title."""

Span = float | Literal["mark"]
"""How far to look back: seconds, 0 for the previous frame, or to the mark."""


class Formula(Protocol):
    """Computes a column from other columns."""

    @property
    def looks_back(self) -> bool:
        """Whether it uses earlier states."""
        ...

    def type_of(self, titles: tuple[str, ...], types: tuple[pa.DataType, ...]) -> pa.DataType:
        """Return the type of the values, given the titles and types of the columns before it."""
        ...

    def type_beside_past(
        self, table: Table, headings: Headings, types: tuple[pa.DataType, ...]
    ) -> pa.DataType:
        """Return a type that can also hold the values of earlier states."""
        ...

    def window(self, table: Table, column: int, start: int, stop: int) -> pa.Array:
        """Return the values of the rows shown from `start` to before `stop`."""
        ...

    def whole(self, table: Table, column: int) -> pa.Array:
        """Return all values, in the order of the frame."""
        ...


@dataclass(frozen=True, slots=True)
class Heading:
    """A column without its values.

    Attributes:
        title: The header's text, harmless.
        label: What the producer calls the column: a text, a number, a tuple …
        source: The index of its values in `Table.sources`; None for a range index and for computed
            columns.
        fixed: Whether it is frozen at the left.
        mixed: Whether its texts stand for values of mixed types.
        quantity: Whether its texts are numbers with units, to be sorted and compared as such.
        rounded: Whether the source had more digits than its floats can hold.
        formula: Computes its values; None if they came with the frame.
        categories: Its texts in their own order; empty if they have none.
        trouble: Why the last computation of its values failed; empty if it did not.
    """

    title: str
    source: int | None
    label: Label = None
    fixed: bool = False
    mixed: bool = False
    quantity: bool = False
    rounded: bool = False
    formula: Formula | None = None
    categories: tuple[str, ...] = ()
    trouble: list[str] = field(default_factory=list, compare=False, repr=False)


class Headings:
    """A table's columns in the order shown, frozen ones first. Shared by states that agree in them.

    Args:
        columns: The columns.
        refs: Their identities; None: made from the titles.
    """

    def __init__(
        self, columns: Sequence[Heading], refs: tuple[ColumnRef, ...] | None = None
    ) -> None:
        self.columns = tuple(columns)
        self._refs = refs
        self.fixed = sum(column.fixed for column in columns)
        self.titles = tuple(column.title for column in columns)
        self.computes = any(column.formula is not None for column in columns)
        self.looks_back = any(one.formula is not None and one.formula.looks_back for one in columns)
        self._types: tuple[pa.DataType, ...] = ()
        self._types_of: object = None

    @cached_property
    def refs(self) -> tuple[ColumnRef, ...]:
        """The columns' identities, in order."""
        if self._refs is not None:
            return self._refs
        counts: dict[str, int] = {}
        refs = []
        for title in self.titles:
            refs.append((title, counts.get(title, 0)))
            counts[title] = refs[-1][1] + 1
        return tuple(refs)

    @cached_property
    def places(self) -> dict[ColumnRef, int]:
        """The columns' positions."""
        return {ref: at for at, ref in enumerate(self.refs)}

    def types(self, source_types: tuple[pa.DataType, ...]) -> tuple[pa.DataType, ...]:
        """Return the columns' types; the same object as long as `source_types` is the same."""
        if source_types is not self._types_of:
            self._types = self._find_types(source_types)
            self._types_of = source_types
        return self._types

    def _find_types(self, source_types: tuple[pa.DataType, ...]) -> tuple[pa.DataType, ...]:
        types: list[pa.DataType] = []
        for column in self.columns:
            if column.formula is not None:
                types.append(column.formula.type_of(self.titles[: len(types)], tuple(types)))
            else:
                types.append(pa.int64() if column.source is None else source_types[column.source])
        return tuple(types)


_INDEX_TITLE: Final = ""
_LONGEST_TITLE: Final = 10_000  # characters; a foreign publisher may send any title


@lru_cache(maxsize=16)
def selected(headings: Headings, names: tuple[str, ...]) -> Headings:
    wanted = [one for name in names for one in headings.columns if one.title == name]
    kept = [one for one in headings.columns[: headings.fixed] if one.title not in names]
    return Headings([*kept, *(replace(one, fixed=False) for one in wanted)])


def headings_of(labels: Labels, key: str) -> tuple[Headings, tuple[int, ...]]:
    """Return the columns of frames with these labels, and which of the labels are the key."""
    # With the types: labels 1 and True are equal, and one table's titles would be the other's.
    return _headings_of(labels, key, tuple(map(type, (*labels.index, *labels.columns))))


@lru_cache(maxsize=16)
def _headings_of(
    labels: Labels, key: str, types: tuple[type, ...]
) -> tuple[Headings, tuple[int, ...]]:
    wanted = {_hashable(label) for label in map(_label, json.loads(key))}
    by_key = [column for column, label in enumerate(labels.columns) if _hashable(label) in wanted]
    levels = 0 if labels.range is not None else len(labels.index)
    orders = dict(labels.orders)
    fixed = [
        Heading(
            harmless(to_text(name)[:_LONGEST_TITLE]),
            level,
            name,
            fixed=True,
            mixed=level in labels.text,
            categories=orders.get(level, ()),
        )
        for level, name in enumerate(labels.index[:levels])
    ]
    dtypes = labels.dtypes
    data = [
        Heading(
            _title(label), column, label, mixed=column in labels.text,
            quantity=dtypes[column] == QUANTITY, rounded=dtypes[column] == "rounded",
            categories=orders.get(column, ()),
        )
        for column, label in enumerate(labels.columns, levels)
    ]  # fmt: skip
    if by_key:
        fixed += [replace(data[column], fixed=True) for column in by_key]
    elif not fixed:
        name = labels.index[0] if labels.index else None
        fixed.append(
            Heading(
                harmless(to_text(name)[:_LONGEST_TITLE]) or _INDEX_TITLE, None, name, fixed=True
            )
        )
    moved = set(by_key)
    rest = [heading for column, heading in enumerate(data) if column not in moved]
    return Headings([*fixed, *rest]), tuple(by_key)


def _title(label: Any) -> str:
    return harmless(to_text(label)[:_LONGEST_TITLE])


def _label(value: Any) -> Any:
    try:
        return from_json(value)
    except ValueError:
        return None


def _hashable(label: Any) -> Any:
    # With the type: 1, True and 1.0 are equal, but three different labels.
    return (type(label), label) if not isinstance(label, list) else None
