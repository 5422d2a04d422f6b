"""Builds a pandas frame from a pickle's inert tree. Checks each shape, type and buffer first."""

from __future__ import annotations

import decimal
import reprlib
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from livetable.feed.sources.pickle_reader import Node, Refused, Symbol
from livetable.feed.sources.pickle_types import (
    bytes_of,
    called,
    dtype_of,
    frequency_of,
    last_part,
    last_symbol,
    size_of,
    state_of,
    text_of,
    zone_of,
)


def thaw(tree: Any) -> pd.DataFrame:
    """Return the frame that a pickle's tree describes.

    Args:
        tree: What `livetable.feed.sources.pickle_reader.read` returned.

    Raises:
        Refused: not a DataFrame or Series, or its parts contradict each other.
    """
    try:
        return _frame(tree)
    except Refused:
        raise
    except Exception as error:  # from pandas, for parts that don't match
        raise Refused(f"its parts contradict each other: {error}"[:300]) from None


def _frame(tree: Any) -> pd.DataFrame:
    name = last_part(tree)
    if name == "Series":
        state = state_of(tree)
        values, index = _single(state["_mgr"])
        label = _cell(state.get("_name", state.get("name")))
        return pd.DataFrame({0: pd.Series(values, index=index)}).set_axis([label], axis=1)
    if name != "DataFrame":
        what = name if isinstance(tree, Node) else type(tree).__name__
        raise Refused(f"it holds a {what}, not a DataFrame")
    manager = state_of(tree)["_mgr"]
    if last_part(manager) != "BlockManager" or len(manager.arguments) != 2:
        raise Refused("no version of pandas writes a DataFrame like this")
    blocks, axes = manager.arguments
    columns, index = (_index(axis) for axis in axes)
    filled: list[Any] = [None] * len(columns)
    for block in blocks:
        values, placement, _ = called(block, "_unpickle_block")
        places = _places(placement, len(columns))
        parts = _block(values, len(places))
        for place, part in zip(places, parts, strict=True):
            if len(part) != len(index):
                raise Refused("the columns differ in length")
            filled[place] = part
    if any(part is None for part in filled):
        raise Refused("the DataFrame lacks a column")
    frame = pd.DataFrame(dict(enumerate(filled)), index=range(len(index)))
    return frame.set_axis(index, axis=0).set_axis(columns, axis=1)


def _single(manager: Any) -> tuple[Any, pd.Index[Any]]:
    if last_part(manager) != "SingleBlockManager" or not isinstance(manager.state, tuple):
        raise Refused("no version of pandas writes a Series like this")
    inner = manager.state[3]["0.14.1"]
    (block,), (axis,) = inner["blocks"], inner["axes"]
    (values,) = _block(block["values"], 1)
    return values, _index(axis)


def _block(values: Any, count: int) -> list[Any]:
    """Return the columns of a block."""
    array = _values(values)
    if getattr(array, "ndim", 1) == 1:
        return [array] if count == 1 else _wrong_count()
    if array.shape[0] != count:
        _wrong_count()
    return [array[number] for number in range(count)]


def _wrong_count() -> list[Any]:
    raise Refused("a block has the wrong number of columns")


def _places(placement: Any, count: int) -> list[int]:
    if last_part(placement) == "slice":
        places = list(range(*slice(*placement.arguments).indices(count)))
    else:
        places = [int(place) for place in _ndarray(placement)]
    if not all(0 <= place < count for place in places):
        raise Refused("a block names columns that the DataFrame lacks")
    return places


def _values(node: Any) -> Any:
    """Return an array: NumPy's, or one of pandas' own kinds."""
    name = last_part(node)
    if name in ("_reconstruct", "_frombuffer"):
        return _ndarray(node)
    if name == "__pyx_unpickle_NDArrayBacked":
        return _backed(node)
    maker = _ARRAYS.get(name)
    if maker is None:
        raise Refused(f"livetable doesn't support arrays of kind {name!r:.60}")
    return maker(node)


