"""Python objects as an Arrow array that holds exactly these values, or an error.

Left alone, Arrow loses data in mixed columns: the time of a date, the zone of a time, the
nanoseconds of a timestamp.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import one_chunk

# Arrow imports pandas at its first conversion, under a lock. A child forked during that would wait
# for the lock for ever. So it is done here, in the import, for which forks wait.
pa.array([None], from_pandas=True)


def of_cells(values: Sequence[Any]) -> pa.Array:
    """Return cells as an Arrow array; missing values become null.

    Raises:
        pa.ArrowException: Arrow has no type for them.
        ValueError: they are of several types, or Arrow would change values.
    """
    try:
        array = one_chunk(_but_times(values, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = _mixed(values)
    if pa.types.is_struct(array.type):
        raise ValueError("a struct would give every dict the keys of all the others")
    if not _has(array.type, pa.types.is_temporal) or _are_plain(array.type, values):
        return array
    for candidate in _tries(array, values):
        if all(map(_same, candidate.to_pylist(), values)):
            return candidate
    raise ValueError("Arrow would change these times")


def unmixed_array(values: Sequence[Any]) -> pa.Array | pa.ChunkedArray:
    """Return values as Arrow converts them, unless it would silently change some.

    Raises:
        pa.ArrowException, OverflowError: as `pa.array` does.
        ValueError: it would, e.g. True among numbers to 1, a UUID to a number, a text to bytes.
    """
    array = _but_times(values, from_pandas=False)
    if _has(array.type, pa.types.is_temporal) and not _are_plain(array.type, values):
        _check_same(array, values)
    return array


def _but_times(values: Sequence[Any], *, from_pandas: bool) -> pa.Array | pa.ChunkedArray:
    """Do what `unmixed_array` does, without the check of times."""
    if _are_unsafe(values):
        raise ValueError("a mix of NumPy's times and numbers, or lists nested too deep")
    array = pa.array(values, from_pandas=from_pandas)
    if not _are_known(array.type, values):
        _check_same(array, values)
    return array


def _check_same(array: pa.Array | pa.ChunkedArray, values: Iterable[Any]) -> None:
    if not all(map(_same, array.to_pylist(), values)):
        raise ValueError(f"Arrow would change some values to fit {array.type}")


def _are_unsafe(values: Iterable[Any]) -> bool:
    """Tell whether values could make Arrow (26) end the process, or write what no reader accepts.

    That happens with NumPy's times among its numbers, and with a list that holds itself.
    """
    kinds: set[type] = set()
    level: Iterable[Any] = values
    for _ in range(_DEEPEST):
        here = set(map(type, level))
        kinds |= here
        holders = tuple(kind for kind in here if issubclass(kind, _HOLDERS))
        if not holders:
            times = {kind for kind in kinds if issubclass(kind, (np.datetime64, np.timedelta64))}
            return bool(times) and any(issubclass(kind, np.generic) for kind in kinds - times)
        each = {id(value): value for value in level if isinstance(value, holders)}  # once each
        level = [part for value in each.values() for part in _parts(value)]
    return True


_HOLDERS: Final = (list, tuple, set, frozenset, Mapping, np.ndarray)
_DEEPEST: Final = 60  # Arrow reads bodies of 64 levels


def _parts(holder: Any) -> Iterable[Any]:
    """Return the values in a container; of an array with one type only the first."""
    if isinstance(holder, Mapping):
        return holder.values()
    if isinstance(holder, np.ndarray):
        return holder.flat if holder.dtype == object else holder.flat[:1]
    return holder  # type: ignore[no-any-return]


def _are_known(kind: pa.DataType, values: Iterable[Any]) -> bool:
    """Tell whether Arrow keeps cells, and the values in them, as they are, judged by their classes.

    `of_cells` checks times.
    """
    if not pa.types.is_nested(kind):
        classes = set(map(type, values)) - {type(None)}
        known = next((known for is_of, known in _KNOWN if is_of(kind)), classes)
        return classes <= known or (len(classes) == 1 and classes <= _SINGLE)
    present = [value for value in values if value is not None]
    if pa.types.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        names = {field.name for field in fields}
        return all(type(value) is dict and value.keys() == names for value in present) and all(
            _are_known(field.type, [value[field.name] for value in present]) for field in fields
        )
    if kind.num_fields != 1 or not {list, tuple, np.ndarray}.issuperset(map(type, present)):
        return False
    return _are_known(kind.field(0).type, [part for value in present for part in _parts(value)])


_SINGLE: Final = frozenset({
    np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float16,
    np.float32, np.float64, np.bool_, np.str_, np.bytes_,
})  # fmt: skip
"""NumPy's classes that Arrow keeps, if all cells are of the same one."""

