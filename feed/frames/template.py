"""Encode a frame by filling new values into the body of the last one.

With hundreds of numeric columns, making an Arrow array of each takes most of the time of encoding,
and leaves hundreds of objects to the producer's garbage collector. Here the head of the last body,
as Arrow wrote it, is reused, and the numbers are copied behind it block by block, to where Arrow
would have put them (https://arrow.apache.org/docs/format/Columnar.html, "RecordBatch message"). A
test compares the bytes of both ways.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.borrowed import lent_values
from livetable.feed.arrow.envelope import first_batch
from livetable.feed.arrow.from_pandas import to_arrow
from livetable.feed.arrow.pandas_private import manager_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from livetable.feed.buffers.pool import Room

MANY: Final = 16
"""Least number of numeric columns for which a stencil is worth it."""

_FEW: Final = 64  # most other columns, and half the most runs of columns
_END: Final = struct.pack("<Ii", 0xFFFFFFFF, 0)  # end marker of a stream


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numeric columns that are adjacent in a frame and contiguous in memory.

    Attributes:
        values: The numbers, one row per column.
    """

    values: np.ndarray[Any, Any]

    @property
    def described(self) -> tuple[Any, ...]:
        """What has to be the same for the same stencil."""
        return len(self.values), self.values.dtype

    @property
    def columns(self) -> list[Column]:
        """The columns, each by itself."""
        return list(map(Column, self.values))


class Column:
    """A single column, or a level of the index.

    Attributes:
        array: Its values.
        is_text: Whether it had to become text.
        dtype: Its type in pandas.

    Args:
        values: Its values as pandas holds them.
    """

    def __init__(self, values: Any) -> None:
        self.array, self.is_text = to_arrow(values)
        self.dtype = values.dtype
        self._message: memoryview | None = None

    @property
    def described(self) -> tuple[Any, ...]:
        """What has to be the same for the same stencil."""
        return self.array.type, self.is_text, self.dtype

    @property
    def columns(self) -> list[Column]:
        """The column."""
        return [self]

    @property
    def message(self) -> memoryview:
        """The record batch message that Arrow writes for this column alone."""
        if self._message is None:
            alone = pa.RecordBatch.from_arrays([self.array], names=[""])
            self._message = memoryview(alone.serialize())
        return self._message

    @property
    def is_plain(self) -> bool:
        """Whether the message holds all its values, in a number of buffers fixed by its type."""
        name = str(self.array.type)
        return "dictionary" not in name and "view" not in name and "run_end" not in name


Layout = list["Numbers | Column"]
"""A frame's columns in order, the levels of its index before them."""


def layout_of(frame: pd.DataFrame, levels: Sequence[Any]) -> Layout | None:
    """Return the layout of a frame's columns in memory, None if a stencil can't use it.

    Args:
        frame: The frame.
        levels: Values of its index's levels.
    """
    try:
        blocks = [
            (item.mgr_locs.as_array, lent_values(item.values), _are_numbers(item.values))
            for item in manager_of(frame).blocks
        ]
    except AttributeError:  # another version of pandas, without these private attributes
        return None
    many = sum(len(places) for places, _, numbers in blocks if numbers)
    if many < MANY or frame.shape[1] - many + len(levels) > _FEW:
        return None
    placed: list[tuple[int, Numbers | Column]] = []
    for places, values, numbers in blocks:
        if not numbers:
            placed += [
                (int(place), Column(values[at] if values.ndim == 2 else values))
                for at, place in enumerate(places)
            ]
            continue
        starts = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
        placed += [
            (int(places[start]), Numbers(values[start:stop])) for start, stop in pairwise(starts)
        ]
    if len(placed) > 2 * _FEW:
        return None
    placed.sort(key=lambda item: item[0])
    return [*map(Column, levels), *(item for _, item in placed)]


