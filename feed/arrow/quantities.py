"""Numbers with a unit, as commands print them: `12G`, `44%`, `8.6Mi`, `1m30s`.

They stay text, since `df -h` has rounded them already; they sort and compare by their size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DTYPE: Final = "quantity"
"""What the wire calls the type of a column of such texts (docs/protocol.md)."""

_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?"
_BYTES: Final = re.compile(rf"({_NUMBER}) ?(B|[kKMGTPE]i?B?)")
_SPAN: Final = re.compile(rf"({_NUMBER})(ns|us|µs|ms|s|m|h|d|w|y)")
_PLAIN: Final = re.compile(_NUMBER)
_POWER: Final = {letter: at for at, letter in enumerate(" KMGTPE")}
_SECONDS: Final = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
    "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0,
}  # fmt: skip

PATTERN: Final = (
    rf"^ *(?:{_NUMBER}(?:%| ?B| ?[kKMGTPE]i?B?)?"
    r"|-?(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h|d|w|y))+) *$"
)
"""What each of them looks like, for Arrow's and Python's regular expressions."""


class Family(Enum):
    """What is measured. Quantities of different families have no order among them."""

    PLAIN = "numbers"
    PERCENT = "per cent"
    BYTES = "bytes"
    SPAN = "durations"
    MILLI = "thousandths"
    """Only `m` and no unit: `250m` of a processor."""


def size_of(text: str) -> tuple[float, Family] | None:
    """Return how large a quantity is, and of which family; None for what is none.

    Bytes in bytes: `K` is 1024 of them as in df and ls, `kB` 1000, `Ki` and `KiB` 1024. Durations
    in seconds.
    """
    text = text.strip(" ")
    if _PLAIN.fullmatch(text):
        return float(text), Family.PLAIN
    if text.endswith("%") and _PLAIN.fullmatch(text[:-1]):
        return float(text[:-1]), Family.PERCENT
    if found := _BYTES.fullmatch(text):
        number, unit = found.groups()
        decimal = unit.endswith("B") and "i" not in unit
        power = _POWER.get(unit[0].upper(), 0) if unit != "B" else 0
        return float(number) * (1000.0 if decimal else 1024.0) ** power, Family.BYTES
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    parts = _SPAN.findall(rest)
    if parts and "".join(number + unit for number, unit in parts) == rest:
        if len(parts) == 1 and parts[0][1] == "m":
            return sign * float(parts[0][0]) * 60.0, Family.MILLI
        return sign * sum(float(number) * _SECONDS[unit] for number, unit in parts), Family.SPAN
    return None


def family_of(texts: Iterable[str]) -> Family | None:
    """Return which family texts are of; None if one is no quantity, or they are of several."""
    families: set[Family] = set()
    for text in texts:
        size = size_of(text)
        if size is None:
            return None
        families.add(size[1])
    if Family.SPAN in families:
        families.discard(Family.MILLI)  # minutes, then
    if len(families) > 1:
        families.discard(Family.PLAIN)
    return families.pop() if len(families) == 1 else None


def sizes(values: pa.Array) -> tuple[np.ndarray[Any, Any], Family] | None:
    """Return how large a column's quantities are, NaN where there is none; None if they have no
    order among them."""
    import numpy as np

    from livetable.feed.arrow.arrays import indices_of

    encoded = values.dictionary_encode() if not hasattr(values, "dictionary") else values
    texts: list[str] = encoded.dictionary.to_pylist()
    family = family_of(texts)
    if family is None:
        return None
    each = np.array([in_family(text, family) for text in texts] or [np.nan], dtype=np.float64)
    indices, present = indices_of(encoded)
    numbers = each.take(indices)
    numbers[~present] = np.nan
    return numbers, family


def in_family(text: str, family: Family) -> float:
    """Return how large a quantity is among those of a family; NaN if it is none of them."""
    measured = size_of(text)
    if measured is None:
        return float("nan")
    size, own = measured
    if own is Family.MILLI:
        # 250m: minutes among durations, else a quarter of one.
        return size if family is Family.SPAN else size / 60_000.0 if family is own else float("nan")
    return size if own in (family, Family.PLAIN) else float("nan")
