"""Computed columns: an expression's values, for some rows or for all.

A paint only computes the rows in sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from livetable.tui.model.headings import ColumnRef, Headings, Span
from livetable.tui.model.table import Table
from livetable.tui.query import evaluate, exact
from livetable.tui.query.expression import Expression
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.row_match import is_akin
from livetable.tui.query.table_columns import Columns, Empty, Shown, Whole


@dataclass(frozen=True, slots=True)
class ComputedColumn:
    """A computed column; implements the model's `Formula`.

    Attributes:
        expression: Its expression.
    """

    expression: Expression

    @property
    def looks_back(self) -> bool:
        """Whether it uses earlier states."""
        return bool(self.expression.spans)

    def type_of(self, titles: tuple[str, ...], types: tuple[Any, ...]) -> Any:
        """Return the Arrow type of its values; null if they can't be computed."""
        return _type_of(self.expression, titles, types)

    def type_beside_past(self, table: Table, headings: Headings, types: tuple[Any, ...]) -> Any:
        """Return a type that can also hold the values of earlier states.

        Example: decimals of 9.99 have another type than those of 10.01, which `was` returns.

        Args:
            table: The later state; it has a past.
            headings: All of its columns.
            types: The types of the columns before this one.
        """
        assert table.past is not None
        count = len(types)
        before: list[tuple[Span, tuple[Any, ...]]] = []
        for span in self.expression.spans:
            then = table.past.before(table, span)
            if then is not None:
                before.append((span, _types_then(then.undressed, headings.refs[:count], types)))
        return _type_of(self.expression, headings.titles[:count], types, tuple(before))

    def window(self, table: Table, column: int, start: int, stop: int) -> pa.Array:
        """Return the values of the rows shown from `start` to before `stop`."""
        everything, place = _place(table, column)
        columns = Shown(everything, place, start, stop)
        return _values(self.expression, everything, place, columns, stop - start)

    def whole(self, table: Table, column: int) -> pa.Array:
        """Return all values, in the order of the frame."""
        everything, place = _place(table, column)
        columns = Whole(everything, place)
        return _values(self.expression, everything, place, columns, table.frame_rows)


def _place(table: Table, column: int) -> tuple[Table, int]:
    """Return the table with all columns, and a column's position in it."""
    everything = table.undressed
    place = everything.column_at(table.refs[column])
    assert place is not None
    return everything, place


Before: TypeAlias = tuple[tuple[Span, tuple[Any, ...]], ...]
"""Spans to look back, each with the types that the columns had then."""


@lru_cache(maxsize=256)
def _type_of(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...], before: Before = ()
) -> Any:
    try:
        return evaluate.evaluate(expression, Empty(titles, types, dict(before))).type
    except BadExpression:
        return pa.null()


def _types_then(then: Table, refs: tuple[ColumnRef, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not `then.types`: that would look up the state before it, and so on to the oldest one.
    known = then.types_alone(then.headings)
    places = [then.column_at(ref) for ref in refs]
    return tuple(
        known[at] if at is not None and is_akin(known[at], kind) else kind
        for at, kind in zip(places, now, strict=True)
    )


def check_type(expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]) -> None:
    """Check that an expression can be computed for columns of these types.

    Raises:
        BadExpression: it can't be.
    """
    evaluate.evaluate(expression, Empty(titles, types))


def check_condition(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]
) -> None:
    """Check that an expression is a condition for columns of these types.

    Raises:
        BadExpression: it is not, or can't be computed.
    """
    evaluate.check_condition(expression, Empty(titles, types))


def _values(
    expression: Expression, table: Table, column: int, columns: Columns, rows: int
) -> pa.Array:
    heading = table.headings.columns[column]
    kind = table.types[column]
    try:
        result = evaluate.evaluate(expression, columns)
    except BadExpression as error:  # shown in the view line; the cells stay empty
        heading.trouble[:] = [str(error)]
        return pa.nulls(rows, kind)
    if isinstance(result, pa.Scalar):
        result = pc.coalesce(pa.nulls(rows, result.type), result)
    values, beyond = exact.fitted(result, kind)
    said = (
        f"{beyond:,} values do not fit 64 bits" if beyond != 1 else "a value does not fit 64 bits"
    )
    heading.trouble[:] = [said] if beyond else []
    return values