def _are_numbers(values: Any) -> bool:
    """Tell whether a block holds numbers, its columns contiguous in memory."""
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size:
        return False
    dtype = values.dtype
    is_plain = dtype.kind in "iuf" and dtype.itemsize <= 8 and dtype.isnative
    return is_plain and bool(values.flags.c_contiguous)


class Stencil:
    """The head of the bodies of all frames with the same layout.

    Args:
        body: The body that Arrow wrote for one of them.
        layout: The layout of that frame.

    Raises:
        ValueError: the body can't be used as a stencil.
    """

    def __init__(self, body: memoryview, layout: Layout) -> None:
        batch = first_batch(body)
        others = [one for one in layout if isinstance(one, Column)]
        if batch is None or not all(one.is_plain for one in others):
            raise ValueError("the body is not a single plain batch")
        self._head = bytes(body[: batch.start])
        self._batch = batch
        nodes, lengths, _ = _buffers(layout, 1)
        if (len(nodes), len(lengths)) != (batch.nodes, batch.buffers):
            raise ValueError("the body has other buffers than the layout")

    def fill(self, layout: Layout, rows: int, room: Room) -> memoryview:
        """Return the body of a frame with the same layout.

        Args:
            layout: Its layout.
            rows: Its number of rows, at least one.
            room: The pool for the memory.

        Raises:
            ValueError: Arrow has to write this one.
        """
        batch = self._batch
        nodes, lengths, pieces = _buffers(layout, rows)
        padded = (lengths + 7) & ~7
        ends = np.cumsum(padded)
        size = len(self._head) + int(ends[-1])
        body = room.take(size + len(_END))
        target = np.frombuffer(body, np.uint8)
        target[: len(self._head)] = np.frombuffer(self._head, np.uint8)
        struct.pack_into("<q", body, batch.rows_at, rows)
        struct.pack_into("<q", body, batch.length_at, int(ends[-1]))
        said = np.frombuffer(body, "<i8", 2 * batch.nodes, batch.nodes_at).reshape(-1, 2)
        said[:] = nodes
        said = np.frombuffer(body, "<i8", 2 * batch.buffers, batch.buffers_at).reshape(-1, 2)
        said[:, 0], said[:, 1] = ends - padded, lengths
        end = len(self._head)
        for piece in pieces:
            end = _put(target, end, piece)
        target[end:] = np.frombuffer(_END, np.uint8)
        return body.toreadonly()


def _buffers(
    layout: Layout, rows: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[np.ndarray[Any, Any]]]:
    """Return the columns' nodes (rows, nulls), their buffers' lengths, and their bytes in order."""
    nodes, lengths, pieces = [], [], []
    for item in layout:
        if isinstance(item, Numbers):
            count, stride = len(item.values), item.values.dtype.itemsize * rows
            nodes.append(np.tile(np.array([rows, 0]), (count, 1)))
            # nothing is missing: the validity buffer is empty
            lengths.append(np.tile(np.array([0, stride]), count))
            pieces.append(item.values)
        else:
            batch = first_batch(item.message)
            if batch is None:
                raise ValueError("a column has no batch")
            said = np.frombuffer(item.message, "<i8", 2 * batch.nodes, batch.nodes_at)
            nodes.append(said.reshape(-1, 2))
            said = np.frombuffer(item.message, "<i8", 2 * batch.buffers, batch.buffers_at)
            lengths.append(said.reshape(-1, 2)[:, 1])
            pieces.append(np.frombuffer(item.message, np.uint8)[None, batch.start :])
    return np.concatenate(nodes), np.concatenate(lengths), pieces


def _put(target: np.ndarray[Any, Any], start: int, piece: np.ndarray[Any, Any]) -> int:
    """Copy columns one after the other, each padded to eight bytes; return the end offset."""
    length = piece.shape[1] * piece.itemsize
    padded = (length + 7) & ~7
    end = start + len(piece) * padded
    to = target[start:end].reshape(len(piece), padded)
    to[:, length:] = 0
    to[:, :length].view(piece.dtype)[:] = piece
    return int(end)
