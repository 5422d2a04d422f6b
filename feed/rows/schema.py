"""The columns of a table that changes row by row: labels, types, index levels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from livetable.feed.arrow.arrays import plain_type
from livetable.feed.errors import BadFrame
from livetable.feed.protocol.labels import from_json, to_json, to_text
from livetable.feed.protocol.messages import METADATA_KEY


@dataclass(frozen=True)
class Shape:
    """The fields of a table: the index's levels, unless it is a RangeIndex; then the columns.

    Attributes:
        described: The schema's metadata (docs/protocol.md).
        names: Names of the fields.
        types: Types of the fields; no dictionaries and no views, as these can't be appended to.
    """

    described: dict[str, Any]
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]

    @classmethod
    def of(cls, schema: pa.Schema) -> Shape:
        """Return the shape that a body's schema describes."""
        described = json.loads(schema.metadata[METADATA_KEY])
        columns = len(described["dtypes"])
        types = tuple(map(plain_type, schema.types[:columns]))
        return cls(described, tuple(schema.names[:columns]), types)

    @property
    def levels(self) -> int:
        """How many of the fields are levels of the index."""
        return 0 if self.described["range"] is not None else len(self.described["index"])

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The fields of each label, by its JSON."""
        found: dict[str, list[int]] = {}
        for at, label in enumerate(self.described["labels"], self.levels):
            found.setdefault(json.dumps(label), []).append(at)
        return found

    def place_of(self, label: Any) -> int | None:
        """Return the field of a column, None if there is no such column.

        Raises:
            BadFrame: several columns have this label.
        """
        places = self.places.get(json.dumps(to_json(label)), [])
        if len(places) > 1:
            raise BadFrame(
                f"the table has {len(places)} columns called {label!r}: rename them to "
                "change single rows"
            )
        return places[0] if places else None

    def label(self, field: int) -> Any:
        """Return the label of a column, or the name of a level of the index."""
        levels = self.levels
        described = self.described
        return from_json(
            described["index"][field] if field < levels else described["labels"][field - levels]
        )

    def title(self, field: int) -> str:
        """Return a field's name for messages."""
        name = to_text(self.label(field))
        if field < self.levels:
            return f"the index {name!r}" if name else "the index"
        return f"column {name!r}"

    def is_text(self, field: int) -> bool:
        """Whether a field's values were converted to text, as Arrow has no type for them."""
        return field in self.described["text"]

    def with_column(self, label: Any, dtype: str, kind: pa.DataType, text: bool) -> Shape:
        """Return the shape with one more column."""
        described = {
            **self.described,
            "labels": [*self.described["labels"], to_json(label)],
            "dtypes": [*self.described["dtypes"], dtype],
            "text": [*self.described["text"], len(self.types)] if text else self.described["text"],
        }
        return Shape(described, (*self.names, field_name(label)), (*self.types, kind))

    def with_type(self, field: int, kind: pa.DataType) -> Shape:
        """Return the shape with a column of another type."""
        dtypes = list(self.described["dtypes"])
        dtypes[field] = str(kind)
        types = (*self.types[:field], kind, *self.types[field + 1 :])
        return replace(self, described={**self.described, "dtypes": dtypes}, types=types)

    def with_index(self) -> Shape:
        """Return the shape with the RangeIndex as a field with values."""
        described = {
            **self.described,
            "range": None,
            "dtypes": ["int64", *self.described["dtypes"]],
            "text": [at + 1 for at in self.described["text"]],
        }
        if orders := self.described.get("orders"):
            described["orders"] = {str(int(at) + 1): texts for at, texts in orders.items()}
        name = to_text(from_json(self.described["index"][0])) or "index"
        return Shape(described, (name, *self.names), (pa.int64(), *self.types))

    def schema(self, start: int, *, before: Sequence[pa.Field] = ()) -> pa.Schema:
        """Return the schema of a body.

        Args:
            start: The first label of the RangeIndex, if there is one.
            before: Fields to put first.
        """
        described = self.described
        if described["range"] is not None:
            described = {**described, "range": [start, described["range"][1]]}
        fields = [pa.field(*one) for one in zip(self.names, self.types, strict=True)]
        text = json.dumps(described, separators=(",", ":"))
        return pa.schema([*before, *fields], metadata={METADATA_KEY: text.encode()})


def field_name(label: Any) -> str:
    """Return a column's name as a field of Arrow."""
    return to_text(label).encode("utf-8", "replace").decode()
