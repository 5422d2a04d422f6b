"""Numbers with a unit, as commands print them: `12G`, `44%`, `8.6Mi`, `1m30s`.

They stay text, because `df -h` has already rounded them; they sort and compare by size.
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
"""Name of such a column's type in the protocol (docs/protocol.md)."""

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
"""Pattern of a quantity, for the regular expressions of both Arrow and Python."""


class Family(Enum):
    """What a quantity measures. Quantities of different families can't be compared."""

    PLAIN = "numbers"
    PERCENT = "per cent"
    BYTES = "bytes"
    SPAN = "durations"
    MILLI = "thousandths"
    """Only `m` and no unit: `250m` of a processor."""


def size_of(text: str) -> tuple[float, Family] | None:
    """Return a quantity's size and family, None if the text is not a quantity.

    Sizes are in bytes (`K`, `Ki` and `KiB` are 1024, as in df and ls, `kB` is 1000), durations in
    seconds.
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
    """Return the family of texts; None if one is not a quantity, or if they mix families."""
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
    """Return a column's quantities as numbers, NaN where missing; None if they mix families."""
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
    """Return a quantity's size in a column of a family; NaN if it is of another family."""
    measured = size_of(text)
    if measured is None:
        return float("nan")
    size, own = measured
    if own is Family.MILLI:
        # 250m is 250 minutes among durations, else a quarter (of a processor).
        return size if family is Family.SPAN else size / 60_000.0 if family is own else float("nan")
    return size if own in (family, Family.PLAIN) else float("nan")
