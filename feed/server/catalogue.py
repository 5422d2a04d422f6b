"""The tables of an endpoint, and the list of them that viewers are sent."""

from __future__ import annotations

from collections.abc import Callable

from livetable.feed.protocol.messages import Header, Position, new_epoch
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.table_state import TableState


class Catalogue:
    """The tables of one endpoint.

    Args:
        describe: Returns a table's line in the list.
    """

    def __init__(self, describe: Callable[[TableState, float], TableInfo]) -> None:
        self.tables: dict[str, TableState] = {}
        self.mortal: dict[str, TableState] = {}
        """Of these, those whose rows go by themselves."""
        self._describe = describe
        self._epoch = new_epoch()
        self._version = 1

    @property
    def position(self) -> Position:
        """Epoch and number of the list as it is now."""
        return Position(self._epoch, self._version)

    @property
    def beginning(self) -> Position:
        """The position of whom nothing was sent."""
        return Position(self._epoch, 0)

    def add(self, table: TableState) -> None:
        """Put a table in, in the place of one of the same name."""
        self.tables[table.name] = table
        if table.rows.is_mortal:
            self.mortal[table.name] = table
        self._version += 1

    def remove(self, name: str) -> TableState:
        """Take a table out; return it."""
        table = self.tables.pop(name)
        self.mortal.pop(name, None)
        self._version += 1
        return table

    def make_place(self, table: TableState) -> None:
        """Take out a table in whose place another one is put at once, if it is there still."""
        if self.tables.get(table.name) is table:
            del self.tables[table.name]
            self.mortal.pop(table.name, None)

    def header(self, number: int, now: float) -> Header:
        """Return the message with the list."""
        return Header(
            "catalogue",
            want=number,
            position=self.position,
            tables=tuple(self._describe(table, now) for table in self.tables.values()),
        )
