"""tui.query.exact: no digit is lost on the way."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa

from livetable.tui.query.evaluate import evaluate
from livetable.tui.query.exact import Literal, decimals, fitted, scalar, total
from livetable.tui.query.expression import parse
from tests.tui.tables import table_of


def made(frame: dict[str, Any], text: str) -> list[Any]:
    """Return an expression's values."""
    table = table_of(pd.DataFrame(frame))
    found: list[Any] = evaluate(parse(text, table.titles), table).to_pylist()
    return found


def test_what_does_not_fit_a_column_is_missing_there() -> None:
    found = made({"n": [1, 2**62]}, "n * 4")
    assert found == [4, 2**64]
    values, beyond = fitted(decimals([4, 2**64], pa.decimal256(76, 0)), pa.int64())
    assert (values.to_pylist(), beyond) == ([4, None], 1)
    assert made({"d": [Decimal("1.10")]}, "d * 2") == [Decimal("2.20")]
    assert made({"d": [Decimal(1)]}, "d / 3") == [1 / 3]
    assert made({"n": [2**60 + 1]}, "round(n)") == [2**60 + 1]
    assert total(pa.array([Decimal("9" * 38)] * 2, pa.decimal128(38, 0))) == 2 * (10**38 - 1)
    assert scalar(2**70).as_py() == 2**70
    assert Literal(0.1, Fraction(1, 10)).number == Fraction(1, 10)
