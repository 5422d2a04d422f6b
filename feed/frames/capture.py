"""What a caller hands to `Publisher.send`, held so that the caller may go on writing into it."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.arrow.borrowed import lent_of, numpys_memory
from livetable.feed.arrow.pandas_private import (
    arrow_of,
    finds_labels,
    indexes_that_share,
    is_arrows,
    manager_of,
)
from livetable.feed.base.late_import import loaded
from livetable.feed.base.native import sleep
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import BadFrame
from livetable.feed.frames.python_rows import (
    columns_of_dict,
    is_many,
    is_row,
    name_of_kind,
    pandas_now,
    pandas_wholly,
    row_of,
    rows_of,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame that no longer changes: a copy-on-write pandas frame, or an Arrow table.

    Attributes:
        frame: The pandas DataFrame or pyarrow Table.
        shape: Its rows and columns, the index not counted.
        beside: Whether encoding it may run somebody else's code, and so take any time.
    """

    frame: Any
    shape: tuple[int, int]
    beside: bool = False

    def last(self, rows: int) -> Captured:
        """Return the frame's last rows."""
        frame = self.frame
        kept = frame.iloc[-rows:] if hasattr(frame, "iloc") else frame.slice(len(frame) - rows)
        return Captured(kept, (rows, self.shape[1]), self.beside)


def capture(data: Any) -> Captured:
    """Hold `data` as it is now.

    Takes no time that depends on its size for pandas frames that own their memory. Copied are: what
    somebody else may still write to (a frame made with ``copy=False`` of an array that the caller
    holds, Arrow's tables, whose memory may be anybody's), pandas' extension arrays but Arrow's, and
    lists, dicts, sets and arrays in cells. Anything that is no frame is made one.

    Args:
        data: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface (polars,
            pyarrow, duckdb) or with ``to_pandas()``; a dict of columns; a list or an iterator of
            rows: dicts, named tuples, dataclasses, models; a NumPy array.

    Raises:
        BadFrame: it is none of these, or can't be read as one.
    """
    pandas = pandas_now()  # a caller with a pandas frame has imported it
    if pandas is not None:
        if isinstance(data, pandas.Series):
            data = data.to_frame()
        if isinstance(data, pandas.DataFrame):
            return _capture_pandas(data)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        table = copied(_as_table(data))
        return Captured(_without_overflow(table), table.shape)
    if hasattr(data, "collect") and not isinstance(data, Mapping):
        raise BadFrame(f"{name_of_kind(data)} is lazy: send its .collect()")
    if hasattr(data, "compute") and hasattr(data, "dask"):
        raise BadFrame(f"{name_of_kind(data)} is lazy: send its .compute()")
    try:
        if (made := _made(data)) is not None:
            return made
    except BadFrame:
        raise
    except Exception as error:
        said = f"{name_of_kind(data)} can't be read as a table: {safe_str(error):.300}"
        raise BadFrame(said) from error
    raise BadFrame(
        f"{name_of_kind(data)} is no table: send a DataFrame, a dict of columns or a list of dicts"
    )


def _made(data: Any) -> Captured | None:
    """Return a frame that is made of what is none, None if that can't be."""
    if isinstance(data, Mapping):
        columns = columns_of_dict(data)
        if columns and not any(map(is_column, columns.values())):
            return _of_rows([columns])
        return _capture_pandas(exact(pandas_wholly().DataFrame(columns), columns.get))
    if is_row(data):
        return _of_rows([row_of(data)])
    if is_many(data):
        return _of_rows(rows_of(data))
    if (numpy := sys.modules.get("numpy")) is not None and isinstance(data, numpy.ndarray):
        return _capture_pandas(pandas_wholly().DataFrame(data, copy=True))
    if callable(to_pandas := getattr(data, "to_pandas", None)) and not isinstance(data, type):
        made = to_pandas()
        pandas = pandas_wholly()
        if isinstance(made, (pandas.DataFrame, pandas.Series)):
            return capture(made.copy(deep=True))
    return None


def _of_rows(rows: list[Any]) -> Captured:
    frame = pandas_wholly().DataFrame(rows)
    if rows and all(isinstance(one, Mapping) for one in rows):
        frame = exact(frame, lambda label: [one.get(label) for one in rows])
    elif rows and all(isinstance(one, (list, tuple)) for one in rows):
        frame = exact(frame, lambda at: [one[at] if at < len(one) else None for one in rows])
    elif frame.shape[1] == 1:
        frame = exact(frame, lambda at: rows)
    return _capture_pandas(frame)