def _backed(node: Node) -> Any:
    kind = node.arguments[0]
    parts = node.state
    if not isinstance(kind, Symbol) or not isinstance(parts, tuple) or len(parts) < 2:
        raise Refused("livetable doesn't support this kind of array")
    # pandas has written the two in either order.
    parts = sorted(parts[:2], key=lambda part: last_part(part) in ("_reconstruct", "_frombuffer"))
    dtype, values = parts[0], _ndarray(parts[1])
    name = kind.path.rpartition(".")[2]
    if name == "Categorical":
        if values.dtype.kind != "i":
            raise Refused("the codes of a Categorical are not whole numbers")
        categories, ordered = _categories(dtype)
        return pd.Categorical.from_codes(values.reshape(-1), categories, ordered)
    flat = values.reshape(-1) if values.ndim == 1 or values.shape[0] == 1 else None
    if name in ("DatetimeArray", "TimedeltaArray"):
        zone = zone_of(state_of(dtype)["tz"]) if last_part(dtype) == "DatetimeTZDtype" else None
        if values.dtype.kind not in "Mm" or (zone is not None and values.dtype.kind != "M"):
            raise Refused("a column of times holds something else")
        if zone is None:
            return values
        if flat is None:
            raise Refused("livetable doesn't support the shape of an array")
        return pd.DatetimeIndex(flat).tz_localize("UTC").tz_convert(zone)
    if flat is None:
        raise Refused("livetable doesn't support the shape of an array")
    if name == "PeriodArray":
        maker: Any = pd.PeriodIndex
        return maker.from_ordinals(flat.astype("int64"), freq=frequency_of(dtype))
    if name == "StringArray":
        return np.array([value if type(value) is str else None for value in flat], dtype=object)
    raise Refused(f"livetable doesn't support arrays of kind {name!r:.60}")


def _masked(node: Node) -> Any:
    state = state_of(node)
    data, mask = _ndarray(state["_data"]), _ndarray(state["_mask"])
    if mask.dtype.kind != "b" or data.shape != mask.shape or data.dtype.kind not in "biuf":
        raise Refused("the mask doesn't fit its array")
    makers: dict[str, Callable[..., Any]] = {
        "b": pd.arrays.BooleanArray,
        "f": pd.arrays.FloatingArray,
    }
    maker = makers.get(data.dtype.kind, pd.arrays.IntegerArray)
    return maker(data.reshape(-1).copy(), mask.reshape(-1).copy())


def _arrow_string(node: Node) -> Any:
    state = state_of(node)
    return _arrow(state.get("_pa_array", state.get("_data")))


def _arrow(node: Any) -> Any:
    if last_part(node) == "chunked_array":
        chunks = [_arrow(chunk) for chunk in node.arguments[0]]
        return np.concatenate(chunks) if chunks else np.array([], dtype=object)
    (parts,) = called(node, "_restore_array")
    kind, length, _, offset, buffers = parts[:5]
    name = kind.arguments[0] if last_part(kind) == "type_for_alias" else last_part(kind)
    types = {"string": pa.string(), "large_string": pa.large_string()}
    if name not in types or parts[5]:
        raise Refused(f"livetable doesn't support pickled Arrow arrays of type {name!r:.60}")
    memory = [
        None if buffer is None else pa.py_buffer(bytes(bytes_of(called(buffer, "py_buffer")[0])))
        for buffer in buffers
    ]
    array = pa.Array.from_buffers(types[name], size_of(length), memory, -1, size_of(offset))
    array.validate(full=True)
    return array.to_numpy(zero_copy_only=False)


_ARRAYS: Final[dict[str, Callable[[Any], Any]]] = {
    "IntegerArray": _masked,
    "BooleanArray": _masked,
    "FloatingArray": _masked,
    "ArrowStringArray": _arrow_string,
}


