"""The status of a table's source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from livetable.feed.errors import WireError
from livetable.feed.protocol.fields import count_of, seconds_of, text_of

MOST_LINES: Final = 20
"""Most unreadable lines of which the text is sent."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The status of a table's source: a file, a pipe, a command.

    Attributes:
        reading: Share of the initial content that has been read, 0 to 1; None once all has.
            Until then the table is only a part.
        settling: Whether the last line has no line end yet, and may become a row soon.
        unfinished: The row of such a line, which may still change; None if there is none.
        checking: Whether the feed is comparing the file with what it has read before.
        unreadable: Number of lines that could not be read.
        lines: The first of these: number from 1, beginning of the text, reason.
    """

    reading: float | None = None
    settling: bool = False
    unfinished: int | None = None
    checking: bool = False
    unreadable: int = 0
    lines: tuple[tuple[int, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object, without fields that have their default."""
        fields: dict[str, Any] = {}
        if self.reading is not None:
            fields["reading"] = round(self.reading, 4)
        if self.unfinished is not None:
            fields["unfinished"] = self.unfinished
        fields |= {name: True for name in ("settling", "checking") if getattr(self, name)}
        if self.unreadable:
            fields["unreadable"] = self.unreadable
            fields["lines"] = [
                [number, *(text.encode("utf-8", "replace").decode()[:200] for text in texts)]
                for number, *texts in self.lines[:MOST_LINES]
            ]
        return fields

    @classmethod
    def from_json(cls, value: object) -> SourceStatus:
        """Read a status.

        Raises:
            WireError: a field is of another type.
        """
        if not isinstance(value, dict):
            raise WireError("source: must be an object")
        reading = seconds_of(value, "reading")
        lines = value.get("lines", [])
        if not isinstance(lines, list) or len(lines) > MOST_LINES:
            raise WireError(f"lines: must be a list of at most {MOST_LINES}")
        kept = []
        for line in lines:
            if not (isinstance(line, list) and len(line) == 3):
                raise WireError("lines: must be lists of [number, text, reason]")
            fields = dict(zip(("number", "text", "reason"), line, strict=True))
            kept.append(
                (
                    count_of(fields, "number"),
                    text_of(fields, "text", 200),
                    text_of(fields, "reason", 200),
                )
            )
        return cls(
            reading=None if reading is None else min(reading, 1.0),
            settling=value.get("settling") is True,
            unfinished=count_of(value, "unfinished") if "unfinished" in value else None,
            checking=value.get("checking") is True,
            unreadable=count_of(value, "unreadable", 0),
            lines=tuple(kept),
        )


NO_SOURCE: Final = SourceStatus()
"""The status of a table without a source, or with nothing to report."""
