"""`python -m tests.monkey --minutes N --seed S`: a hand that presses whatever there is.

Keys, mouse, pastes, sizes and prompts at random in a real pseudo-terminal, over tables that change
their rows and columns. After every 50 acts: the viewer is alive, Esc makes it live again, and what
stands on its screen is what `livetable --once` prints with the same filters and order. Exit code 1,
the acts that led there and the screen, if not. The same seed gives the same acts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.monkey.actions import Act, Hand
from tests.monkey.screen import CUT, Shown, differs, read
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import killed_after, wait_for

ACTS: Final = 50
SIZE: Final = (50, 200)
SOURCES: Final = (
    ("keyed",), ("changing",), ("limited",), ("large",), ("empty",),
    ("day.tape",), ("rows.csv", "--key", "id"),
)  # fmt: skip
_ESCAPE: Final = "\x1b[27u"
_PATIENCE: Final = 60.0


class Wrong(Exception):
    """The viewer is not as it should be."""


class Monkey:
    """A viewer, and the hand at it.

    Args:
        folder: Where all is.
        seed: Of all that is at random.
        sources: What to show, one after the other.
    """

    def __init__(self, folder: Path, seed: int, sources: tuple[tuple[str, ...], ...]) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._hand = Hand(self._chance)
        self._sources = sources
        self._source: tuple[str, ...] = ()
        self._environment = {"HOME": str(folder), "TMPDIR": str(folder)}
        self._environment["XDG_CONFIG_HOME"] = str(folder / "config")
        self._last: deque[Act] = deque(maxlen=3 * ACTS)
        self.acts = self.checks = self.compared = self.left = 0
        self.terminal = self._start()

    def _start(self) -> Terminal:
        self._source = self._chance.choice(self._sources)
        self._last.clear()
        self._hand.size = SIZE
        terminal = Terminal(
            "livetable", *self._source, folder=self._folder, size=SIZE,
            environment=self._environment,
        )  # fmt: skip
        self.terminal = terminal
        self._until(lambda: "Quit" in terminal.text and read(terminal.lines).is_live, "a start")
        return terminal

    def run(self, until: float) -> None:
        """Press whatever there is until a time.

        Raises:
            Wrong: the viewer is not as it should be.
        """
        while time.monotonic() < until:
            for _ in range(ACTS):
                self._do(self._hand.act())
            self._check()
            if self._chance.random() < 0.15:
                self._leave()

    def _do(self, act: Act) -> None:
        self._last.append(act)
        self.acts += 1
        what = act[1]
        try:
            if isinstance(what, tuple):
                self.terminal.resize(*what)
            else:
                self.terminal.send(what)
        except OSError:  # it has ended: the next look tells why
            pass
        if self._chance.random() < 0.5:
            time.sleep(self._chance.choice((0.001, 0.01, 0.05)))
        if self._has_ended():
            self._after_end()

    def _has_ended(self) -> bool:
        if self.terminal.status is None:
            pid, status = os.waitpid(self.terminal.pid, os.WNOHANG)
            if pid:
                self.terminal.status = os.waitstatus_to_exitcode(status)
        return self.terminal.status is not None

    def _after_end(self) -> None:
        """A key may leave it, in order; nothing else may."""
        self._check_end()
        self.left += 1
        self.terminal.kill()
        self._start()

    def _check_end(self) -> None:
        faults = [path.read_text() for path in self._folder.glob("livetable-*.txt")]
        if self.terminal.status not in (0, 130) or faults:
            raise Wrong("\n".join((f"it ended with {self.terminal.status}", *faults)))

    def _leave(self) -> None:
        self.terminal.send(_ESCAPE * 3)
        self.terminal.send("\x03")
        self.terminal.wait_for_end(_PATIENCE)
        # A click on the footer's Quit, or the palette's, may have been taken late: 0 then.
        self._check_end()
        self.terminal.kill()
        self._start()

    def _until(self, condition: object, what: str) -> None:
        assert callable(condition)

        def holds() -> bool:
            if self._has_ended():
                raise Wrong(f"it ended while waiting for {what}")
            return bool(condition())

        try:
            wait_for(holds, _PATIENCE)
        except AssertionError:
            raise Wrong(f"{what}: not within {_PATIENCE:g} s") from None

    # -- what must hold --------------------------------------------------------------------------

    def _check(self) -> None:
        self.checks += 1
        hold, held = self._folder / "hold", self._folder / "held"
        terminal = self.terminal
        self._hand.size = SIZE
        terminal.resize(*SIZE)
        terminal.send("\x1b[<0;1;1m")  # what is held is let go
        hold.touch()
        try:
            wait_for(held.exists, _PATIENCE, "the feeds to stand still")
            before = self.left
            self._live_again()
            if (self.left == before and self._source[0] != "large") or self._source[0] == "large":
                self._compare()
        finally:
            hold.unlink()

    def _shown(self) -> Shown:
        return read(self.terminal.lines)

    def _press(self, keys: str) -> None:
        if not self._has_ended():
            self.terminal.send(keys)
        if self._has_ended():
            self._after_end()

    def _is_back(self) -> bool:
        """Tell whether all that Esc closes is closed."""
        shown, last = self._shown(), self.terminal.lines[-1]
        closed = not (shown.is_grouped or shown.has_panel or "Cancel" in last)
        return shown.is_live and closed and "Quit" in last

    def _live_again(self) -> None:
        """Press Esc until nothing is left that it closes; then one table is live, and no other."""

        until = time.monotonic() + _PATIENCE
        while not (self._is_back() and self._shown().is_single):
            if time.monotonic() > until:
                raise Wrong("Esc does not make it live again")
            self._press(_ESCAPE)
            time.sleep(0.3)
            shown = self._shown()
            if shown.is_table and not shown.is_single:
                self._press("\x17")  # several tables: close this one
                time.sleep(0.3)
        if self._source[0].endswith(".tape"):
            self._press("." + "}" * 3)  # stopped, and at its end, which is what is printed

    def _compare(self) -> None:
        """Compare the screen with what is printed, scrolled to its beginning."""
        self._press("g")
        self._press("\x1b[H")
        asked: tuple[object, ...] = ()
        printed, error, why = "", "", "nothing was compared"
        hidden = 0
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if self._has_ended():
                self._after_end()
                return
            if not (self._is_back() and self._shown().is_single):
                self._live_again()  # a key that was pressed before has only now been taken
                continue
            if self._source[0].endswith(".tape"):
                self._press("}" * 3)
            shown = self._shown()
            if shown.sort is None:  # the order is held: let it follow
                self._press("o")
                with contextlib.suppress(AssertionError):  # or o goes on to another one
                    wait_for(lambda: self._has_ended() or self._shown().sort is not None, 5)
                continue
            if shown.sort == CUT or any(text.endswith("…") for text in shown.filters):
                return  # the line that tells them has no room for all
            if not shown.titles:  # the key is hidden, or too narrow for its title
                if hidden > 5:
                    return
                hidden += 1
                self._press("+")
                time.sleep(0.3)
                continue
            if asked != (shown.filters, shown.sort):
                asked = shown.filters, shown.sort
                printed, error = self._once(shown.filters, shown.sort)
            if error:
                if "no column" in error:
                    return  # by a column of the person's own, which --once does not know
                why = error
            else:
                why = differs(shown, printed, SIZE[0] - 10) or ""
                if not why:
                    self.compared += 1
                    return
            time.sleep(0.3)
            self._press("g\x1b[H")  # a search that was under way may have gone elsewhere
        raise Wrong(f"{why}\n--once with {asked}:\n{printed[:3000]}{error}")

    def _once(self, filters: tuple[str, ...], sort: str) -> tuple[str, str]:
        more = [f"--where={text}" for text in filters]
        more += [f"--sort={sort}"] if sort else []
        # Another table may have been opened by T, and the first one closed.
        name = self.terminal.lines[0].split()[0]
        source = (name,) if (name,) in SOURCES else self._source
        done = subprocess.run(
            command_line(["livetable", *source, "--once", "--format", "csv", *more]),
            env=environment_for(self._folder, self._environment), cwd=self._folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout, done.stderr if done.returncode else ""

    def report(self) -> str:
        """Return what was done last, and what is on the screen."""
        acts = "\n".join(f"  {name:8} {what!r}" for name, what in self._last)
        return f"{self._source}\n{acts}\n{self.terminal.text}"


def main() -> int:
    """Run the monkey; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.monkey", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--only", choices=[one[0] for one in SOURCES])
    options = parser.parse_args()
    return run(options.minutes, options.seed, options.only)


