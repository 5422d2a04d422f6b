"""A pickle's inert tree as a pandas frame, each shape, type and buffer checked on the way."""

from __future__ import annotations

import decimal
import re
import reprlib
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from livetable.feed.sources.pickle_reader import Node, Refused, Symbol

_KINDS: Final = frozenset("biufcMmOUS")
# Names alone: pandas would open what looks like a path.
_ZONE: Final = re.compile(r"[A-Za-z]\w{0,31}(/[A-Za-z]\w{0,31}([+-]\w+)?){0,2}", re.ASCII)
_FREQUENCY: Final = re.compile(r"(period\[)?[A-Za-z]+(-[A-Za-z]+)?\]?", re.ASCII)
_UNITS: Final = frozenset({"s", "ms", "us", "ns"})
_FREQUENCIES: Final = {
    "Day": "D", "Hour": "h", "Minute": "min", "Second": "s", "Milli": "ms", "Micro": "us",
    "Nano": "ns", "MonthEnd": "M", "QuarterEnd": "Q", "YearEnd": "Y", "BusinessDay": "B",
    "BDay": "B", "Week": "W",
}  # fmt: skip


def thaw(tree: Any) -> pd.DataFrame:
    """Return the frame that a pickle's tree describes.

    Args:
        tree: What `livetable.feed.sources.pickle_reader.read` returned.

    Raises:
        Refused: it is no DataFrame or Series, or contradicts itself.
    """
    try:
        return _frame(tree)
    except Refused:
        raise
    except Exception as error:  # of pandas, on parts that don't go together
        raise Refused(f"a pickled DataFrame contradicts itself: {error}"[:300]) from None


def _frame(tree: Any) -> pd.DataFrame:
    name = _last(tree)
    if name == "Series":
        state = _state(tree)
        values, index = _single(state["_mgr"])
        label = _cell(state.get("_name", state.get("name")))
        return pd.DataFrame({0: pd.Series(values, index=index)}).set_axis([label], axis=1)
    if name != "DataFrame":
        what = f"a pickled {type(tree).__name__}" if not isinstance(tree, Node) else f"a {name}"
        raise Refused(f"{what} is no DataFrame: refused")
    manager = _state(tree)["_mgr"]
    if _last(manager) != "BlockManager" or len(manager.arguments) != 2:
        raise Refused("a pickled DataFrame of an unknown kind: refused")
    blocks, axes = manager.arguments
    columns, index = (_index(axis) for axis in axes)
    filled: list[Any] = [None] * len(columns)
    for block in blocks:
        values, placement, _ = _called(block, "_unpickle_block")
        places = _places(placement, len(columns))
        parts = _block(values, len(places))
        for place, part in zip(places, parts, strict=True):
            if len(part) != len(index):
                raise Refused("a pickled DataFrame's columns differ in length: refused")
            filled[place] = part
    if any(part is None for part in filled):
        raise Refused("a pickled DataFrame lacks a column: refused")
    frame = pd.DataFrame(dict(enumerate(filled)), index=range(len(index)))
    return frame.set_axis(index, axis=0).set_axis(columns, axis=1)


def _single(manager: Any) -> tuple[Any, pd.Index[Any]]:
    if _last(manager) != "SingleBlockManager" or not isinstance(manager.state, tuple):
        raise Refused("a pickled Series of an unknown kind: refused")
    inner = manager.state[3]["0.14.1"]
    (block,), (axis,) = inner["blocks"], inner["axes"]
    (values,) = _block(block["values"], 1)
    return values, _index(axis)


def _block(values: Any, count: int) -> list[Any]:
    """Return the columns of a block."""
    array = _values(values)
    if getattr(array, "ndim", 1) == 1:
        return [array] if count == 1 else _none_fit()
    if array.shape[0] != count:
        _none_fit()
    return [array[number] for number in range(count)]


def _none_fit() -> list[Any]:
    raise Refused("a pickled DataFrame's block has another number of columns: refused")


def _places(placement: Any, count: int) -> list[int]:
    if _last(placement) == "slice":
        places = list(range(*slice(*placement.arguments).indices(count)))
    else:
        places = [int(place) for place in _ndarray(placement)]
    if not all(0 <= place < count for place in places):
        raise Refused("a pickled DataFrame's block lies outside of it: refused")
    return places


def _values(node: Any) -> Any:
    """Return an array of any kind: NumPy's, or one of pandas' own."""
    name = _last(node)
    if name in ("_reconstruct", "_frombuffer"):
        return _ndarray(node)
    if name == "__pyx_unpickle_NDArrayBacked":
        return _backed(node)
    maker = _ARRAYS.get(name)
    if maker is None:
        raise Refused(f"a pickled array of an unknown kind, {name!r:.60}: refused")
    return maker(node)


