"""Python's objects as an Arrow array that holds just these, or none: what Arrow makes of mixtures
loses the time of a date, the zone of a time, the nanoseconds of a timestamp."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import one_chunk

# Arrow looks for pandas once, behind a lock of its own, for which a child that is forked meanwhile
# would wait without end. Here it looks in the thread that imports this: forks wait for that one.
pa.array([None], from_pandas=True)


def of_cells(values: Sequence[Any]) -> pa.Array:
    """Return cells as an Arrow array; what is missing becomes null.

    Raises:
        pa.ArrowException: they are of several types, or of one that Arrow does not have.
        ValueError: Arrow would make others of them.
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
    raise ValueError("these times would become others")


def unmixed_array(values: Sequence[Any]) -> pa.Array | pa.ChunkedArray:
    """Return values as Arrow has them, unless it would make others of them without saying so.

    Raises:
        pa.ArrowException, OverflowError: as `pa.array` does.
        ValueError: some would become others: true among numbers 1, a UUID a number, a text bytes.
    """
    array = _but_times(values, from_pandas=False)
    if _has(array.type, pa.types.is_temporal) and not _are_plain(array.type, values):
        _check_same(array, values)
    return array


def _but_times(values: Sequence[Any], *, from_pandas: bool) -> pa.Array | pa.ChunkedArray:
    """Return what `unmixed_array` does, but that times may have become others."""
    if _are_unsafe(values):
        raise ValueError("NumPy's times beside its numbers, or lists within lists without end")
    array = pa.array(values, from_pandas=from_pandas)
    if not _are_known(array.type, values):
        _check_same(array, values)
    return array


def _check_same(array: pa.Array | pa.ChunkedArray, values: Iterable[Any]) -> None:
    if not all(map(_same, array.to_pylist(), values)):
        raise ValueError(f"some of them would become others as {array.type}")


def _are_unsafe(values: Iterable[Any]) -> bool:
    """Tell whether Arrow (26) may end the process over values, or send what no reader takes.

    It does where NumPy's times stand beside its numbers, and where a list holds itself.
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
    """Return what is in a list or the like; of an array of one type one of them."""
    if isinstance(holder, Mapping):
        return holder.values()
    if isinstance(holder, np.ndarray):
        return holder.flat if holder.dtype == object else holder.flat[:1]
    return holder  # type: ignore[no-any-return]


def _are_known(kind: pa.DataType, values: Iterable[Any]) -> bool:
    """Tell whether cells, and what is in them, are of classes that Arrow keeps as they are.

    Times are for `of_cells` to look at.
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
"""NumPy's classes that Arrow has a type for: alone, they are kept."""

_KNOWN: Final[Sequence[tuple[Callable[[pa.DataType], bool], frozenset[type]]]] = (
    (pa.types.is_integer, frozenset({int})),
    (pa.types.is_floating, frozenset({int, float, np.float64})),
    (pa.types.is_boolean, frozenset({bool, np.bool_})),
    (pa.types.is_decimal, frozenset({int, decimal.Decimal})),
    (pa.types.is_string, frozenset({str, np.str_})),
    (pa.types.is_binary, frozenset({bytes, np.bytes_})),
    (pa.types.is_null, frozenset({float})),
)
"""What Arrow makes a type of, and of which classes it makes just them, also together."""


def _mixed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:  # over 64 bits: decimals without digits behind the point
        return pa.array(values, type=pa.decimal256(76, 0))
    if kinds == {datetime.date, datetime.datetime}:
        return pa.array(list(map(_as_datetime, values)), from_pandas=True)
    raise ValueError("they are of several types")


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
    """Tell whether all cells are of the one class that Arrow keeps as it is: nothing to compare."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1:
        return False
    (only,) = kinds or {type(None)}
    if only is datetime.datetime:  # naive ones, or all with a zone: those are the same moments
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
    except Exception:  # of whoever made the cell
        return False


_APART: Final[Sequence[Any]] = ((bool, np.bool_), str, (datetime.timedelta, np.timedelta64))
"""What is equal to something else in Python, or looks like it, and is not the same."""


def _has(kind: pa.DataType, is_of: Callable[[pa.DataType], bool]) -> bool:
    if is_of(kind):
        return True
    return any(_has(kind.field(at).type, is_of) for at in range(kind.num_fields))