def with_types(captured: Captured, types: Mapping[str, Any]) -> Captured:
    """Return a frame with its columns in the types that they are to have, by label's JSON.

    Raises:
        BadFrame: some of a column's values can't be told in its type.
    """
    loaded("livetable.feed.arrow.arrays")
    loaded("livetable.feed.arrow.common_type")
    from livetable.feed.arrow.from_pandas import to_arrow, values_of_column
    from livetable.feed.protocol.labels import to_json

    frame = captured.frame
    is_pandas = hasattr(frame, "iloc")
    for at, label in enumerate(frame.columns if is_pandas else frame.column_names):
        kind = types.get(json.dumps(to_json(label)))
        if kind is None:
            continue
        values = frame.column(at) if not is_pandas else None
        if values is None:
            column = frame.iloc[:, at]
            if str(column.dtype) == _NUMPY_NAMES.get(str(kind), str(kind)):
                continue
            values = to_arrow(values_of_column(column))[0]
        cast = _cast(values, kind)
        if cast is None:
            raise BadFrame(
                f"column {label!r} is to be {kind} (schema=), which some of these values "
                f"({values.type}) don't fit: convert them"
            )
        if is_pandas:
            import pandas as pd

            frame.isetitem(at, pd.array(cast, dtype=pd.ArrowDtype(kind)))
        else:
            frame = frame.set_column(at, label, cast)
    return Captured(frame, captured.shape, captured.beside)


def _cast(values: Any, kind: Any) -> Any:
    """Return values in the type that they are to have, None if some of them would be others."""
    pa: Any = loaded("pyarrow")
    from livetable.feed.arrow.common_type import cast_exactly

    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    cast = [cast_exactly(one, kind, rounds=True) for one in chunks]
    return None if any(one is None for one in cast) else pa.chunked_array(cast, type=kind)


_NUMPY_NAMES: Final = {"double": "float64", "float": "float32", "halffloat": "float16"}


def exact(frame: pd.DataFrame, told: Callable[[Any], Any]) -> pd.DataFrame:
    """Return a frame with the whole numbers that it was made of, where floats would round them.

    pandas makes floats of whole numbers among which some are missing: from 2⁵³ on others.

    Args:
        frame: The frame.
        told: Returns what a column was made of, by its label.
    """
    import numpy as np
    import pandas as pd

    made: Any = frame
    for at, dtype in enumerate(frame.dtypes):
        if dtype != np.float64 or not (frame.iloc[:, at].abs() >= _EXACT).any():
            continue
        cells = told(frame.columns[at])
        if not isinstance(cells, (list, tuple)) or len(cells) != len(frame):
            continue
        cells = [int(one) if _is_whole(one) else one for one in cells]
        whole = all(_is_missing(one) or type(one) is int for one in cells)
        if not whole:
            if any(type(one) is int and int(float(one)) != one for one in cells):
                made.isetitem(at, pd.Series(list(cells), dtype=object, index=frame.index))
            continue
        there = [None if _is_missing(one) else one for one in cells]
        fits = all(one is None or -(1 << 63) <= one < 1 << 63 for one in there)
        whole_ones = pd.array(there, dtype="Int64") if fits else pd.Series(there, dtype=object)
        made.isetitem(at, getattr(whole_ones, "array", whole_ones))
    return frame


def _is_whole(value: object) -> bool:
    import numpy as np

    return isinstance(value, np.integer) and not isinstance(value, np.timedelta64)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


_EXACT: Final = float(1 << 53)


def is_column(value: object) -> bool:
    """Tell whether a value of a dict is a column, not a cell."""
    cells = (str, bytes, bytearray, memoryview, Mapping)
    sized = hasattr(value, "__len__") and not isinstance(value, cells)
    return sized and getattr(value, "ndim", 1) > 0


def _as_table(data: Any) -> pa.Table:
    """Return what has the Arrow PyCapsule interface as a table: a Series as one column."""
    pa: Any = loaded("pyarrow")
    if isinstance(data, pa.Table):
        return data
    if type(data).__module__.startswith("polars."):
        data = _of_polars(data)
    try:
        if isinstance(data, (pa.Array, pa.ChunkedArray)) and not pa.types.is_struct(data.type):
            return pa.table({"0": data})
        try:
            return pa.table(data)
        except Exception:
            column = pa.chunked_array(data)  # a Series of polars'
            if pa.types.is_struct(column.type):
                raise
            return pa.table({str(getattr(data, "name", "") or "0"): column})
    except Exception as error:
        said = f"{name_of_kind(data)} can't be read as an Arrow table: {safe_str(error):.300}"
        raise BadFrame(said) from error