def _backed(node: Node) -> Any:
    kind = node.arguments[0]
    parts = node.state
    if not isinstance(kind, Symbol) or not isinstance(parts, tuple) or len(parts) < 2:
        raise Refused("a pickled array of an unknown kind: refused")
    # pandas wrote the two in either order.
    parts = sorted(parts[:2], key=lambda part: _last(part) in ("_reconstruct", "_frombuffer"))
    dtype, values = parts[0], _ndarray(parts[1])
    name = kind.path.rpartition(".")[2]
    if name == "Categorical":
        if values.dtype.kind != "i":
            raise Refused("a pickled Categorical's codes are no whole numbers: refused")
        categories, ordered = _categories(dtype)
        return pd.Categorical.from_codes(values.reshape(-1), categories, ordered)
    flat = values.reshape(-1) if values.ndim == 1 or values.shape[0] == 1 else None
    if name in ("DatetimeArray", "TimedeltaArray"):
        zone = _zone(_state(dtype)["tz"]) if _last(dtype) == "DatetimeTZDtype" else None
        if values.dtype.kind not in "Mm" or (zone is not None and values.dtype.kind != "M"):
            raise Refused("pickled times are no times: refused")
        if zone is None:
            return values
        if flat is None:
            raise Refused("a pickled array of an unknown shape: refused")
        return pd.DatetimeIndex(flat).tz_localize("UTC").tz_convert(zone)
    if flat is None:
        raise Refused("a pickled array of an unknown shape: refused")
    if name == "PeriodArray":
        maker: Any = pd.PeriodIndex
        return maker.from_ordinals(flat.astype("int64"), freq=_frequency(dtype))
    if name == "StringArray":
        return np.array([value if type(value) is str else None for value in flat], dtype=object)
    raise Refused(f"a pickled array of an unknown kind, {name!r:.60}: refused")


def _masked(node: Node) -> Any:
    state = _state(node)
    data, mask = _ndarray(state["_data"]), _ndarray(state["_mask"])
    if mask.dtype.kind != "b" or data.shape != mask.shape or data.dtype.kind not in "biuf":
        raise Refused("a pickled array's mask does not fit: refused")
    makers: dict[str, Callable[..., Any]] = {
        "b": pd.arrays.BooleanArray,
        "f": pd.arrays.FloatingArray,
    }
    maker = makers.get(data.dtype.kind, pd.arrays.IntegerArray)
    return maker(data.reshape(-1).copy(), mask.reshape(-1).copy())


def _arrow_string(node: Node) -> Any:
    state = _state(node)
    return _arrow(state.get("_pa_array", state.get("_data")))


def _arrow(node: Any) -> Any:
    if _last(node) == "chunked_array":
        chunks = [_arrow(chunk) for chunk in node.arguments[0]]
        return np.concatenate(chunks) if chunks else np.array([], dtype=object)
    (parts,) = _called(node, "_restore_array")
    kind, length, _, offset, buffers = parts[:5]
    name = kind.arguments[0] if _last(kind) == "type_for_alias" else _last(kind)
    types = {"string": pa.string(), "large_string": pa.large_string()}
    if name not in types or parts[5]:
        raise Refused(f"a pickled Arrow array of type {name!r:.60}: refused")
    memory = [
        None if buffer is None else pa.py_buffer(bytes(_bytes(_called(buffer, "py_buffer")[0])))
        for buffer in buffers
    ]
    array = pa.Array.from_buffers(types[name], _size(length), memory, -1, _size(offset))
    array.validate(full=True)
    return array.to_numpy(zero_copy_only=False)


_ARRAYS: Final[dict[str, Callable[[Any], Any]]] = {
    "IntegerArray": _masked,
    "BooleanArray": _masked,
    "FloatingArray": _masked,
    "ArrowStringArray": _arrow_string,
}


def _index(node: Any) -> pd.Index[Any]:
    name = _last(node)
    if name not in ("_new_Index", "_new_DatetimeIndex", "_new_PeriodIndex"):
        raise Refused("a pickled index of an unknown kind: refused")
    kind, parts = node.arguments
    if _last_symbol(kind) == "RangeIndex":
        span = range(*(int(parts[part]) for part in ("start", "stop", "step")))
        return pd.RangeIndex(span, name=_cell(parts["name"]))
    if _last_symbol(kind) == "MultiIndex":
        codes = [_ndarray(codes).tolist() for codes in parts["codes"]]
        levels = [_index(level) for level in parts["levels"]]
        if any(len(level) > 1000 + 10 * max(map(len, codes), default=0) for level in levels):
            raise Refused("a pickled index has far more labels than rows: refused")
        return pd.MultiIndex(
            levels=[list(level) for level in levels],
            codes=codes,
            names=[_cell(label) for label in parts["names"]],
        )
    values = _values(parts["data"]) if _is_array(parts["data"]) else _index(parts["data"])
    index: pd.Index[Any] = pd.Index(values, name=_cell(parts.get("name")))
    return index


