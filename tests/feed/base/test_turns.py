"""livetable.feed.base.turns."""

from __future__ import annotations

import threading
import time

import pytest

from livetable.feed.base.turns import Job, Turns
from livetable.feed.errors import BadFrame


def test_who_comes_in_the_midst_of_it_is_done_after_it() -> None:
    said: list[str] = []
    turns = Turns(lambda: said.append("after"))
    inner = Job(lambda: said.append("inner"))

    def outer() -> None:
        said.append("outer")
        turns.post(inner)  # a signal handler, a finalizer
        assert not turns.settle(inner, 10)  # of this very thread: not waited for
        assert not inner.done

    turns.post(Job(outer))
    assert inner.done
    assert said == ["outer", "inner", "after"]


def test_another_thread_waits_a_little_and_its_job_is_done_by_who_is_at_it() -> None:
    turns = Turns(lambda: None)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert go_on.wait(20)

    other = threading.Thread(target=lambda: turns.post(Job(slow)))
    other.start()
    assert begun.wait(20)
    mine: Job[int] = Job(lambda: 7)
    began = time.monotonic()
    turns.post(mine)
    assert not turns.settle(mine, 0.05)
    assert time.monotonic() - began < 5
    go_on.set()
    assert turns.settle(mine, 20)
    other.join()
    assert mine.result == 7


def test_an_interrupt_leaves_the_turn_to_others() -> None:
    turns = Turns(lambda: None)

    def interrupted() -> None:
        raise KeyboardInterrupt

    own = Job(interrupted)
    with pytest.raises(KeyboardInterrupt):
        turns.post(own)
    assert own.done  # it is not tried again: who was interrupted knows of it
    after: Job[int] = Job(lambda: 1)
    turns.post(after)
    assert after.result == 1


def test_an_interrupt_in_anothers_job_has_it_done_again() -> None:
    turns = Turns(lambda: None)
    tries: list[int] = []

    def act() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise TimeoutError  # an alarm of the thread that happens to do it
        return 5

    theirs: Job[int] = Job(act)

    def mine() -> None:
        turns.post(theirs)

    with pytest.raises(TimeoutError):
        turns.post(Job(mine))
    turns.post(Job(lambda: None))
    assert theirs.result == 5


def test_an_error_is_its_own_jobs() -> None:
    turns = Turns(lambda: None)
    told: list[Exception] = []

    def wrong() -> None:
        raise BadFrame("no")

    job = Job(wrong)
    turns.post(job)
    assert isinstance(job.error, BadFrame)
    late = Job(wrong)

    def outer() -> None:
        turns.post(late)
        late.abandon(told.append)

    turns.post(Job(outer))
    assert [str(one) for one in told] == ["no"]
