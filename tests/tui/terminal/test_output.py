"""tui.terminal.output: what the terminal does not accept is kept, in order, and nothing blocks."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from livetable.tui.terminal import output as output_module
from livetable.tui.terminal.output import ASK, TerminalOutput
from livetable.tui.terminal.pace import Pace
from tests.waiting import wait_until


class Person:
    """The other end of a terminal."""

    def __init__(self) -> None:
        self.end, self._program = pty.openpty()
        tty.setraw(self._program)
        os.set_blocking(self.end, False)
        self.pace = Pace()
        self.progress = 0
        name = os.ttyname(self._program)
        self.output = TerminalOutput(name, self.pace, asyncio.get_running_loop, self.count)

    def count(self) -> None:
        self.progress += 1

    def read(self) -> bytes:
        found = b""
        while True:
            try:
                found += os.read(self.end, 1 << 16)
            except BlockingIOError:
                return found

    def close(self) -> None:
        self.output.close()
        for end in (self.end, self._program):
            os.close(end)


@pytest.fixture
def person() -> Iterator[Person]:
    person = Person()
    yield person
    person.close()


async def test_what_is_written_arrives_and_is_counted(person: Person) -> None:
    person.output.write(b"abc")
    assert person.read() == b"abc"
    assert (person.output.pending, person.pace.on_its_way, person.progress) == (0, 3, 0)
    assert person.output.is_open


async def test_what_is_not_accepted_is_kept_in_order(person: Person) -> None:
    whole = b"".join(b"%07d " % number for number in range(40_000))
    for start in range(0, len(whole), 1000):
        person.output.write(whole[start : start + 1000])
    assert person.output.pending > 100_000
    arrived = bytearray()

    def is_all() -> bool:
        arrived.extend(person.read())
        return len(arrived) >= len(whole)

    await wait_until(is_all, lambda: len(arrived))
    assert arrived == whole
    await wait_until(lambda: person.progress == 1, lambda: person.progress)
    assert person.output.pending == 0


async def test_questions_are_counted_when_they_are_written(person: Person) -> None:
    output = person.output
    assert [output.asked_first] == [None]
    output.write(ASK.encode()[:2])
    output.write(ASK.encode()[2:] + b"x" + ASK.encode())  # one of them in two parts
    assert output.questions == 2
    assert output.asked_first is not None
    while not output.pending:
        output.write(b"." * 10_000)
    output.write(ASK.encode())
    output.drop_backlog()
    assert output.pending < 10
    assert output.questions == 2  # the third was never written


async def test_a_dropped_backlog_ends_half_a_sequence(person: Person) -> None:
    while not person.output.pending:
        person.output.write(b"\x1b[31m" * 1000)
    person.output.drop_backlog()
    person.output.write(b"end")
    arrived = bytearray()

    def is_all() -> bool:
        arrived.extend(person.read())
        return arrived.endswith(b"end")

    await wait_until(is_all, lambda: arrived[-20:])
    assert arrived.endswith(b"\x18\x1b[0mend")
    person.output.drop_backlog()  # nothing is left to drop
    assert person.output.pending == 0


async def test_writes_of_a_block_are_one_call_of_the_system(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = os.write

    def spy(file: int, data: Any) -> int:
        written.append(bytes(data))
        return write(file, data)

    changed = SimpleNamespace(**{**vars(os), "write": spy})
    monkeypatch.setattr(output_module, "os", changed)
    with person.output.together():
        person.output.write(b"a")
        with person.output.together():
            person.output.write(b"b")
        person.output.write(b"c")
        assert written == []
    assert written == [b"abc"]
    person.output.write(b"d")
    assert written == [b"abc", b"d"]


async def test_draining_waits_no_longer_than_asked(person: Person) -> None:
    person.output.write(b"x")
    person.output.drain(5.0)  # nothing to wait for
    while not person.output.pending:
        person.output.write(b"." * 10_000)
    person.output.drain(0.05)  # nobody reads
    left = person.output.pending
    assert left > 0
    reader = asyncio.get_running_loop().run_in_executor(None, drained, person)
    person.output.drain(20.0)
    assert person.output.pending == 0
    assert await reader > left


def drained(person: Person) -> int:
    count = 0
    while person.output.pending or not count:
        count += len(person.read())
    return count


def test_without_a_terminal_there_is_nothing_to_write_to() -> None:
    for name in (None, "/no/such/terminal"):
        output = TerminalOutput(name, Pace(), asyncio.new_event_loop, lambda: None)
        assert (output.is_open, output.fd) == (False, -1)
        output.close()


def test_whether_it_erases_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    output = TerminalOutput(None, Pace(), asyncio.new_event_loop, lambda: None)
    declared: dict[str, int | None] = {"flag": 1}

    class Curses:
        class error(Exception):
            pass

        @staticmethod
        def setupterm(fd: int) -> None:
            if fd and declared["flag"] is None:
                raise Curses.error

        @staticmethod
        def tigetflag(name: str) -> int:
            assert name == "bce"
            return declared["flag"] or 0

    monkeypatch.setattr(output_module, "curses", Curses)
    for term, flag, erases in (
        ("xterm", 1, True),
        ("xterm", 0, False),
        ("tmux-256color", 0, True),
        ("tmux-256color", None, False),
    ):
        monkeypatch.setenv("TERM", term)
        declared["flag"] = flag
        assert output.erases == erases, (term, flag)


async def test_a_terminal_that_is_gone_is_no_error() -> None:
    person = Person()
    os.close(person.end)
    person.output.write(b"to nobody")
    assert person.output.pending == 0
    person.output.close()
    person.output.close()  # a second time does nothing
    os.close(person._program)
