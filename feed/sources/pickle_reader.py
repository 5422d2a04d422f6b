"""Pickled pandas frames, read without running anything that a pickle names.

Unpickling normally imports and calls whatever the bytes name. Here a name becomes an inert
`Symbol`, a call an inert `Node` that only remembers what was asked for, and names that a frame does
not need are refused. From the tree that results, frames of pandas 1, 2 and 3 are built anew
(`livetable.feed.sources.pickle_frames`): every shape, type and buffer in it is checked before use.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from livetable.feed.errors import LivetableError

_ADMITTED: Final = frozenset(
    f"{module}.{name}"
    for module, names in {
        "builtins": "slice bytearray getattr set frozenset complex",
        "copyreg": "_reconstructor",
        "copy_reg": "_reconstructor",
        "_codecs": "encode",
        "collections": "OrderedDict",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal",
        "uuid": "UUID",
        "zoneinfo": "ZoneInfo",
        "pytz": "_UTC _p UTC FixedOffset _FixedOffset",
        "dateutil.tz.tz": "tzutc",
        "numpy": "dtype ndarray",
        "numpy.core.multiarray": "_reconstruct scalar",
        "numpy._core.multiarray": "_reconstruct scalar",
        "numpy.core.numeric": "_frombuffer",
        "numpy._core.numeric": "_frombuffer",
        "pandas": (
            "DataFrame Series Index RangeIndex MultiIndex DatetimeIndex TimedeltaIndex PeriodIndex "
            "IntervalIndex CategoricalIndex Categorical CategoricalDtype DatetimeTZDtype "
            "PeriodDtype IntervalDtype StringDtype BooleanDtype NA NaT Timestamp Timedelta "
            "Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype "
            "UInt64Dtype Float32Dtype Float64Dtype"
        ),
        "pandas.arrays": (
            "ArrowStringArray StringArray BooleanArray IntegerArray FloatingArray DatetimeArray "
            "TimedeltaArray PeriodArray IntervalArray ArrowExtensionArray NumpyExtensionArray"
        ),
        "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
        "pandas._libs.internals": "_unpickle_block",
        "pandas._libs.missing": "NA NAType",
        "pandas._libs.tslibs.nattype": "_nat_unpickle __nat_unpickle",
        "pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
        "pandas._libs.tslibs.timedeltas": "_timedelta_unpickle",
        "pandas._libs.tslibs.offsets": (
            "Day Hour Minute Second Milli Micro Nano MonthEnd MonthBegin QuarterEnd QuarterBegin "
            "YearEnd YearBegin BusinessDay BDay Week"
        ),
        "pandas.core.frame": "DataFrame",
        "pandas.core.series": "Series",
        "pandas.core.internals.managers": "BlockManager SingleBlockManager",
        "pandas.core.indexes.base": "Index _new_Index",
        "pandas.core.indexes.numeric": "Int64Index UInt64Index Float64Index",
        "pandas.core.indexes.range": "RangeIndex",
        "pandas.core.indexes.multi": "MultiIndex",
        "pandas.core.indexes.category": "CategoricalIndex",
        "pandas.core.indexes.datetimes": "DatetimeIndex _new_DatetimeIndex",
        "pandas.core.indexes.timedeltas": "TimedeltaIndex",
        "pandas.core.indexes.period": "PeriodIndex _new_PeriodIndex",
        "pandas.core.indexes.frozen": "FrozenList",
        "pandas.core.arrays.boolean": "BooleanArray BooleanDtype",
        "pandas.core.arrays.categorical": "Categorical",
        "pandas.core.arrays.datetimes": "DatetimeArray",
        "pandas.core.arrays.timedeltas": "TimedeltaArray",
        "pandas.core.arrays.period": "PeriodArray",
        "pandas.core.arrays.integer": (
            "IntegerArray Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype "
            "UInt32Dtype UInt64Dtype"
        ),
        "pandas.core.arrays.floating": "FloatingArray Float32Dtype Float64Dtype",
        "pandas.core.arrays.string_": "StringArray StringDtype",
        "pandas.core.arrays.string_arrow": "ArrowStringArray",
        "pandas.core.dtypes.dtypes": "CategoricalDtype DatetimeTZDtype PeriodDtype",
        "pyarrow.lib": (
            "_restore_array py_buffer type_for_alias chunked_array string large_string"
        ),
    }.items()
    for name in names.split()
)


class Refused(LivetableError):
    """A pickle that is not (only) a pandas frame; the sentence says what it names."""


@dataclass(frozen=True)
class Symbol:
    """A name in a pickle. Nothing was imported for it.

    Attributes:
        path: Module and name.
    """

    path: str

    def __call__(self, *arguments: Any) -> Node:
        return Node(self, arguments)


class Node:
    """A call in a pickle that was not made.

    Attributes:
        function: What would have been called, a `Symbol` or `Node`.
        arguments: With what.
        state: What ``__setstate__`` would have been given; None if nothing.
        items: What would have been added to it.
    """

    __slots__ = ("arguments", "function", "items", "state")

    def __init__(self, function: Symbol | Node, arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.arguments = arguments
        self.state: Any = None
        self.items: list[Any] = []

    def __call__(self, *arguments: Any) -> Node:
        return Node(self, arguments)

    @property
    def path(self) -> str:
        """The name of what would have been called."""
        function = self.function
        return function.path if isinstance(function, Symbol) else ""


def read(data: bytes) -> Any:
    """Return the tree of a pickle: plain Python values, `Symbol` and `Node`.

    Args:
        data: A pickle of any protocol.

    Raises:
        Refused: it names something that no frame needs, or is no pickle.
    """
    try:
        return _Reader(data).load()
    except Refused:
        raise
    except Exception as error:  # of the unpickler, on bytes that are no pickle
        raise Refused(f"not a readable pickle: {type(error).__name__}") from None


def looks_pickled(data: bytes) -> bool:
    """Tell whether bytes look like a pickle of protocol 2 or later."""
    return len(data) > 3 and data[0] == 0x80 and 2 <= data[1] <= 5 and data[-1:] == b"."


_MAX_KEYS: Final = 10_000
"""Keys of one dict or set: as many whose hashes collide take minutes already."""


def _check_keys(keys: list[Any]) -> None:
    """Refuse keys whose hash recurses: a tuple in a tuple, deep enough, ends the process."""
    if len(keys) > _MAX_KEYS:
        raise Refused("a pickle has a dict or set larger than any DataFrame needs: refused")
    for key in keys:
        parts = key if type(key) is tuple else (key,)
        for part in parts:
            if part is not None and not isinstance(
                part, (str, bytes, bool, int, float, Symbol, Node)
            ):
                raise Refused("a pickle has a dict with keys that no DataFrame needs: refused")


# The unpickler in C can't be told what to do on each opcode.
_Base: Any = pickle._Unpickler  # noqa: SLF001


class _Reader(_Base):  # type: ignore[misc]
    dispatch: ClassVar[dict[int, Any]] = dict(_Base.dispatch)

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._size = len(data)

    def find_class(self, module: str, name: str) -> Symbol:
        path = f"{module}.{name}"
        if path not in _ADMITTED:
            raise Refused(
                f"a pickle names {path!r:.100}, which no DataFrame needs: refused, not run"
            )
        return Symbol(path)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if not isinstance(function, (Symbol, Node)) or not isinstance(arguments, tuple):
            raise Refused("a pickle calls what is no function: refused")
        self.stack[-1] = Node(function, arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_reduce

    def load_newobj_ex(self) -> None:
        keywords = self.stack.pop()
        if keywords:
            raise Refused("a pickle calls with keywords: refused")
        self.load_reduce()

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, Node) or target.state is not None:
            raise Refused("a pickle sets the state of what has none: refused")
        target.state = state

    dispatch[pickle.BUILD[0]] = load_build

    def load_append(self) -> None:
        value = self.stack.pop()
        self._extend(self.stack[-1], [value])

    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self) -> None:
        values = self.pop_mark()
        self._extend(self.stack[-1], values)

    dispatch[pickle.APPENDS[0]] = load_appends

    def _extend(self, target: Any, values: list[Any]) -> None:
        if type(target) is list:
            target.extend(values)
        elif isinstance(target, Node):
            target.items.extend(values)
        else:
            raise Refused("a pickle appends to what is no list: refused")

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._set(self.stack[-1], [key, value])

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        pairs = self.pop_mark()
        self._set(self.stack[-1], pairs)

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def _set(self, target: Any, pairs: list[Any]) -> None:
        keys, values = pairs[::2], pairs[1::2]
        _check_keys(keys)
        if type(target) is dict and len(target) + len(keys) > _MAX_KEYS:
            raise Refused("a pickle has a dict larger than any DataFrame needs: refused")
        if type(target) is dict:
            target.update(zip(keys, values, strict=True))
        elif isinstance(target, Node):
            target.items.extend(zip(keys, values, strict=True))
        else:
            raise Refused("a pickle sets items of what is no dict: refused")

    def load_additems(self) -> None:
        values = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise Refused("a pickle adds to what is no set: refused")
        _check_keys(values)
        self.stack[-1].update(values)

    dispatch[pickle.ADDITEMS[0]] = load_additems

    def load_frozenset(self) -> None:
        values = self.pop_mark()
        _check_keys(values)
        self.append(frozenset(values))

    dispatch[pickle.FROZENSET[0]] = load_frozenset

    def load_dict(self) -> None:
        pairs = self.pop_mark()
        _check_keys(pairs[::2])
        self.append(dict(zip(pairs[::2], pairs[1::2], strict=True)))

    dispatch[pickle.DICT[0]] = load_dict

    def load_bytearray8(self) -> None:
        # The original takes the memory before it looks whether the bytes are there.
        length = int.from_bytes(self.read(8), "little")
        if length > self._size:
            raise Refused("a pickle announces more bytes than it has: refused")
        self.append(bytearray(self.read(length)))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def _refuse(self) -> None:
        raise Refused("a pickle uses an opcode that no DataFrame needs: refused")

    for _opcode in (
        pickle.INST, pickle.OBJ, pickle.EXT1, pickle.EXT2, pickle.EXT4,
        pickle.PERSID, pickle.BINPERSID, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):  # fmt: skip
        dispatch[_opcode[0]] = _refuse
