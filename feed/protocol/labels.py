"""Labels of columns and rows as JSON and as text; 1, "1" and (1, None) stay distinct."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from livetable.feed.base.terminal_text import safe_str

Label: TypeAlias = Any
"""Any hashable that pandas accepts as a label."""

JsonLabel: TypeAlias = Any
"""A label in a message: a string, bool or null as it is; others as ``[type, value]``."""


def to_json(label: Label) -> JsonLabel:
    """Return a label as JSON: text, bool and None as they are, the rest as ``[type, value]``.

    Types are ``int``, ``float``, ``time`` (ISO 8601), ``tuple`` (of labels) and ``text`` (what
    is anything else, as its ``str``).
    """
    if label is None or isinstance(label, bool):
        return label
    if type(label) is str:
        return label.encode("utf-8", "replace").decode()
    if isinstance(label, tuple):
        return ["tuple", [to_json(part) for part in label]]
    if isinstance(label, (datetime, date)):  # pandas' Timestamp is a datetime
        # NaT is a datetime too, and its isoformat is "NaT".
        return ["time", label.isoformat()]
    if isinstance(label, timedelta):
        return _as_text(label)
    item = getattr(label, "item", None)  # NumPy scalars
    if callable(item):
        try:
            label = item()
        except Exception:
            return _as_text(label)
    if isinstance(label, bool):
        return label
    if isinstance(label, int):
        return ["int", str(label)] if label.bit_length() < 10_000 else ["text", hex(label)[:1000]]
    if isinstance(label, float):
        return ["float", repr(float(label))]
    return _as_text(label)


def _as_text(label: Label) -> JsonLabel:
    return ["text", safe_str(label)[:1000].encode("utf-8", "replace").decode()]


def from_json(value: JsonLabel) -> Label:
    """Return the label that `to_json` wrote.

    Raises:
        ValueError: `value` is not a label.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        kind, content = value
        if kind == "tuple" and isinstance(content, list):
            return tuple(from_json(part) for part in content)
        if isinstance(content, str) and len(content) <= 4096:
            if kind == "int":
                return int(content)
            if kind == "float":
                return float(content)
            if kind in ("time", "text"):
                return content
    raise ValueError(f"not a label: {value!r:.80}")


def to_text(label: Label) -> str:
    """Return a label as people read it: as its `str`, a tuple's parts joined by ``·``.

    None and NaN become the empty string. The result is not yet safe for a terminal
    (`harmless`).
    """
    if label is None or (isinstance(label, float) and math.isnan(label)):
        return ""
    if isinstance(label, tuple):
        return " · ".join(filter(None, map(to_text, label)))
    return label if isinstance(label, str) else safe_str(label)
