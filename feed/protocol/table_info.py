"""A line of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livetable.feed.errors import WireError
from livetable.feed.protocol.fields import count_of, labels_of, seconds_of, table_name, text_of


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A line of the catalogue: a table as its feed describes it.

    Attributes:
        name: The table's name.
        epoch: The life of the table that the frame belongs to.
        seq: Number of the newest frame, 0 if none was sent yet.
        rows: Rows of the newest frame.
        columns: Columns of the newest frame, without the index.
        rate: Frames per second over the last seconds.
        age: Seconds since the newest frame, None if there is none.
        pid: The feed's process.
        process: The name of that process.
        key: Labels of the key columns, as JSON labels.
        state: ``gone`` if its process is silent (behind a broker), ``ended`` if it has just
            ended, else empty.
    """

    name: str
    epoch: str
    seq: int
    rows: int
    columns: int
    rate: float
    age: float | None
    pid: int
    process: str
    key: tuple[Any, ...] = ()
    state: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object."""
        names = (name for name in self.__slots__ if name != "state" or self.state)
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, value: object) -> TableInfo:
        """Read a line of a catalogue.

        Raises:
            WireError: a field is missing or of another type.
        """
        if not isinstance(value, dict):
            raise WireError("tables: must be a list of objects")
        return cls(
            name=table_name(value),
            epoch=text_of(value, "epoch", 64),
            seq=count_of(value, "seq"),
            rows=count_of(value, "rows"),
            columns=count_of(value, "columns"),
            rate=seconds_of(value, "rate") or 0.0,
            age=seconds_of(value, "age"),
            pid=count_of(value, "pid"),
            process=text_of(value, "process", 256),
            key=labels_of(value, "key"),
            state=text_of(value, "state", 16) if "state" in value else "",
        )