def _is_array(node: Any) -> bool:
    return not _last(node).startswith("_new_")


def _categories(dtype: Any) -> tuple[pd.Index[Any], bool]:
    state = _state(dtype)
    return _index(state["categories"]), bool(state["ordered"])


def _ndarray(node: Any) -> np.ndarray[Any, Any]:
    if _last(node) == "_frombuffer":
        data, kind, shape, order = node.arguments
        fortran = order == "F"
    else:
        if _last(node) != "_reconstruct" or not isinstance(node.state, tuple):
            raise Refused("a pickled array of an unknown kind: refused")
        _, shape, kind, fortran, data = node.state
    dtype = _dtype(kind)
    sizes = tuple(map(_size, shape))
    count = int(np.prod(sizes, dtype=object)) if sizes else 1
    if len(sizes) not in (1, 2) or count > 1 << 33:
        raise Refused(f"a pickled array of shape {sizes!r:.60}: refused")
    if dtype.kind == "O":
        if not isinstance(data, list) or len(data) != count:
            raise Refused("a pickled array has another number of values than its shape: refused")
        flat = np.empty(count, dtype=object)
        flat[:] = [_cell(value) for value in data]
    else:
        buffer = bytes(_bytes(data))
        if len(buffer) != count * dtype.itemsize:
            raise Refused("a pickled array has another number of bytes than its shape: refused")
        flat = np.frombuffer(buffer, dtype=dtype)
        if dtype.kind == "b":  # a byte of a boolean may be anything
            flat = np.frombuffer(buffer, dtype="u1") != 0
        flat = flat.astype(dtype.newbyteorder("="), copy=False)
    return flat.reshape(sizes, order="F" if fortran else "C")


def _dtype(node: Any) -> np.dtype[Any]:
    if _last(node) != "dtype" or not node.arguments or not isinstance(node.arguments[0], str):
        raise Refused("a pickled array of an unknown type: refused")
    code = node.arguments[0]
    state = node.state if isinstance(node.state, tuple) else (3, "=")
    kind = code.lstrip("<>=|")
    if kind[:1] not in _KINDS or not (kind[1:].isdigit() or kind == "O") or len(kind) > 8:
        raise Refused(f"a pickled array of type {code!r:.60}: refused")
    unit = ""
    if kind[0] in "Mm":
        unit = _text(state[8][1][0])
        if unit not in _UNITS or state[8][1][1:] not in ((1, 1, 1), [1, 1, 1]):
            raise Refused(f"pickled times in units of {unit!r:.20}: refused")
        unit = f"[{unit}]"
    order = state[1] if state[1] in ("<", ">", "|", "=") else "="
    dtype = np.dtype(f"{'' if order == '|' else order}{kind}{unit}")
    if dtype.itemsize > 1 << 20:
        raise Refused("a pickled array of too wide a type: refused")
    return dtype


def _zone(node: Any) -> Any:
    """Return a time zone's name, UTC or an offset."""
    name = _last(node)
    if name in ("_UTC", "UTC", "tzutc"):
        return "UTC"
    if name == "timezone":
        days, seconds, _ = _called(node.arguments[0], "timedelta")
        from datetime import timezone

        return timezone(timedelta(days=int(days), seconds=int(seconds)))
    argument = node.arguments[0] if isinstance(node, Node) and node.arguments else None
    if isinstance(argument, str) and _ZONE.fullmatch(argument):
        return argument
    raise Refused("a pickled time zone of an unknown kind: refused")


def _frequency(dtype: Any) -> str:
    (frequency, *_) = dtype.arguments if isinstance(dtype, Node) else ("",)
    if isinstance(frequency, str) and _FREQUENCY.fullmatch(frequency):
        return frequency.removeprefix("period[").removesuffix("]")
    alias = _FREQUENCIES.get(_last(frequency))
    if alias is None:
        raise Refused("pickled periods of an unknown frequency: refused")
    return alias


