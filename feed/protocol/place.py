"""The place of a body in its feed's shared memory."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Final

from livetable.feed.errors import WireError
from livetable.feed.protocol.fields import count_of, text_of

_MEMORY_NAME: Final = "livetable-[0-9a-f]{32}"


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a body in its feed's shared memory, for viewers on the same machine.

    Attributes:
        pid: The feed's process.
        fd: That process's descriptor of the memory.
        name: The memory's name: ``livetable-`` and 32 hexadecimal digits.
        at: Offset of the body.
        number: The number in the memory's first eight bytes while the body is valid. The viewer
            compares it after copying: another number means that the body was overwritten.
    """

    pid: int
    fd: int
    name: str
    at: int
    number: int

    def to_json(self) -> dict[str, Any]:
        """Return the place as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: object) -> Place:
        """Read a place.

        Raises:
            WireError: a field is missing or of another type.
        """
        if not isinstance(value, dict):
            raise WireError("memory: must be an object")
        name = text_of(value, "name", 64)
        if not re.fullmatch(_MEMORY_NAME, name):
            raise WireError("name: must be livetable- and 32 hexadecimal digits")
        counts = {one: count_of(value, one) for one in ("pid", "fd", "at", "number")}
        return cls(name=name, **counts)


def can_share(endpoint: str) -> bool:
    """Tell whether viewers at an endpoint can read their feed's memory: on the same Linux."""
    return endpoint.startswith("ipc://") and hasattr(os, "memfd_create")