def run(minutes: float, seed: int, only: str | None = None) -> int:
    """Let the monkey play for so long; return the exit code."""
    print(f"monkey: seed {seed}, {minutes:g} minutes", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="mk-", dir="/tmp"))
    sources = tuple(one for one in SOURCES if only in (None, one[0]))
    before = Path.cwd()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(os.chdir, before)
        os.chdir(folder)  # what is exported stays in there
        root = str(Path(__file__).parents[2])
        environment = environment_for(folder, {"PYTHONPATH": root})
        seconds = minutes * 60 + 300
        feeds = subprocess.Popen(
            [sys.executable, "-m", "tests.monkey.feeds", str(folder), str(seed), str(seconds)],
            env=environment, cwd=root, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        stack.enter_context(killed_after(feeds))
        wait_for(lambda: (folder / "ready").exists() or feeds.poll() is not None, 60, "the feeds")
        monkey = None
        try:
            monkey = Monkey(folder, seed, sources)
            monkey.run(time.monotonic() + minutes * 60)
        except (Wrong, AssertionError) as error:
            said = monkey.report() if monkey is not None else ""
            print(f"seed {seed}: {said}\n\nWRONG: {error}", flush=True)
            return 1
        finally:
            if monkey is not None:
                monkey.terminal.kill()
        print(
            f"monkey: {monkey.acts:,} acts, {monkey.checks} times alive and live again, "
            f"{monkey.compared} times the same as --once; left by a key {monkey.left} times",
            flush=True,
        )
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
