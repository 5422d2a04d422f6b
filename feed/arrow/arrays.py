"""Arrow arrays: as NumPy arrays, without dictionaries or chunks, checked and bounded in size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa

from livetable.feed.errors import BodyError

if TYPE_CHECKING:
    import numpy as np

MAX_WRITTEN_OUT: Final = 4 << 30
"""Most bytes that the texts of a dictionary may take once each row holds its own copy."""

MARK: Final = b"livetable"
"""Key of a field's metadata that names the type of its values where Arrow's type does not."""


def dtype_of(field: pa.Field) -> str:
    """Return the name of a column's type in the protocol, for a column that came from Arrow."""
    mark = (field.metadata or {}).get(MARK)
    return str(field.type) if mark is None else mark.decode("utf-8", "replace")[:100]


def one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return an array without chunks, copying only if there are several."""
    if not isinstance(array, pa.ChunkedArray):
        return array
    if array.num_chunks == 1:
        return array.chunk(0)
    joined = array.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # no chunk at all, or over 2 GiB of text
        return joined.chunk(0) if joined.num_chunks == 1 else pa.array([], type=array.type)
    return joined


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of `without_dictionary`'s result."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def without_dictionary(array: pa.Array) -> pa.Array:
    """Return an array without dictionary and without views, which few functions take.

    Raises:
        BodyError: the rows repeat long texts so often that they would take gigabytes.
    """
    check_written_out(array)
    if pa.types.is_dictionary(array.type):
        values = array.dictionary
        plain = plain_type(values.type)
        return (values if plain == values.type else values.cast(plain)).take(array.indices)
    plain = plain_type(array.type)
    return array if plain == array.type else array.cast(plain)


def check_type(kind: pa.DataType) -> None:
    """Raise if values of a type can't be read in Python.

    Raises:
        BodyError: they can't; or a name or a time zone in the type is not text.
    """
    if kind.id in _UNKNOWN:
        raise BodyError("can't read intervals of months or days")
    try:
        if pa.types.is_timestamp(kind):
            str(kind.tz)
        for number in range(kind.num_fields):
            field = kind.field(number)
            str(field.name)
            check_type(field.type)
    except UnicodeDecodeError as error:
        raise BodyError(f"a name in a type is not text: {error}"[:200]) from None
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        check_type(kind.value_type)


_UNKNOWN: Final = frozenset((21, 22))
"""Arrow's numbers for INTERVAL_MONTHS and INTERVAL_DAY_TIME, which pyarrow 21 has no names for."""


def checked(array: pa.Array) -> pa.Array:
    """Return an array that came over the network, and that Arrow validated, safe for all of Arrow.

    Raises:
        BodyError: the rows repeat long texts so often that they would take gigabytes.
    """
    harmless = without_leftovers(array)
    check_written_out(harmless)
    return harmless


def without_leftovers(array: pa.Array) -> pa.Array:
    """Return an array of views with zeros under its nulls.

    Arrow's casts follow the pointers under nulls, which its validation does not check: a wild one
    ends the process (measured: `string_view` to `string`, Arrow 26).
    """
    kind = array.type
    is_view = pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)
    if not is_view or not array.null_count:
        return array
    import numpy as np

    buffers = array.buffers()
    stop = array.offset + len(array)
    views = np.frombuffer(buffers[1], "<i4", stop * 4).reshape(-1, 4)
    gone = np.zeros(stop, dtype=bool)
    gone[array.offset :] = missing(array)
    if not views[gone].any():
        return array
    cleared = np.where(gone[:, None], np.int32(0), views)
    return pa.Array.from_buffers(
        kind, len(array), [buffers[0], pa.py_buffer(cleared), *buffers[2:]], offset=array.offset
    )


def check_written_out(array: pa.Array) -> None:
    """Raise if the texts of a dictionary would take too much memory, written out row by row."""
    is_dictionary = pa.types.is_dictionary(array.type)
    held = array.dictionary if is_dictionary else array
    if not is_dictionary and plain_type(array.type) == array.type:
        return
    if bytes_of(held) * len(array) <= MAX_WRITTEN_OUT:
        return  # no text is longer than all of them together
    lengths = _lengths(held)
    if lengths is None:
        raise BodyError(f"can't read a {held.type} dictionary that {len(array):,} rows refer to")
    if len(lengths) and int(lengths.max()) * len(array) > MAX_WRITTEN_OUT:
        if is_dictionary:
            indices, present = indices_of(array)
            lengths = lengths[indices[present]]  # missing rows refer to no text
        if (total := int(lengths.sum())) > MAX_WRITTEN_OUT:
            raise BodyError(f"the texts of {len(array):,} rows would take {total:,} bytes")


def bytes_of(array: pa.Array) -> int:
    """Return how many bytes an array's values take."""
    try:
        return int(array.nbytes)
    except pa.ArrowTypeError:  # views before pyarrow 24: count their data buffers, too
        return sum(buffer.size for buffer in array.buffers() if buffer is not None)


