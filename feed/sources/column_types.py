"""Types of columns as they are written on the command line."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from livetable.feed.errors import LivetableError


class BadTypes(LivetableError):
    """Types that are not written as they must be."""


_NAMED: Final = {
    "text": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(),
    "date": pa.date32(), "time": pa.timestamp("us"),
}  # fmt: skip
"""Types as they are called on the command line."""


def read_types(text: str) -> dict[str, pa.DataType]:
    """Return types of columns by what is written of them: ``zip=text,when=time``.

    Raises:
        BadTypes: it is not written so.
    """
    types = {}
    for part in text.split(","):
        column, equals, name = part.rpartition("=")
        if not equals or not column.strip() or name.strip() not in _NAMED:
            raise BadTypes(f"--types {part!r}: write COLUMN=TYPE with one of {', '.join(_NAMED)}")
        types[column.strip()] = _NAMED[name.strip()]
    return types
