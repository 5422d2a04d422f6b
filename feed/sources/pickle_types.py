"""Reads types and texts from a pickle's inert tree, and checks each."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import numpy as np

from livetable.feed.sources.pickle_reader import Node, Refused, Symbol

KINDS: Final = frozenset("biufcMmOUS")


# Only names of zones: pandas opens a file if the text looks like a path.
_ZONE: Final = re.compile(r"[A-Za-z]\w{0,31}(/[A-Za-z]\w{0,31}([+-]\w+)?){0,2}", re.ASCII)


_FREQUENCY: Final = re.compile(r"(period\[)?[A-Za-z]+(-[A-Za-z]+)?\]?", re.ASCII)


UNITS: Final = frozenset({"s", "ms", "us", "ns"})


_FREQUENCIES: Final = {
    "Day": "D", "Hour": "h", "Minute": "min", "Second": "s", "Milli": "ms", "Micro": "us",
    "Nano": "ns", "MonthEnd": "M", "QuarterEnd": "Q", "YearEnd": "Y", "BusinessDay": "B",
    "BDay": "B", "Week": "W",
}  # fmt: skip


def dtype_of(node: Any) -> np.dtype[Any]:
    if last_part(node) != "dtype" or not node.arguments or not isinstance(node.arguments[0], str):
        raise Refused("an array lacks its type")
    code = node.arguments[0]
    state = node.state if isinstance(node.state, tuple) else (3, "=")
    kind = code.lstrip("<>=|")
    if kind[:1] not in KINDS or not (kind[1:].isdigit() or kind == "O") or len(kind) > 8:
        raise Refused(f"livetable doesn't support arrays of type {code!r:.60}")
    unit = ""
    if kind[0] in "Mm":
        unit = text_of(state[8][1][0])
        if unit not in UNITS or state[8][1][1:] not in ((1, 1, 1), [1, 1, 1]):
            raise Refused(f"livetable doesn't support times in units of {unit!r:.20}")
        unit = f"[{unit}]"
    order = state[1] if state[1] in ("<", ">", "|", "=") else "="
    dtype = np.dtype(f"{'' if order == '|' else order}{kind}{unit}")
    if dtype.itemsize > 1 << 20:
        raise Refused("the values of an array are longer than 1 MiB")
    return dtype


def zone_of(node: Any) -> Any:
    """Return a time zone's name, UTC or an offset."""
    name = last_part(node)
    if name in ("_UTC", "UTC", "tzutc"):
        return "UTC"
    if name == "timezone":
        days, seconds, _ = called(node.arguments[0], "timedelta")
        from datetime import timezone

        return timezone(timedelta(days=int(days), seconds=int(seconds)))
    argument = node.arguments[0] if isinstance(node, Node) and node.arguments else None
    if isinstance(argument, str) and _ZONE.fullmatch(argument):
        return argument
    raise Refused("livetable doesn't support this kind of time zone")


def frequency_of(dtype: Any) -> str:
    (frequency, *_) = dtype.arguments if isinstance(dtype, Node) else ("",)
    if isinstance(frequency, str) and _FREQUENCY.fullmatch(frequency):
        return frequency.removeprefix("period[").removesuffix("]")
    alias = _FREQUENCIES.get(last_part(frequency))
    if alias is None:
        raise Refused("livetable doesn't support this frequency of periods")
    return alias


def called(node: Any, name: str) -> tuple[Any, ...]:
    if last_part(node) != name:
        raise Refused(f"expected {name}, got {last_part(node) or type(node).__name__:.60}")
    arguments: tuple[Any, ...] = node.arguments
    return arguments


def state_of(node: Any) -> dict[str, Any]:
    state = node.state if isinstance(node, Node) else None
    if not isinstance(state, dict):
        raise Refused("an object lacks its state")
    return state


def bytes_of(value: Any) -> bytes | bytearray:
    if last_part(value) == "bytearray":
        value = value.arguments[0] if value.arguments else b""
    if last_part(value) == "encode":  # how protocol 2 writes bytes
        return str(value.arguments[0]).encode("latin1")
    if isinstance(value, (bytes, bytearray)):
        return value
    raise Refused(f"expected bytes, got {type(value).__name__}")


def text_of(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    return bytes_of(value).decode("ascii")


def size_of(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 1 << 40:
        raise Refused("an array has an impossible size")
    return value


def last_part(node: Any) -> str:
    """Return the last part of the name that a node calls; empty if it is not a node."""
    return node.path.rpartition(".")[2] if isinstance(node, Node) else ""


def last_symbol(symbol: Any) -> str:
    return symbol.path.rpartition(".")[2] if isinstance(symbol, Symbol) else ""
