"""Where in its feed's memory a body is."""

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
    """Where in its feed's memory a body is, for a viewer on the same machine.

    Attributes:
        pid: The feed's process.
        fd: That process's descriptor of the memory.
        name: What the memory is called: ``livetable-`` and 32 hexadecimal digits.
        at: Its first byte.
        number: What the memory's first eight bytes say while it is there. Once it is copied they
            are looked at: if they say something else, it was written over.
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
