"""The options that several sources have; each source adds its own in its module's `Options`.

Their names are those of the command line (`registry.options_from` fills them in).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What each source knows that publishes one table.

    Attributes:
        name: The table's name; None: the source's own.
        key: The column that identifies a row; None: the source's own, if it has one.
        limit: The most rows that the table keeps; None: all.
    """

    name: str | None = None
    key: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions(TableOptions):
    """How a text is read.

    Attributes:
        sep: The field separator, None to detect it.
        encoding: The text's encoding, None to detect it.
        types: Types of columns, so as not to detect them.
    """

    sep: str | None = None
    encoding: str | None = None
    types: Mapping[str, pa.DataType] | None = None
