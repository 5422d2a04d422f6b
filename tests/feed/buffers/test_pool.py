"""livetable.feed.buffers.pool: memory that is used again, and never while anybody looks at it."""

from __future__ import annotations

import gc
import os
import random
import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.buffers.pool import LEAST, MOST, Room

SIZE = LEAST


def address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).ctypes.data)


def test_what_is_let_go_is_used_again() -> None:
    room = Room()
    first = room.take(SIZE)
    at = address(first)
    del first
    second = room.take(SIZE + 100)
    assert address(second) == at
    assert len(second) == SIZE + 100


def test_what_somebody_looks_at_is_not() -> None:
    """However it is looked at: a slice, an array of it, a piece of Arrow's memory."""
    room = Room()
    looks: list[Callable[[memoryview], object]] = [
        lambda view: view[5:10],
        lambda view: view.toreadonly(),
        lambda view: np.frombuffer(view, np.uint8)[3:7],
        lambda view: pa.py_buffer(view).slice(8, 80),
        lambda view: pa.Array.from_buffers(pa.int64(), 10, [None, pa.py_buffer(view)]).slice(3, 4),
        lambda view: np.asarray(view)[2:].data,
    ]
    for look in looks:
        view = room.take(SIZE)
        at, held = address(view), look(view)
        del view
        gc.collect()
        other = room.take(SIZE)
        assert address(other) != at
        del held
        gc.collect()
        again = room.take(SIZE)
        assert address(again) == at
        del other, again


def test_small_and_large_ones_are_not_kept() -> None:
    room = Room()
    for size in (0, 1, LEAST - 1, MOST + 1):
        view = room.take(size)
        assert len(view) == size
        del view
    assert not room._pieces


def test_what_is_kept_is_bounded_and_fits() -> None:
    room = Room()
    views = [room.take(SIZE * at) for at in range(1, 9)]
    assert len(room._pieces) == 8
    del views
    small = room.take(1)  # also where none of them is needed
    assert len(room._pieces) == 2
    assert len(small) == 1
    large = room.take(SIZE * 20)
    assert [piece.room >= SIZE * 20 for piece in room._pieces] == [False, False, True]
    del large
    few = [room.take(SIZE) for _ in range(3)]  # the large one has far more than they need
    assert [piece.room >= SIZE * 20 for piece in room._pieces if piece.room > SIZE * 2].count(True)
    assert len(few) == 3


def test_a_forked_child_keeps_what_it_has() -> None:
    """Its parent goes on, and uses the memory again: what the child looks at must not change."""
    room = Room()
    view = room.take(SIZE)
    view[0] = 7
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        os.read(read, 1)
        os._exit(view[0])
    del view
    room.take(SIZE)[0] = 8
    os.write(write, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    os.close(read)
    os.close(write)


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_nothing_that_is_held_ever_changes(chance: random.Random) -> None:
    room = Room()
    held: list[tuple[int, memoryview]] = []
    for number in range(40):
        if held and chance.random() < 0.5:
            held.pop(chance.randrange(len(held)))
        view = room.take(int(SIZE * chance.uniform(1, 4)))
        np.frombuffer(view, np.uint8)[:] = number
        held.append((number, view))
        for filled, one in held:
            values = np.frombuffer(one, np.uint8)
            assert values[0] == values[-1] == filled
            assert (values == filled).all()


def test_by_several_threads() -> None:
    """Each piece is one thread's alone, whoever gives it back when."""
    room, wrong = Room(), []

    def work(number: int) -> None:
        for turn in range(300):
            view = room.take(SIZE)
            values = np.frombuffer(view, np.uint8)
            values[:64] = values[-64:] = number
            if turn % 3:
                values[100:200] = 0
            if not (values[:64] == number).all() or not (values[-64:] == number).all():
                wrong.append(number)
            del view, values

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