def _cell(value: Any, depth: int = 0) -> Any:
    """Return a value of an object column or a label; what is not known, as short text."""
    if value is None or type(value) in (bool, float, str, bytes):
        return value
    if type(value) is int:
        return value if value.bit_length() <= 256 else f"<an int of {value.bit_length()} bits>"
    if type(value) is tuple and depth == 0 and len(value) <= 64:
        return tuple(_cell(part, 1) for part in value)
    if isinstance(value, Symbol):
        return None if value.path.rpartition(".")[2] in ("NA", "NaT") else f"<{value.path}>"
    if isinstance(value, Node):
        maker = _CELLS.get(_last(value))
        try:
            return maker(value) if maker else f"<{_last(value)}>"
        except Refused:
            raise
        except Exception:
            return f"<{_last(value)}>"
    # Lists, dicts and sets: a few hundred bytes can nest to any size, so only some of their text.
    if depth or _holds_nodes(value):
        return f"<{type(value).__name__}>"
    return _SHORT.repr(value)


_SHORT: Final = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = _SHORT.maxset = 12
_SHORT.maxstring = _SHORT.maxother = 60


def _holds_nodes(value: Any) -> bool:
    parts = list(value.items()) if isinstance(value, dict) else list(value)
    return any(isinstance(part, (Node, Symbol)) for part in parts[:64])


def _packed(node: Node) -> bytes:
    data = node.arguments[0]
    return data if isinstance(data, bytes) else str(data).encode("latin1")


_CELLS: Final[dict[str, Callable[[Node], Any]]] = {
    "Decimal": lambda node: decimal.Decimal(_text(node.arguments[0])[:200]),
    "date": lambda node: date(*_date_parts(_packed(node))),
    "datetime": lambda node: _datetime(_packed(node)),
    "time": lambda node: _time(_packed(node)),
    "timedelta": lambda node: timedelta(*map(int, node.arguments[:3])),
    "_unpickle_timestamp": lambda node: _timestamp(*node.arguments),
    "_timedelta_unpickle": lambda node: _timedelta(*node.arguments),
    "_nat_unpickle": lambda node: pd.NaT,
    "__nat_unpickle": lambda node: pd.NaT,
    "scalar": lambda node: _scalar(node),
    "complex": lambda node: complex(*map(float, node.arguments)),
}


def _date_parts(packed: bytes) -> tuple[int, int, int]:
    return packed[0] * 256 + packed[1], packed[2], packed[3]


def _datetime(packed: bytes) -> datetime:
    micro = int.from_bytes(packed[7:10], "big")
    return datetime(*_date_parts(packed), packed[4], packed[5], packed[6], micro)


def _time(packed: bytes) -> time:
    return time(packed[0], packed[1], packed[2], int.from_bytes(packed[3:6], "big"))


_RESOLUTIONS: Final[dict[int, Any]] = {7: "s", 8: "ms", 9: "us", 10: "ns"}
"""NumPy's numbers for units of time, as pandas writes them."""


def _timestamp(value: int, _: Any, zone: Any, resolution: int = 10) -> Any:
    moment = pd.Timestamp(int(value), unit=_RESOLUTIONS[resolution])
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(_zone(zone))


def _timedelta(value: int, resolution: int = 10) -> Any:
    return pd.Timedelta(int(value), unit=_RESOLUTIONS[resolution])


def _scalar(node: Node) -> Any:
    dtype = _dtype(node.arguments[0])
    buffer = bytes(_bytes(node.arguments[1]))
    if dtype.kind == "O" or len(buffer) != dtype.itemsize:
        raise Refused("a pickled number has another size than its type: refused")
    return np.frombuffer(buffer, dtype=dtype)[0].item()


def _called(node: Any, name: str) -> tuple[Any, ...]:
    if _last(node) != name:
        raise Refused(f"a pickled DataFrame has something else where {name} belongs: refused")
    arguments: tuple[Any, ...] = node.arguments
    return arguments


def _state(node: Any) -> dict[str, Any]:
    state = node.state if isinstance(node, Node) else None
    if not isinstance(state, dict):
        raise Refused("a pickled object of an unknown kind: refused")
    return state


def _bytes(value: Any) -> bytes | bytearray:
    if _last(value) == "bytearray":
        value = value.arguments[0] if value.arguments else b""
    if _last(value) == "encode":  # how protocol 2 writes bytes
        return str(value.arguments[0]).encode("latin1")
    if isinstance(value, (bytes, bytearray)):
        return value
    raise Refused("pickled bytes are no bytes: refused")


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    return _bytes(value).decode("ascii")


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 1 << 40:
        raise Refused("a pickled array of an impossible size: refused")
    return value


def _last(node: Any) -> str:
    """Return the last part of the name a node calls, empty for what is no node."""
    return node.path.rpartition(".")[2] if isinstance(node, Node) else ""


def _last_symbol(symbol: Any) -> str:
    return symbol.path.rpartition(".")[2] if isinstance(symbol, Symbol) else ""
