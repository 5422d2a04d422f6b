"""Checks the arguments of `Publisher`."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from livetable.feed.base.late_import import loaded
from livetable.feed.errors import BadEndpoint, BadFrame
from livetable.feed.local import endpoints
from livetable.feed.protocol.labels import to_json


def limit_of(limit: Any) -> int | None:
    """Return the most rows that a table may hold, None for no limit.

    Raises:
        ValueError: `limit` is not a positive integer.
    """
    try:
        if limit is None or (not isinstance(limit, bool) and limit == int(limit) and limit >= 1):
            return None if limit is None else int(limit)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"limit={limit!r:.60}: must be a number of rows, at least 1")


def ttl_of(ttl: Any) -> float | None:
    """Return how many seconds a row is kept, None for ever.

    Raises:
        ValueError: `ttl` is not a number above 0.
    """
    try:
        if ttl is None or (not isinstance(ttl, (bool, str)) and float(ttl) > 0):
            return None if ttl is None else float(ttl)
    except OverflowError:  # an int too large for a float
        if ttl > 0:
            return math.inf
    except (TypeError, ValueError):
        pass
    raise ValueError(f"ttl={ttl!r:.60}: must be a number of seconds above 0")


def types_of(schema: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Return the schema's types, by the JSON of each column label.

    Raises:
        BadFrame: `schema` is not a mapping, or a type is not supported.
    """
    if not schema:
        return {}
    if not isinstance(schema, Mapping):
        raise BadFrame(f"schema={schema!r:.60}: must map columns to types, e.g. {{'price': float}}")
    loaded("livetable.feed.arrow.common_type")
    from livetable.feed.arrow.common_type import named_type

    return {json.dumps(to_json(label)): named_type(kind) for label, kind in schema.items()}


def is_by_broker(endpoint: Any) -> bool:
    """Tell whether an endpoint is a broker's.

    Raises:
        BadEndpoint: it is not an endpoint.
    """
    if endpoint is None:
        return False
    if not isinstance(endpoint, str):
        raise BadEndpoint(f"{endpoint!r:.60} is not an endpoint: write tcp://127.0.0.1:5411")
    if "://" in endpoint and _is_brokers(endpoint):
        return True
    endpoints.check_endpoint(endpoint)
    return False


def _is_brokers(endpoint: str) -> bool:
    from livetable.feed.base.addresses import scheme_of

    return scheme_of(endpoint) is not None


def maker() -> tuple[str, bool]:
    """Return the line of code that makes a Publisher, and whether that line is interactive."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("livetable."):
        frame = frame.f_back
    if frame is None:
        return "?", False
    file = frame.f_code.co_filename
    name = os.path.basename(file)
    interactive = file in ("<stdin>", "<console>") or name.startswith(("<ipython", "<python-input"))
    interactive = interactive or "ipykernel" in file
    return f"{file}:{frame.f_lineno}", interactive


def is_made_again(older: tuple[str, bool], newer: tuple[str, bool]) -> bool:
    """Tell whether two Publishers were made by the same line, or both in an interactive session."""
    return (older[0] == newer[0] != "?") or (older[1] and newer[1])
