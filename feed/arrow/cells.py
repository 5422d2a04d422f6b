"""Python's objects as an Arrow array that holds just these, or none: what Arrow makes of mixtures
loses the time of a date, the zone of a time, the nanoseconds of a timestamp."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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
        array = one_chunk(unmixed_array(values, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = _mixed(values)
    if pa.types.is_struct(array.type):
        raise ValueError("a struct would give every dict the keys of all the others")
    if not _has(array.type, pa.types.is_temporal) or _are_plain(array.type, values):
        return array
    for made in _tries(array, values):
        if all(map(_same, made.to_pylist(), values)):
            return made
    raise ValueError("these times would become others")


def unmixed_array(
    values: Sequence[Any], *, from_pandas: bool = False
) -> pa.Array | pa.ChunkedArray:
    """Return values as Arrow has them, unless it would make others of them without saying so.

    Raises:
        pa.ArrowException, OverflowError: as `pa.array` does.
        ValueError: true, false or texts are among what Arrow turns them into.
    """
    array = pa.array(values, from_pandas=from_pandas)
    if _has(array.type, pa.types.is_floating) and bool in _classes(values, array.type):
        raise ValueError("true and false among numbers would become 1 and 0")
    if _has(array.type, pa.types.is_binary) and str in _classes(values, array.type):
        raise ValueError("texts among bytes would become bytes")
    return array


def _mixed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(one) for one in values if one is not None}
    if kinds == {int}:  # over 64 bits: decimals without digits behind the point
        return pa.array(values, type=pa.decimal256(76, 0))
    if kinds == {datetime.date, datetime.datetime}:
        return pa.array(list(map(_as_datetime, values)), from_pandas=True)
    raise ValueError("they are of several types")


def _tries(array: pa.Array, values: Sequence[Any]) -> list[pa.Array]:
    kind, found = array.type, [array]
    try:
        if pa.types.is_date(kind):
            found.append(pa.array(list(map(_as_datetime, values)), from_pandas=True))
        elif pa.types.is_timestamp(kind):
            found.append(pa.array(values, type=pa.timestamp("ns", kind.tz), from_pandas=True))
        elif pa.types.is_duration(kind):
            found.append(pa.array(values, type=pa.duration("ns"), from_pandas=True))
    except (pa.ArrowException, OverflowError):
        return found
    return found


def _as_datetime(value: Any) -> Any:
    if type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    return value


def _are_plain(kind: pa.DataType, values: Sequence[Any]) -> bool:
    """Tell whether all cells are of the one class that Arrow keeps as it is: nothing to compare."""
    kinds = {type(one) for one in values if one is not None}
    if len(kinds) > 1:
        return False
    (only,) = kinds or {type(None)}
    if only is datetime.datetime:  # naive ones, or all with a zone: those are the same moments
        return len({one.tzinfo is None for one in values if one is not None}) == 1
    if only is datetime.time:
        return all(one.tzinfo is None for one in values if one is not None)
    if only.__module__ == "numpy":
        return True
    return only in (datetime.date, datetime.timedelta, type(None))


def _classes(values: Iterable[Any], kind: pa.DataType) -> set[type]:
    """Return of which classes cells are, and what is in them."""
    if not pa.types.is_nested(kind):
        return set(map(type, values))
    found: set[type] = set()
    for value in values:
        if isinstance(value, Mapping):
            for at in range(kind.num_fields):
                field = kind.field(at)
                found |= _classes((value.get(field.name),), field.type)
        elif value is not None and kind.num_fields == 1 and not isinstance(value, str):
            found |= _classes(value, kind.field(0).type)
    return found


def _same(made: Any, given: Any) -> bool:
    if made is None:
        return given is None or given != given or type(given).__name__ in ("NaTType", "NAType")
    try:
        if isinstance(made, list):
            return len(made) == len(given) and all(map(_same, made, given))
        if isinstance(made, dict):
            return all(_same(one, given.get(key)) for key, one in made.items())
        if type(given) is datetime.date and isinstance(made, datetime.datetime):
            return bool(made == _as_datetime(given))
        return bool(made == given) and (
            not isinstance(given, datetime.time) or made.tzinfo == given.tzinfo
        )
    except Exception:  # of whoever made the cell
        return False


def _has(kind: pa.DataType, is_of: Callable[[pa.DataType], bool]) -> bool:
    if is_of(kind):
        return True
    inner = (kind.field(at).type for at in range(kind.num_fields))
    return any(_has(one, is_of) for one in itertools.chain(inner))
