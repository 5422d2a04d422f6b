"""Read and check the fields of a message: types and sizes from the network are not trusted."""

from __future__ import annotations

import json
from typing import Any, Final

from livetable.feed.errors import BadName, WireError
from livetable.feed.protocol.names import check_name

VERSION: Final = 1
"""Version of the protocol; readers refuse other versions."""

MAX_RANGES: Final = 10_000
"""Most ranges of removed rows in a delta."""


def json_object(data: bytes, limit: int, what: str) -> dict[str, Any]:
    """Decode a JSON message; check its version and its length.

    Raises:
        WireError: it is anything else.
    """
    if len(data) > limit:
        raise WireError(f"a {what} of {len(data)} bytes is longer than the limit of {limit}")
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise WireError(f"a {what} must be JSON") from None
    if not isinstance(message, dict) or "livetable" not in message:
        raise WireError(f'a {what} must be a JSON object with "livetable":{VERSION}')
    if message["livetable"] != VERSION:
        raise WireError(
            f"the other side speaks version {message['livetable']!r:.20} of the protocol, "
            f"this one {VERSION}: update the older of the two"
        )
    return message


def text_of(message: dict[str, Any], name: str, limit: int) -> str:
    """Return a string field of bounded length.

    Raises:
        WireError: it is anything else.
    """
    value = message.get(name)
    if not isinstance(value, str) or len(value) > limit:
        raise WireError(f"{name}: must be a string of at most {limit} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WireError(f"{name}: must be Unicode text") from None
    return value


def table_name(message: dict[str, Any]) -> str:
    """Return the field with a table's name.

    Raises:
        WireError: it is anything else.
    """
    try:
        return check_name(message.get("name"))
    except BadName as error:
        raise WireError(f"name: {error}") from None


def count_of(message: dict[str, Any], name: str, default: int | None = None) -> int:
    """Return an integer field, 0 or more.

    Raises:
        WireError: it is anything else.
    """
    value = message.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise WireError(f"{name}: must be a whole number, 0 or more")
    return value


def seconds_of(message: dict[str, Any], name: str) -> float | None:
    """Return a number field, 0 or more; None if it is missing.

    Raises:
        WireError: it is anything else.
    """
    value = message.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        raise WireError(f"{name}: must be a number, 0 or more")
    return float(value)


def labels_of(message: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Return a field with a list of labels, empty if it is missing.

    Raises:
        WireError: it is anything else.
    """
    value = message.get(name, [])
    if not isinstance(value, list) or len(value) > 64:
        raise WireError(f"{name}: must be a list of at most 64 labels")
    return tuple(value)


def ranges_of(message: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return the ranges of removed rows: first row and count, ascending.

    Raises:
        WireError: it is anything else.
    """
    value = message.get("gone", [])
    if not isinstance(value, list) or len(value) > MAX_RANGES:
        raise WireError(f"gone: must be a list of at most {MAX_RANGES} ranges")
    ranges, behind = [], 0
    for pair in value:
        if not (isinstance(pair, list) and len(pair) == 2):
            raise WireError("gone: must be a list of [first, count]")
        first, count = count_of({"gone": pair[0]}, "gone"), count_of({"gone": pair[1]}, "gone")
        if first < behind or not count:
            raise WireError("gone: the ranges must ascend, each of at least one row")
        behind = first + count
        ranges.append((first, count))
    return tuple(ranges)