def _index(node: Any) -> pd.Index[Any]:
    name = last_part(node)
    if name not in ("_new_Index", "_new_DatetimeIndex", "_new_PeriodIndex"):
        raise Refused("livetable doesn't support this kind of index")
    kind, parts = node.arguments
    if last_symbol(kind) == "RangeIndex":
        span = range(*(int(parts[part]) for part in ("start", "stop", "step")))
        return pd.RangeIndex(span, name=_cell(parts["name"]))
    if last_symbol(kind) == "MultiIndex":
        codes = [_ndarray(codes).tolist() for codes in parts["codes"]]
        levels = [_index(level) for level in parts["levels"]]
        if any(len(level) > 1000 + 10 * max(map(len, codes), default=0) for level in levels):
            raise Refused("an index has far more labels than rows")
        return pd.MultiIndex(
            levels=[list(level) for level in levels],
            codes=codes,
            names=[_cell(label) for label in parts["names"]],
        )
    values = _values(parts["data"]) if _is_array(parts["data"]) else _index(parts["data"])
    index: pd.Index[Any] = pd.Index(values, name=_cell(parts.get("name")))
    return index


def _is_array(node: Any) -> bool:
    return not last_part(node).startswith("_new_")


def _categories(dtype: Any) -> tuple[pd.Index[Any], bool]:
    state = state_of(dtype)
    return _index(state["categories"]), bool(state["ordered"])


def _ndarray(node: Any) -> np.ndarray[Any, Any]:
    if last_part(node) == "_frombuffer":
        data, kind, shape, order = node.arguments
        fortran = order == "F"
    else:
        if last_part(node) != "_reconstruct" or not isinstance(node.state, tuple):
            raise Refused("livetable doesn't support this kind of array")
        _, shape, kind, fortran, data = node.state
    dtype = dtype_of(kind)
    sizes = tuple(map(size_of, shape))
    count = int(np.prod(sizes, dtype=object)) if sizes else 1
    if len(sizes) not in (1, 2) or count > 1 << 33:
        raise Refused(f"livetable doesn't support arrays of shape {sizes!r:.60}")
    if dtype.kind == "O":
        if not isinstance(data, list) or len(data) != count:
            raise Refused("the number of values doesn't match the array's shape")
        flat = np.empty(count, dtype=object)
        flat[:] = [_cell(value) for value in data]
    else:
        buffer = bytes(bytes_of(data))
        if len(buffer) != count * dtype.itemsize:
            raise Refused("the number of bytes doesn't match the array's shape")
        flat = np.frombuffer(buffer, dtype=dtype)
        if dtype.kind == "b":  # other bytes than 0 and 1 are not valid booleans
            flat = np.frombuffer(buffer, dtype="u1") != 0
        flat = flat.astype(dtype.newbyteorder("="), copy=False)
    return flat.reshape(sizes, order="F" if fortran else "C")


def _cell(value: Any, depth: int = 0) -> Any:
    """Return a value of an object column, or a label. Unknown objects become short texts."""
    if value is None or type(value) in (bool, float, str, bytes):
        return value
    if type(value) is int:
        return value if value.bit_length() <= 256 else f"<an int of {value.bit_length()} bits>"
    if type(value) is tuple and depth == 0 and len(value) <= 64:
        return tuple(_cell(part, 1) for part in value)
    if isinstance(value, Symbol):
        return None if value.path.rpartition(".")[2] in ("NA", "NaT") else f"<{value.path}>"
    if isinstance(value, Node):
        maker = _CELLS.get(last_part(value))
        try:
            return maker(value) if maker else f"<{last_part(value)}>"
        except Refused:
            raise
        except Exception:
            return f"<{last_part(value)}>"
    # Lists, dicts and sets: a few hundred bytes can nest to any size, so keep only some text.
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
    "Decimal": lambda node: decimal.Decimal(text_of(node.arguments[0])[:200]),
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
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone_of(zone))


def _timedelta(value: int, resolution: int = 10) -> Any:
    return pd.Timedelta(int(value), unit=_RESOLUTIONS[resolution])


def _scalar(node: Node) -> Any:
    dtype = dtype_of(node.arguments[0])
    buffer = bytes(bytes_of(node.arguments[1]))
    if dtype.kind == "O" or len(buffer) != dtype.itemsize:
        raise Refused("the size of a number doesn't match its type")
    return np.frombuffer(buffer, dtype=dtype)[0].item()
