"""livetable.feed.arrow.arrays: Arrow's arrays looked at by hand are what Arrow says they are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.arrow import arrays
from livetable.feed.errors import BodyError

TEXTS = st.lists(st.none() | st.text(max_size=20), max_size=30)
CUT = st.tuples(st.integers(0, 12), st.integers(0, 30))


def sliced(array: pa.Array, cut: tuple[int, int]) -> pa.Array:
    return array.slice(min(cut[0], len(array)), cut[1])


@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=40), CUT)
def test_numbers_and_what_is_missing_from_anywhere_in_an_array(
    values: list[int | None], cut: tuple[int, int]
) -> None:
    for kind in (pa.int32(), pa.int64(), pa.float64()):
        array = sliced(pa.array(values, kind), cut)
        wanted = array.to_pylist()
        found = arrays.as_numpy(array).tolist()
        assert [one for one, there in zip(found, wanted, strict=True) if there is not None] == [
            one for one in wanted if one is not None
        ]
        assert arrays.missing(array).tolist() == [one is None for one in wanted]


@given(st.lists(st.none() | st.booleans(), max_size=40), CUT)
def test_truth_from_anywhere_in_an_array(values: list[bool | None], cut: tuple[int, int]) -> None:
    array = sliced(pa.array(values, pa.bool_()), cut)
    assert arrays.truth(array).tolist() == [bool(one) for one in array.to_pylist()]


@given(TEXTS, CUT)
def test_indices_of_a_dictionary(values: list[str | None], cut: tuple[int, int]) -> None:
    array = sliced(pa.array(values, pa.string()).dictionary_encode(), cut)
    at, there = arrays.indices_of(array)
    names = array.dictionary.to_pylist()
    found = [names[one] if is_there else None for one, is_there in zip(at, there, strict=True)]
    assert found == array.to_pylist()


@given(TEXTS)
def test_arrays_that_are_made_without_pandas(values: list[str | None]) -> None:
    made = arrays.texts(values)
    made.validate(full=True)
    assert made.to_pylist() == values
    lengths = [None if one is None else len(one) for one in values]
    for kind in ("int64", "float64"):
        found = arrays.numbers(lengths, kind)
        found.validate(full=True)
        assert found.to_pylist() == lengths
    rows = arrays.rows_array(np.arange(9, dtype="int32")[::2])
    assert (rows.type, rows.to_pylist()) == (pa.int64(), [0, 2, 4, 6, 8])


def test_a_text_that_utf8_lacks_is_replaced() -> None:
    made = arrays.texts(["a\ud800b", "c"])
    made.validate(full=True)
    assert made.to_pylist() == ["a?b", "c"]


def test_chunks_become_one() -> None:
    assert arrays.one_chunk(pa.chunked_array([[1], [2, 3]])).to_pylist() == [1, 2, 3]
    nothing = arrays.one_chunk(pa.chunked_array([], pa.string()))
    assert (nothing.type, len(nothing)) == (pa.string(), 0)
    whole = pa.array([1])
    assert arrays.one_chunk(whole) is whole


PLAIN: list[tuple[pa.Array, pa.DataType]] = [
    (pa.array(["a", None, "a"]).dictionary_encode(), pa.string()),
    (pa.array(["a", None, "b" * 20], pa.string_view()), pa.large_string()),
    (pa.array([b"a", None, b"b" * 20], pa.binary_view()), pa.large_binary()),
    (pa.array([1, None]), pa.int64()),
    (
        pa.DictionaryArray.from_arrays([1, None, 0], pa.array(["a", "b" * 20], pa.string_view())),
        pa.large_string(),
    ),
]


@pytest.mark.parametrize(("array", "kind"), PLAIN, ids=lambda one: str(getattr(one, "type", "")))
def test_values_without_dictionary_and_views(array: pa.Array, kind: pa.DataType) -> None:
    assert arrays.plain_type(array.type) == kind
    for one in (array, array.slice(1)):
        plain = arrays.without_dictionary(one)
        assert (plain.type, plain.to_pylist()) == (kind, one.to_pylist())


@given(st.lists(st.none() | st.integers(0, 2), max_size=12), st.integers(0, 60), st.booleans())
def test_texts_that_are_named_often_are_counted(
    named: list[int | None], most: int, large: bool
) -> None:
    texts = ["x" * 9, "", "yyy"]
    values = pa.array(texts, pa.large_string() if large else pa.string())
    array = pa.DictionaryArray.from_arrays(pa.array(named, pa.int8()), values)
    written = sum(len(texts[one]) for one in named if one is not None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "MAX_WRITTEN_OUT", most)
        if written <= most:
            assert arrays.without_dictionary(array).to_pylist() == array.to_pylist()
        else:
            with pytest.raises(BodyError, match=f"of {len(named)} rows would take {written} bytes"):
                arrays.without_dictionary(array)


def test_lists_that_are_named_too_often_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MAX_WRITTEN_OUT", 10)
    lists = pa.DictionaryArray.from_arrays(pa.array([0] * 9), pa.array([[1, 2, 3]]))
    with pytest.raises(BodyError, match="dictionary that 9 rows refer to"):
        arrays.check_written_out(lists)


def test_what_is_left_under_nulls_of_views_is_cleared() -> None:
    """Arrow follows it in its casts, though its validation does not look at it."""
    good = pa.array(["a" * 20, "b" * 20, "c" * 20], pa.string_view())
    views = np.frombuffer(good.buffers()[1], "<i4").copy().reshape(-1, 4)
    views[1] = (1 << 30, 0, 99, 1 << 30)  # long, in a buffer that is not there
    buffers = [pa.py_buffer(b"\x05"), pa.py_buffer(views), *good.buffers()[2:]]
    left = pa.Array.from_buffers(good.type, 3, buffers)
    for one in (left, left.slice(1)):
        checked = arrays.checked(one)
        assert checked.cast(pa.string()).to_pylist() == ["a" * 20, None, "c" * 20][-len(one) :]


TAKEN: list[pa.Array] = [
    pa.array([1, None, 3]), pa.array(["a", None, "c" * 20], pa.string_view()),
    pa.array([[1], None, []]), pa.array(["a", None, "a"]).dictionary_encode(),
    pa.array([{"x": 1}, None, {"x": 2}]),
]  # fmt: skip


@pytest.mark.parametrize("values", TAKEN, ids=lambda one: str(one.type))
@pytest.mark.parametrize("few", [1, 1000])
@pytest.mark.parametrize("rows", [[2, 0, 2], [], [1, None, 0]])
def test_rows_that_are_taken(
    values: pa.Array, few: int, rows: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_FEW", few)
    found = arrays.taken(values, pa.array(rows, pa.int64()))
    there = values.to_pylist()
    assert found.to_pylist() == [None if row is None else there[row] for row in rows]


def test_times_are_compared_as_numbers() -> None:
    day = dt.date(2026, 1, 2)
    for values, number in (
        (pa.array([day, None]), 20_455),
        (pa.array([dt.datetime(1970, 1, 1, 0, 0, 1), None], pa.timestamp("ns", "UTC")), 10**9),
        (pa.array([dt.time(0, 0, 2), None], pa.time32("s")), 2),
        (pa.array([dt.timedelta(seconds=3), None], pa.duration("s")), 3),
        (pa.array([day, None]).dictionary_encode(), 20_455),
        (pa.array([7, None]), 7),
    ):
        assert arrays.comparable(values).to_pylist() == [number, None]


def test_types_whose_names_are_no_text_are_refused() -> None:
    def read(kind: pa.DataType) -> pa.DataType:
        data = (
            pa.schema([("a", kind)]).serialize().to_pybytes().replace(b"wxyz", b"\xff\xfe\xfd\xfc")
        )
        return pa.ipc.read_schema(pa.py_buffer(data)).types[0]

    arrays.check_type(read(pa.struct([("plain", pa.int64())])))
    kinds: list[Any] = [
        pa.struct([("wxyz", pa.int64())]), pa.list_(pa.struct([("wxyz", pa.int64())])),
        pa.timestamp("s", "wxyz"), pa.dictionary(pa.int8(), pa.struct([("wxyz", pa.int64())])),
    ]  # fmt: skip
    for kind in kinds:
        with pytest.raises(BodyError, match="is not text"):
            arrays.check_type(read(kind))


def test_numbers_of_no_fixed_width_are_none() -> None:
    with pytest.raises(TypeError):
        arrays.as_numpy(pa.array(["a"]))


def test_what_a_field_says_of_its_values() -> None:
    field = pa.field("a", pa.float64())
    assert arrays.dtype_of(field) == "double"
    assert arrays.dtype_of(field.with_metadata({arrays.MARK: b"rounded"})) == "rounded"
    assert len(arrays.dtype_of(field.with_metadata({arrays.MARK: b"\xff" * 500}))) == 100
