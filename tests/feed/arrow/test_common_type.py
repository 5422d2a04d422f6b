"""livetable.feed.arrow.common_type."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.arrow.common_type import named_type, wider
from livetable.feed.errors import BadFrame

PAIRS: list[tuple[pa.DataType, pa.DataType, pa.DataType | None]] = [
    (pa.int64(), pa.float64(), pa.float64()),
    (pa.int8(), pa.int64(), pa.int64()),
    (pa.int64(), pa.uint64(), pa.decimal256(76, 0)),
    (pa.int32(), pa.uint32(), pa.int64()),
    (pa.float32(), pa.float64(), pa.float64()),
    (pa.bool_(), pa.int64(), None),
    (pa.decimal128(2, 1), pa.decimal128(3, 2), pa.decimal128(3, 2)),
    (pa.decimal128(2, 1), pa.int64(), pa.decimal128(21, 1)),
    (pa.decimal128(2, 1), pa.float64(), None),
    (pa.date32(), pa.timestamp("us"), pa.timestamp("us")),
    (pa.date32(), pa.timestamp("us", "UTC"), None),
    (pa.timestamp("us"), pa.timestamp("us", "UTC"), None),
    (pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ns")),
    (pa.list_(pa.null()), pa.list_(pa.float64()), pa.list_(pa.float64())),
    (pa.list_(pa.int64()), pa.list_(pa.string()), None),
    (pa.null(), pa.string(), pa.string()),
    (pa.string(), pa.int64(), None),
]


@pytest.mark.parametrize(("one", "other", "both"), PAIRS)
def test_the_type_that_holds_both(
    one: pa.DataType, other: pa.DataType, both: pa.DataType | None
) -> None:
    assert wider(one, other) == wider(other, one) == both


@pytest.mark.parametrize(
    ("given", "kind"),
    [(float, "double"), ("int", "int64"), (pa.int8(), "int8"), ("float32", "float"),
     ("datetime64[ns]", "timestamp[ns]")],
)  # fmt: skip
def test_types_by_name(given: Any, kind: str) -> None:
    assert str(named_type(given)) == kind


def test_no_type() -> None:
    with pytest.raises(BadFrame, match="is not a type: use float"):
        named_type("flout")
