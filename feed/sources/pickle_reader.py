"""Pickled pandas frames, read without running anything that a pickle names.

Unpickling normally imports and calls whatever the bytes name. Here a name becomes an inert
`Symbol`, and a call an inert `Node` that records the function and its arguments. Names that no
frame needs are refused. `livetable.feed.sources.pickle_frames` then builds frames of pandas 1, 2
and 3 from that tree, and checks each shape, type and buffer before it uses it.
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
    """A pickle that is not, or not only, a pandas frame.

    Args:
        reason: What is wrong with it. The sentence adds what to do.
    """

    def __str__(self) -> str:
        return f"can't read the pickle: {self.args[0]}. Send a plain DataFrame, Arrow or Parquet"


@dataclass(frozen=True)
class Symbol:
    """A name in a pickle. Nothing is imported for it.

    Attributes:
        path: Module and name.
    """

    path: str

    def __call__(self, *arguments: Any) -> Node:
        return Node(self, arguments)


class Node:
    """A call in a pickle. It is never made.

    Attributes:
        function: The function to call, a `Symbol` or `Node`.
        arguments: The arguments of the call.
        state: The argument for ``__setstate__``, None if there is no such call.
        items: The items to append or set.
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
        """The name of the function, empty if it is the result of another call."""
        function = self.function
        return function.path if isinstance(function, Symbol) else ""


def read(data: bytes) -> Any:
    """Return the tree of a pickle: plain Python values, `Symbol` and `Node`.

    Args:
        data: A pickle of any protocol.

    Raises:
        Refused: not a pickle, or it names something that no frame needs.
    """
    try:
        return _Reader(data).load()
    except Refused:
        raise
    except Exception as error:  # from the unpickler, for bytes that are not a pickle
        raise Refused(f"its bytes are damaged ({type(error).__name__})") from None


def looks_pickled(data: bytes) -> bool:
    """Tell whether bytes look like a pickle of protocol 2 or later."""
    return len(data) > 3 and data[0] == 0x80 and 2 <= data[1] <= 5 and data[-1:] == b"."


_MAX_KEYS: Final = 10_000
"""Keys of a dict or set. More than these can take minutes if their hashes collide."""


def _check_keys(keys: list[Any]) -> None:
    """Refuse keys whose hash recurses: deeply nested tuples crash the process."""
    if len(keys) > _MAX_KEYS:
        raise Refused("a dict or set is larger than any DataFrame needs")
    for key in keys:
        parts = key if type(key) is tuple else (key,)
        for part in parts:
            if part is not None and not isinstance(
                part, (str, bytes, bool, int, float, Symbol, Node)
            ):
                raise Refused("a dict has keys that no DataFrame needs")


# The unpickler in C has no hook for each opcode.
_Base: Any = pickle._Unpickler  # noqa: SLF001


class _Reader(_Base):  # type: ignore[misc]
    dispatch: ClassVar[dict[int, Any]] = dict(_Base.dispatch)

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._size = len(data)

    def find_class(self, module: str, name: str) -> Symbol:
        path = f"{module}.{name}"
        if path not in _ADMITTED:
            raise Refused(f"it names {path!r:.100}, which no DataFrame needs (nothing was run)")
        return Symbol(path)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if not isinstance(function, (Symbol, Node)) or not isinstance(arguments, tuple):
            raise Refused("it calls something that is not a function")
        self.stack[-1] = Node(function, arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_reduce

    def load_newobj_ex(self) -> None:
        keywords = self.stack.pop()
        if keywords:
            raise Refused("it calls a function with keywords")
        self.load_reduce()

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, Node) or target.state is not None:
            raise Refused("it sets the state of something that has none")
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
            raise Refused("it appends to something that is not a list")

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
            raise Refused("a dict is larger than any DataFrame needs")
        if type(target) is dict:
            target.update(zip(keys, values, strict=True))
        elif isinstance(target, Node):
            target.items.extend(zip(keys, values, strict=True))
        else:
            raise Refused("it sets items of something that is not a dict")

    def load_additems(self) -> None:
        values = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise Refused("it adds to something that is not a set")
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
        # The original allocates the announced length before it checks that the bytes exist.
        length = int.from_bytes(self.read(8), "little")
        if length > self._size:
            raise Refused("it announces more bytes than it has")
        self.append(bytearray(self.read(length)))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def _refuse(self) -> None:
        raise Refused("it uses an opcode that no DataFrame needs")

    for _opcode in (
        pickle.INST, pickle.OBJ, pickle.EXT1, pickle.EXT2, pickle.EXT4,
        pickle.PERSID, pickle.BINPERSID, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):  # fmt: skip
        dispatch[_opcode[0]] = _refuse
