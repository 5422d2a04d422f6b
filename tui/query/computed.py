"""Columns that are worked out from others: the values of an expression, for some rows or all.

Only the rows in sight are worked out for a paint.
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
    """How the values of a column are worked out; a `Formula` of the model.

    Attributes:
        expression: By what.
    """

    expression: Expression

    @property
    def looks_back(self) -> bool:
        """Whether earlier states are asked."""
        return bool(self.expression.spans)

    def type_of(self, titles: tuple[str, ...], types: tuple[Any, ...]) -> Any:
        """Return the Arrow type of its values; null if they can't be worked out."""
        return _type_of(self.expression, titles, types)

    def type_beside_past(self, table: Table, headings: Headings, types: tuple[Any, ...]) -> Any:
        """Return the type that also holds what an earlier state's values need.

        A column of 9.99 that had 10.01 has been of other decimals: `was` is of those.

        Args:
            table: The later state; it has a past.
            headings: All of its columns.
            types: The types of those that stand before this one.
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
    """Return the table with all columns, and where in it a column is."""
    everything = table.undressed
    place = everything.column_at(table.refs[column])
    assert place is not None
    return everything, place


Before: TypeAlias = tuple[tuple[Span, tuple[Any, ...]], ...]
"""The types that columns had so long before, by how long that is."""


@lru_cache(maxsize=256)
def _type_of(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...], before: Before = ()
) -> Any:
    try:
        return evaluate.evaluate(expression, Empty(titles, types, dict(before))).type
    except BadExpression:
        return pa.null()


def _types_then(then: Table, refs: tuple[ColumnRef, ...], now: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not its own `types`: those ask for the state before it, and so on to the oldest there is.
    known = then.types_alone(then.headings)
    places = [then.column_at(ref) for ref in refs]
    return tuple(
        known[at] if at is not None and is_akin(known[at], kind) else kind
        for at, kind in zip(places, now, strict=True)
    )


def check_type(expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]) -> None:
    """Make sure that an expression can be worked out for columns of these types.

    Raises:
        BadExpression: it can't; it says what and where.
    """
    evaluate.evaluate(expression, Empty(titles, types))


def check_condition(
    expression: Expression, titles: tuple[str, ...], types: tuple[Any, ...]
) -> None:
    """Make sure that an expression is true or false for rows with columns of these types.

    Raises:
        BadExpression: it is not, or can't be worked out; it says what and where.
    """
    evaluate.check_condition(expression, Empty(titles, types))


def _values(
    expression: Expression, table: Table, column: int, columns: Columns, rows: int
) -> pa.Array:
    heading = table.headings.columns[column]
    kind = table.types[column]
    try:
        result = evaluate.evaluate(expression, columns)
    except BadExpression as error:  # the view line tells; here there is nothing to show
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