def _lengths(values: pa.Array) -> np.ndarray[Any, Any] | None:
    """Return how many bytes each text has, or each number; None if it is neither."""
    import numpy as np

    kind = values.type
    start, stop = values.offset, values.offset + len(values)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        views = np.frombuffer(values.buffers()[1], "<i4", stop * 4).reshape(-1, 4)
        return views[start:, 0].astype(np.int64)
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return np.diff(np.frombuffer(values.buffers()[1], "<i8", stop + 1)[start:])
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return np.diff(np.frombuffer(values.buffers()[1], "<i4", stop + 1)[start:].astype(np.int64))
    if pa.types.is_primitive(kind) or pa.types.is_fixed_size_binary(kind):
        return np.full(len(values), max(1, kind.bit_width // 8))
    return None


def comparable(values: pa.Array) -> pa.Array:
    """Return an array whose values Python can tell apart: times as whole numbers."""
    values = without_dictionary(values)
    kind = values.type
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    return values


def taken(values: pa.Array, rows: pa.Array) -> pa.Array:
    """Return the values of some rows, of any type; null where the row number is null.

    Arrow can't take from views of texts: those are cast to texts first.
    """
    try:
        return values.take(rows)
    except pa.ArrowNotImplementedError:
        if len(rows) > _FEW or rows.null_count:
            return without_dictionary(values).take(rows)
        parts = [without_dictionary(values.slice(row, 1)) for row in rows.to_pylist()]
        return pa.concat_arrays(parts) if parts else without_dictionary(values.slice(0, 0))


_FEW: Final = 1000  # so few rows are cast one by one; for more the whole array is cast


# Not by Arrow's `to_numpy`, `pa.array` and `pa.scalar`: each imports pandas, which takes longer
# than the viewer's whole start.


def as_numpy(values: pa.Array, dtype: np.dtype[Any] | None = None) -> np.ndarray[Any, Any]:
    """Return whole numbers or floats as a NumPy array without copying; nulls become any number.

    Args:
        values: The numbers.
        dtype: Their `numpy_type`; pass it where speed counts, finding it takes longest.

    Raises:
        TypeError: they are not numbers of a fixed width.
    """
    import numpy as np

    dtype = dtype or numpy_type(values.type)
    buffer = values.buffers()[1]
    if buffer is None or not len(values):
        return np.zeros(len(values), dtype=dtype)
    start = values.offset
    return np.frombuffer(buffer, dtype=dtype, count=start + len(values))[start:]


def numpy_type(kind: pa.DataType) -> np.dtype[Any]:
    """Return NumPy's type for an Arrow type of whole numbers or floats."""
    import numpy as np

    return np.dtype(_NUMPY_NAMES.get(str(kind), str(kind)))


_NUMPY_NAMES: Final = {"halffloat": "float16", "float": "float32", "double": "float64"}


def truth(values: pa.BooleanArray) -> np.ndarray[Any, Any]:
    """Return a boolean array as NumPy's; what is missing is false."""
    validity, bits = values.buffers()
    true = _bits(bits, values)
    return true if validity is None else true & _bits(validity, values)


def missing(values: pa.Array) -> np.ndarray[Any, Any]:
    """Return which values are missing, as NumPy's booleans."""
    return truth(values.is_null())


def _bits(buffer: pa.Buffer | None, values: pa.Array) -> np.ndarray[Any, Any]:
    import numpy as np

    if buffer is None or not len(values):
        return np.zeros(len(values), dtype=bool)
    start = values.offset
    packed = np.frombuffer(buffer, dtype=np.uint8, count=(start + len(values) + 7) // 8)
    bits = np.unpackbits(packed, bitorder="little", count=start + len(values))
    return bits[start:].view(bool)


def indices_of(values: pa.DictionaryArray) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return each value's index in the dictionary (0 where missing), and which are present."""
    import numpy as np

    indices = as_numpy(values.indices)
    if not values.indices.null_count:
        return indices, np.ones(len(indices), dtype=bool)
    present = ~missing(values.indices)
    return np.where(present, indices, 0), present


def numbers(values: Sequence[float | None], kind: Literal["int64", "float64"]) -> pa.Array:
    """Return numbers as an Arrow array; None becomes null."""
    import numpy as np

    data = np.array([0 if value is None else value for value in values], dtype=kind)
    buffers = [_present(values), pa.py_buffer(data)]
    return pa.Array.from_buffers(getattr(pa, kind)(), len(values), buffers)


def rows_array(rows: np.ndarray[Any, Any]) -> pa.Array:
    """Return row numbers as an Arrow array of 64-bit integers."""
    import numpy as np

    data = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(data), [None, pa.py_buffer(data)])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return texts as an Arrow array; None becomes null."""
    import numpy as np

    encoded = [(value or "").encode("utf-8", "replace") for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [_present(values), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _present(values: Sequence[object]) -> pa.Buffer:
    import numpy as np

    present = np.array([value is not None for value in values], dtype=bool)
    return pa.py_buffer(np.packbits(present, bitorder="little"))


def is_text(kind: pa.DataType) -> bool:
    """Tell whether values of a type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