def _of_polars(data: Any) -> Any:
    """Return polars' data without the types that only polars reads: as decimals, or as text.

    Whole numbers of 128 bits are none of Arrow's; of Python's objects it hands over addresses.
    """
    import polars as pl

    frame = data.to_frame() if isinstance(data, pl.Series) else data
    odd = {getattr(pl, name) for name in ("Int128", "UInt128", "Object") if hasattr(pl, name)}
    made = [_for_arrow(one) for one in frame.get_columns() if one.dtype in odd]
    return frame.with_columns(made) if made else data


def _for_arrow(column: Any) -> Any:
    """Return a polars Series of whole numbers of 128 bits, or of objects, as Arrow can have it."""
    import polars as pl

    if column.dtype == pl.Object:
        texts = [None if cell is None else safe_str(cell) for cell in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    try:
        return column.cast(pl.Decimal(38, 0))
    except pl.exceptions.PolarsError:  # more than 38 digits
        return column.cast(pl.String)


def _without_overflow(table: pa.Table) -> pa.Table:
    """Return a table whose decimals all fit their type: DuckDB's HUGEINT may have 39 digits of 38.

    Arrow hands such on, but no reader takes them.
    """
    pa: Any = loaded("pyarrow")
    for at, field in enumerate(table.schema):
        kind = field.type
        if not pa.types.is_decimal128(kind) or kind.precision < 38:
            continue
        pc: Any = loaded("pyarrow.compute")
        ends = pc.min_max(table.column(at)).as_py().values()
        if any(one is not None and len(one.as_tuple().digits) > 38 for one in ends):
            wide = pa.decimal256(39, kind.scale)
            table = table.set_column(at, field.with_type(wide), table.column(at).cast(wide))
    return table


def copied(table: pa.Table) -> pa.Table:
    """Return a table in memory of Arrow's own: what it was in may be an array of its caller's."""
    pa: Any = loaded("pyarrow")
    into = pa.BufferOutputStream()
    with pa.ipc.new_stream(into, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.open_stream(into.getvalue()) as reader:
        table = reader.read_all()
    return table


def _capture_pandas(frame: pd.DataFrame) -> Captured:
    import pandas as pd

    # Of a subclass only the table is wanted: its attrs and finalizers may be slow.
    held = pd.DataFrame(frame)
    try:
        if _writable_from_outside(held):
            held = held.copy(deep=True)
        if _is_held_elsewhere(held.index):
            held.index = held.index.copy(deep=True)
        beside = _own_cells(held)
    except AttributeError:  # another pandas: what is read there is not its public API
        held, beside = held.copy(deep=True), True
    return Captured(held, held.shape, beside)


# -- what copy-on-write does not see ---------------------------------------------------------------


def _own_cells(held: pd.DataFrame) -> bool:
    """Copy what a caller can write to past copy-on-write; tell whether cells have their own code.

    That is a column's ``.array``, where it is not NumPy's, and a list or the like in a cell. Texts
    of Arrow's need no copy: what is written to them is another memory, and nobody else has theirs.
    """
    import numpy as np

    manager: Any = manager_of(held)
    blocks, beside = list(manager.blocks), False
    for at, block in enumerate(blocks):
        values = block.values
        if numpys_memory(values) is None:
            beside = beside or not type(values).__module__.startswith("pandas.")
            own = _own_arrow(values) if is_arrows(values) else values.copy()
            if own is values:
                continue
        elif values.dtype == object:
            kinds = set(map(type, values.ravel("K")))
            beside = beside or not kinds <= _plain_types()
            if kinds <= _plain_types():
                continue
            own = np.empty_like(values)
            own.ravel("K")[:] = _array_of([own_cell(one) for one in values.ravel("K")])
        else:
            continue
        blocks[at] = type(block)(own, placement=block.mgr_locs, ndim=block.ndim)
    manager.blocks = tuple(blocks)
    return beside


def _own_arrow(values: Any) -> Any:
    """Return a column of Arrow's in memory of its own; texts as they are."""
    import pyarrow as pa

    array = arrow_of(values)
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    return type(values)(copied(pa.table({"": array})).column(0))


def _array_of(cells: list[Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return made


def own_cell(value: Any, depth: int = 0) -> Any:
    """Return a cell that its caller can't change any more: what holds other things is copied."""
    kind = type(value)
    if kind in _plain_types() or depth > _DEEPEST:
        return value
    try:
        if kind is list or kind is tuple:
            return kind([own_cell(one, depth + 1) for one in value])
        if kind is dict:
            return {key: own_cell(one, depth + 1) for key, one in value.items()}
        if kind.__module__.startswith(("numpy", "pandas")) and callable(
            copied_by := getattr(value, "copy", None)
        ):
            return copied_by()
        # A deque, an OrderedDict, somebody's own list: it, not what is in it.
        return copy(value) if isinstance(value, _HOLDERS) else value
    except Exception:  # one that can't be copied: its text will tell what it is by then
        return value


_DEEPEST: Final = 20
_HOLDERS: Final = (list, dict, set, bytearray, array, deque)


@lru_cache(maxsize=1)
def _plain_types() -> frozenset[type]:
    """Return types of cells that are encoded in little time and run nobody's code."""
    import numpy as np
    import pandas as pd

    return frozenset({
        type(None), bool, int, float, str, bytes, datetime.date, datetime.datetime, datetime.time,
        datetime.timedelta, decimal.Decimal, np.float64, np.int64, np.bool_, pd.Timestamp,
        pd.Timedelta, type(pd.NaT), type(pd.NA),
    })  # fmt: skip


def _is_held_elsewhere(index: pd.Index[Any]) -> bool:
    """Tell whether somebody else may have the array that an index is made over (``copy=False``)."""
    import numpy as np

    values = getattr(index, "_data", None)  # of a range there is none, of several levels neither
    if isinstance(values, np.ndarray):
        # Ours and the call's; each index that shares it has it, and what finds labels for that.
        known = 2
        for other in indexes_that_share(index):
            if getattr(other, "_data", None) is values:
                known += 1 + finds_labels(other)
        other = None
        if (base := values.base) is None:
            return sys.getrefcount(values) > known
        del values
        return not isinstance(base, np.ndarray) or sys.getrefcount(base) > 3
    return values is not None and not is_arrows(values)


class _Counted:
    """How many references to an array there should be, if pandas alone has it."""

    __slots__ = ("array", "expected")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.expected = 0


def _outside_references(frame: pd.DataFrame) -> int:
    """Return how many references to the frame's NumPy memory pandas does not know of, at most.

    Copy-on-write sees every frame that shares a block (`refs.referenced_blocks`), not an array
    that its caller still holds. One reference more than those of the blocks, of the arrays that
    are made of one another, and of ours (`arrays.lent`) is such an array. The figure has an offset
    that `_baseline` measures on frames nobody else holds.
    """
    most = -sys.maxsize
    for block in manager_of(frame).blocks:
        if numpys_memory(block.values) is None:
            continue  # extension arrays: `_own_cells`
        found: dict[int, _Counted] = {}
        seen: set[int] = set()
        for reference in block.refs.referenced_blocks:
            if (other := reference()) is None:
                continue
            array = numpys_memory(other.values)
            known = found.get(id(array)) or _with_bases(array, found)
            if known is None:
                return sys.maxsize  # memory of something else: a memory map, a bytearray
            if array is other.values or id(other.values) not in seen:
                known.expected += 1  # by the block, or by pandas' array around it
            seen.add(id(other.values))
        other = array = None
        for one in found.values():
            lent = -1
            while lent != (now := lent_of(one.array)):  # the feed's thread lets go meanwhile
                lent = now
                most = max(most, sys.getrefcount(one.array) - one.expected - lent)
    return most


def _with_bases(array: Any, found: dict[int, _Counted]) -> _Counted | None:
    """Note an array and what it is made of; return None if that is not NumPy's own memory."""
    import numpy as np

    if not isinstance(array, np.ndarray):
        return None
    first = found[id(array)] = _Counted(array)
    base: Any = array.base
    while isinstance(base, np.ndarray):
        if (known := found.get(id(base))) is not None:
            known.expected += 1
            return first
        known = found[id(base)] = _Counted(base)
        known.expected += 1
        array, base = base, base.base
    return None if base is not None and array.flags.writeable else first


_offset: int | None = None


def _baseline() -> int:
    """Return `_outside_references` of a frame whose memory only pandas holds."""
    global _offset
    if _offset is None:
        import numpy as np
        import pandas as pd

        array, column = np.zeros((4, 2)), np.zeros(4)
        alone, shared = set(), set()
        for made in (pd.DataFrame(array), pd.DataFrame({"a": column, "b": 0.0})):
            alone.add(_outside_references(pd.DataFrame(made)))
            # Another frame of the same memory changes nothing.
            again = made.copy(deep=False)
            alone.add(_outside_references(pd.DataFrame(made)))
            del again
        for made in (pd.DataFrame(array, copy=False), pd.Series(column, copy=False).to_frame()):
            shared.add(_outside_references(pd.DataFrame(made)))
        # Where the two can't be told apart, every frame counts as shared and is copied.
        is_clear = len(alone) == 1 and min(shared) == min(alone) + 1
        _offset = min(alone) if is_clear else -sys.maxsize - 1
    return _offset


def _writable_from_outside(frame: pd.DataFrame) -> bool:
    # Looked at again: what the feed's thread refers to for a moment is no caller's.
    for pause in (0.0, 0.0002, 0.001):
        if pause:
            sleep(pause)
        if _outside_references(frame) <= _baseline():
            return False
    return True