_KNOWN: Final[Sequence[tuple[Callable[[pa.DataType], bool], frozenset[type]]]] = (
    (pa.types.is_integer, frozenset({int})),
    (pa.types.is_floating, frozenset({int, float, np.float64})),
    (pa.types.is_boolean, frozenset({bool, np.bool_})),
    (pa.types.is_decimal, frozenset({int, decimal.Decimal})),
    (pa.types.is_string, frozenset({str, np.str_})),
    (pa.types.is_binary, frozenset({bytes, np.bytes_})),
    (pa.types.is_null, frozenset({float})),
)
"""By Arrow type, the classes that it keeps as they are, even mixed."""


def _mixed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:  # over 64 bits: decimals without a fraction
        return pa.array(values, type=pa.decimal256(76, 0))
    if kinds == {datetime.date, datetime.datetime}:
        return pa.array(list(map(_as_datetime, values)), from_pandas=True)
    raise ValueError("the values are of several types")


def _tries(array: pa.Array, values: Sequence[Any]) -> list[pa.Array]:
    kind, arrays = array.type, [array]
    try:
        if pa.types.is_date(kind):
            arrays.append(pa.array(list(map(_as_datetime, values)), from_pandas=True))
        elif pa.types.is_timestamp(kind):
            arrays.append(pa.array(values, type=pa.timestamp("ns", kind.tz), from_pandas=True))
        elif pa.types.is_duration(kind):
            arrays.append(pa.array(values, type=pa.duration("ns"), from_pandas=True))
    except (pa.ArrowException, OverflowError):
        return arrays
    return arrays


def _as_datetime(value: Any) -> Any:
    if type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    return value


def _are_plain(kind: pa.DataType, values: Sequence[Any]) -> bool:
    """Tell whether all cells are of one class that Arrow keeps: nothing to compare then."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1:
        return False
    (only,) = kinds or {type(None)}
    if only is datetime.datetime:  # all naive, or all with a zone
        return len({value.tzinfo is None for value in values if value is not None}) == 1
    if only is datetime.time:
        return all(value.tzinfo is None for value in values if value is not None)
    if only.__module__ == "numpy":
        return True
    return only in (datetime.date, datetime.timedelta, type(None))


def _same(read: Any, given: Any) -> bool:
    try:
        if read is None:
            is_gone = given is None or type(given).__name__ in ("NaTType", "NAType")
            return is_gone or bool(given != given)
        if isinstance(read, list):
            return len(read) == len(given) and all(map(_same, read, given))
        if isinstance(read, dict):
            return read.keys() == given.keys() and all(
                _same(value, given[key]) for key, value in read.items()
            )
        if type(given) is datetime.date and isinstance(read, datetime.datetime):
            return bool(read == _as_datetime(given))
        if isinstance(given, np.number) and not isinstance(given, (np.longdouble, np.timedelta64)):
            given = given.item()  # else NumPy compares in its own narrow type
        if any(isinstance(read, kind) != isinstance(given, kind) for kind in _APART):
            return False
        return bool(read == given or (read != read and given != given)) and (
            not isinstance(given, datetime.time) or read.tzinfo == given.tzinfo
        )
    except Exception:  # raised by the cell's own __eq__
        return False


_APART: Final[Sequence[Any]] = ((bool, np.bool_), str, (datetime.timedelta, np.timedelta64))
"""Classes whose values are equal to those of other classes in Python, e.g. True == 1."""


def _has(kind: pa.DataType, is_of: Callable[[pa.DataType], bool]) -> bool:
    if is_of(kind):
        return True
    return any(_has(kind.field(at).type, is_of) for at in range(kind.num_fields))
