"""tui.terminal.driver: a terminal is written to without waiting, and is heard when it answers."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.geometry import Size

from livetable.tui.terminal import driver as driver_module
from livetable.tui.terminal.driver import TerminalDriver, driver_for_terminal
from livetable.tui.terminal.job_control import has_shell
from tests.waiting import wait_until

ASK = b"\x1b[6n"


class Heard(App[None]):
    """An app that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def post_message(self, message: Any) -> bool:
        self.told.append(message)
        return True


class Ends:
    """A driver, and the end of its terminal that a person sits at."""

    def __init__(self, driver: TerminalDriver, app: Heard, person: int) -> None:
        self.driver = driver
        self.app = app
        self.person = person
        self.progress = 0
        driver.on_progress = self.count

    def count(self) -> None:
        self.progress += 1

    def read(self) -> bytes:
        """Return what has come to the person."""
        found = bytearray()
        while True:
            try:
                found += os.read(self.person, 1 << 16)
            except BlockingIOError:
                return bytes(found)

    async def come(self, size: int) -> bytes:
        """Read until so much has come."""
        found = bytearray()

        def enough() -> bool:
            found.extend(self.read())
            return len(found) >= size

        await wait_until(enough, lambda: len(found))
        return bytes(found)

    def answer(self) -> None:
        """Say where the cursor is, as the thread that reads hears it."""
        self.driver.process_message(events.CursorPosition(1, 1))


@asynccontextmanager
async def terminal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ends]:
    person, program = pty.openpty()
    tty.setraw(program)
    os.set_blocking(person, False)
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTSTP, signal.SIGCONT)}
    standard = SimpleNamespace(fileno=lambda: program, isatty=lambda: True)
    monkeypatch.setattr(sys, "__stdin__", standard)
    app = Heard()
    driver = TerminalDriver(app)
    monkeypatch.setattr(driver_module, "_LEAVE_SECONDS", 0.0)
    try:
        yield Ends(driver, app, person)
    finally:
        driver.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for end in (person, program):
            try:
                os.close(end)
            except OSError:
                continue


async def test_what_the_terminal_does_not_take_is_kept_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with terminal(monkeypatch) as ends:
        parts = [f"{number:07} " * 1000 for number in range(40)]
        for part in parts:
            ends.driver.write(part)  # nobody reads: more than a terminal holds, and no wait
        assert ends.driver.output.pending > 100_000
        whole = "".join(parts).encode()
        assert await ends.come(len(whole)) == whole
        await wait_until(lambda: ends.progress == 1, lambda: ends.progress)  # it is told once
        assert ends.driver.output.pending == 0
        ends.driver.write("aé\ud800")  # what is no text is no reason to end
        assert await ends.come(4) == "aé?".encode()


def _with(module: Any, **more: Any) -> Any:
    return SimpleNamespace(**{**vars(module), **more})


async def test_a_question_is_counted_when_it_is_written_and_its_answer_is_nobodys_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with terminal(monkeypatch) as ends:
        ends.driver.ask()
        assert await ends.come(len(ASK)) == ASK
        ends.driver.write("x" + ASK.decode()[:2])  # cut by what the terminal takes
        ends.driver.write(ASK.decode()[2:])
        assert ends.driver.output.questions == 2
        ends.answer()
        await wait_until(lambda: ends.progress, lambda: ends.progress)
        assert ends.app.told == []
        assert ends.driver.pace.round_trip is not None
        key = events.Key("a", "a")
        ends.driver.process_message(key)
        await wait_until(lambda: ends.app.told, lambda: None)
        assert ends.app.told == [key]


async def test_the_last_question_drops_what_nobody_will_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with terminal(monkeypatch) as ends:
        monkeypatch.setattr(ends.driver, "_key_thread", object())
        ends.driver.write("paint " * 100_000)
        backlog = ends.driver.output.pending
        ends.driver.leave()
        assert ends.driver.output.pending < backlog / 100
        last = await ends.come(ends.driver.output.pending)
        await wait_until(lambda: not ends.driver.output.pending, lambda: ends.driver.output.pending)
        last += ends.read()
        assert b"\x18\x1b[0m" in last  # what was cut in half is ended
        assert last.endswith(ASK + b"\x1b[c")
        ends.driver.ask()  # what is asked now would keep the shell waiting
        ends.driver.leave()
        assert ends.driver.output.pending == 0
        assert ends.driver.wait() > 0


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ((b"a\x1b[?62;22cb",), b"ab"),
        ((b"\x1b[?6c",), b""),
        ((b"q", b"\x1b[?1;2c"), b"q"),
        ((b"\x1b[1;1R",), b"\x1b[1;1R"),
    ],
)
async def test_the_last_answer_is_taken_out_of_what_is_typed(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...], left: bytes
) -> None:
    async with terminal(monkeypatch) as ends:
        ends.driver._last_asked_at = 1.0
        assert b"".join(map(ends.driver._hear_last, parts)) == left
        assert ends.driver._is_last_answered is (b"c" in parts[-1])
        ends.driver._last_asked_at = None


async def test_a_terminal_that_is_gone_ends_nothing_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with terminal(monkeypatch) as ends:
        gone: list[bool] = []
        ends.driver.on_gone = lambda: gone.append(ends.driver.is_gone)
        os.close(ends.person)
        ends.driver.write("x" * 100_000)
        assert ends.driver.output.pending == 0  # nobody will ever take it
        reading = asyncio.to_thread(ends.driver.run_input_thread)
        await asyncio.wait_for(reading, 20)
        assert gone == [True]


async def test_keys_are_read_until_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with terminal(monkeypatch) as ends:
        reading = asyncio.create_task(asyncio.to_thread(ends.driver.run_input_thread))
        letter = "é".encode()
        os.write(ends.person, b"a" + letter[:1])  # a letter that comes in two parts
        await wait_until(lambda: ends.app.told, lambda: None)
        os.write(ends.person, letter[1:] + b"\x1b[A\x1b[3;4R")
        await wait_until(lambda: len(ends.app.told) >= 3, lambda: ends.app.told)
        assert [one.key for one in ends.app.told] == ["a", "é", "up"]
        await wait_until(lambda: ends.progress, lambda: None)  # the answer went elsewhere
        ends.driver.exit_event.set()
        await asyncio.wait_for(reading, 20)
        assert not ends.driver.is_gone


async def test_a_size_is_told_again_if_another_one_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with terminal(monkeypatch) as ends:
        size = Size(*ends.driver.size)
        ends.driver.see_size(size)
        assert ends.app.told == []
        ends.driver.see_size(Size(size.width + 1, size.height))
        (event,) = ends.app.told
        assert (type(event), event.size) == (events.Resize, size)


def test_without_a_terminal_the_driver_is_textuals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(has_shell(), bool)
    for is_one, kind in ((True, TerminalDriver), (False, None)):
        monkeypatch.setattr(driver_module, "os", _with(os, isatty=lambda _, is_one=is_one: is_one))
        assert driver_for_terminal() is kind
