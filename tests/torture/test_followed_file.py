"""A followed file, whatever is done to it: at each pause the table holds its whole lines.

Scenarios are drawn from a seed: a file, or links to it, in one of several layouts; then appends,
rewrites, changed bytes, renames, swapped links, folders that go and come, half lines. A failing
one is shrunk to the operations that it takes, and printed with its seed.

    LIVETABLE_SCENARIOS=1000 LIVETABLE_SEED=7 pytest -m long -rP tests/torture/test_followed_file.py
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.sources import files
from livetable.feed.sources.publish import Publish, Run
from tests.followed import FollowedFile

SECONDS = 10.0
"""So soon after the last operation the table is the file's."""

COUNT = int(os.environ.get("LIVETABLE_SCENARIOS", "30"))
SEED = int(os.environ.get("LIVETABLE_SEED", "1"))
ASIDE = 4
"""Scenarios at once."""

Row = tuple[int, str, int]
Operation = tuple[str, int]
"""What is done, and the seed of how."""

COLUMNS = ["i", "s", "v"]


def line_of(row: Row, form: str) -> str:
    """Return a row as a line."""
    if form == "csv":
        return ",".join(map(str, row)) + "\n"
    return json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n"


def row_of(line: str, form: str) -> Row | None:
    """Return the row that a line is, None if it is none."""
    try:
        if form == "csv":
            number, text, value = line.split(",")
            return int(number), text, int(value)
        found = json.loads(line)
        return found["i"], found["s"], found["v"]
    except (ValueError, KeyError, TypeError):
        return None


class World:
    """A file somewhere, and what can be done to it.

    Args:
        folder: Where all of it is.
        layout: ``form folder file``: csv or jsonl; a folder, or a link to one; a file, or a link.
    """

    def __init__(self, folder: Path, layout: str) -> None:
        self.folder = folder
        self.form, place, kind = layout.split()
        self._count = 0
        self._rest = ""  # of a line that is half written
        (folder / "store").mkdir()
        home = folder / "home"
        if place == "link":
            self._release().rename(folder / "release-0")
            home.symlink_to("release-0", target_is_directory=True)
        else:
            home.mkdir()
        self.path = home / f"t.{self.form}"
        first = self._text(random.Random(layout), 5)
        if kind == "link":
            target = folder / "store" / "first"
            target.write_text(first)
            self.path.symlink_to(target)
        else:
            self.path.write_text(first)

    def _release(self) -> Path:
        self._count += 1
        made = self.folder / f"release-{self._count}"
        made.mkdir()
        return made

    def _rows(self, chance: random.Random, count: int) -> list[Row]:
        return [
            (chance.randrange(100, 1000), chance.choice(("abc", "xyz", "pqr")),
             chance.randrange(10, 100))
            for _ in range(count)
        ]  # fmt: skip

    def _text(self, chance: random.Random, count: int) -> str:
        header = "i,s,v\n" if self.form == "csv" else ""
        return header + "".join(line_of(row, self.form) for row in self._rows(chance, count))

    def read(self) -> str | None:
        """Return what is in the file now, None if there is none."""
        try:
            return self.path.read_text()
        except OSError:
            return None

    def wanted(self) -> tuple[list[Row], Row | None] | None:
        """Return the rows of the whole lines, and what the unfinished one may be; None: no file."""
        text = self.read()
        if text is None:
            return None
        *lines, rest = text.split("\n")
        if self.form == "csv":
            lines = lines[1:]
        rows = [row for line in lines if (row := row_of(line, self.form)) is not None]
        return rows, row_of(rest, self.form)

    def do(self, operation: Operation) -> None:
        """Do an operation; one that can't be done now is none."""
        name, seed = operation
        act: Callable[[random.Random], object] = getattr(self, f"do_{name}")
        with contextlib.suppress(FileNotFoundError):
            act(random.Random(seed))

    # Each of these is an operation; `chance` says how it is done.

    def do_append(self, chance: random.Random) -> None:
        """Add lines; what is half written first becomes whole."""
        if not self.path.exists():
            return self.do_write(chance)
        rows = self._rows(chance, chance.choice((1, 1, 1, 3, 10)))
        with self.path.open("a") as file:
            file.write(self._rest + "".join(line_of(row, self.form) for row in rows))
        self._rest = ""
        return None

    def do_half(self, chance: random.Random) -> None:
        """Add half a line; a further half of it later."""
        if not self.path.exists():
            return
        line = self._rest or line_of(self._rows(chance, 1)[0], self.form)
        at = chance.randrange(1, len(line)) if len(line) > 1 else 1
        with self.path.open("a") as file:
            file.write(line[:at])
        self._rest = line[at:]

    def do_write(self, chance: random.Random) -> None:
        """Rewrite it in place, as another length most often."""
        count = chance.choice((1, 2, 5, 20, 40, 300))
        self._put(self._text(chance, count))

    def do_write_large(self, chance: random.Random) -> None:
        """Rewrite it in place with more than the first piece of a reader."""
        self._put(self._text(chance, chance.choice((20_000, 90_000))))

    def do_write_same_length(self, chance: random.Random) -> None:
        """Rewrite it in place with as many rows of the same length."""
        old = self.wanted()
        if old is not None:
            self._put(self._text(chance, max(1, len(old[0]))))

    def do_write_and_grow(self, chance: random.Random) -> None:
        """Rewrite it in place: a cell changed, a row more."""
        old = self.wanted()
        if old is None:
            return
        rows = old[0] or self._rows(chance, 1)
        at = chance.randrange(len(rows))
        rows[at] = (rows[at][0], "new", rows[at][2])
        header = "i,s,v\n" if self.form == "csv" else ""
        rows += self._rows(chance, 1)
        self._put(header + "".join(line_of(row, self.form) for row in rows))

    def _put(self, text: str) -> None:
        self._rest = ""
        if self.path.parent.exists():
            with contextlib.suppress(FileNotFoundError):  # where a link leads to nothing
                self.path.write_text(text)

    def do_change_byte(self, chance: random.Random) -> None:
        """Change a digit where it stands."""
        text = self.read()
        if text is None:
            return
        end = text.rfind("\n") + 1
        # The first digits of numbers stay: another may be no number (007).
        digits = [
            at for at, one in enumerate(text[:end])
            if at and one.isdigit() and text[at - 1].isdigit()
        ]  # fmt: skip
        if digits:
            at = chance.choice(digits)
            with self.path.open("r+b") as file:
                file.seek(at)
                file.write(str((int(text[at]) + chance.randrange(1, 10)) % 10).encode())

    def do_truncate(self, chance: random.Random) -> None:
        """Cut it where a line ends, or within one."""
        text = self.read()
        if text is None:
            return
        least = len("i,s,v\n") if self.form == "csv" else 0
        first = text.find("\n", least) + 1
        if first <= 0 or len(text) <= first:
            return
        at = chance.randrange(first, len(text))
        if chance.random() < 0.6:
            at = text.rfind("\n", 0, at) + 1
        os.truncate(self.path, at)
        end = text.find("\n", at) + 1
        if text[at - 1] == "\n":
            self._rest = ""
        else:
            self._rest = text[at:end] if end else text[at:] + self._rest

    def do_rename_over(self, chance: random.Random) -> None:
        """Put another file in its place; where it was a link, too."""
        if self.path.parent.exists():
            other = self.path.with_name("t.tmp")
            other.write_text(self._text(chance, chance.randrange(1, 30)))
            other.replace(self.path)
            self._rest = ""

    def do_remove(self, chance: random.Random) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._rest = ""

    def do_swap_link(self, chance: random.Random) -> None:
        """Make it a link to another file elsewhere, at once."""
        if not self.path.parent.exists():
            return
        self._count += 1
        target = self.folder / "store" / f"f{self._count}"
        target.write_text(self._text(chance, chance.randrange(1, 30)))
        link = self.path.with_name("t.link")
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        link.replace(self.path)
        self._rest = ""

    def do_swap_folder(self, chance: random.Random) -> None:
        """Make its folder a link to another one, at once, as Kubernetes does."""
        made = self._release()
        (made / self.path.name).write_text(self._text(chance, chance.randrange(1, 30)))
        home = self.path.parent
        link = self.folder / "home.link"
        link.symlink_to(made.name, target_is_directory=True)
        if home.is_dir() and not home.is_symlink():
            home.rename(self.folder / f"old-{self._count}")
        link.replace(home)
        self._rest = ""

    def do_folder_again(self, chance: random.Random) -> None:
        """Remove its folder, make it again, and the file a moment later."""
        home = self.path.parent
        if home.is_symlink():
            home.unlink()
        else:
            shutil.rmtree(home, ignore_errors=True)
        time.sleep(chance.choice((0, 0, 0.01, 0.2)))
        home.mkdir()
        time.sleep(chance.choice((0, 0, 0.01, 0.2)))
        self._put(self._text(chance, chance.randrange(1, 30)))

    def do_rename_folder(self, chance: random.Random) -> None:
        """Rename its folder away and back, or leave another in its place."""
        home, away = self.path.parent, self.folder / "away"
        home.rename(away)
        time.sleep(chance.choice((0, 0.01, 0.2)))
        if chance.random() < 0.5:
            away.rename(home)
            return
        if away.is_symlink():
            away.unlink()
        else:
            shutil.rmtree(away)
        home.mkdir()
        self._put(self._text(chance, chance.randrange(1, 30)))

    def do_noise(self, chance: random.Random) -> None:
        """Touch it, and write other files beside it."""
        if self.path.exists():
            self.path.touch()
        if self.path.parent.exists():
            (self.path.parent / "beside.csv").write_text("a\n1\n")

    def do_wait(self, chance: random.Random) -> None:
        """Do nothing for a moment."""
        time.sleep(chance.choice((0.001, 0.02, 0.1, 0.6)))


LAYOUTS = [
    f"{form} {place} {kind}"
    for form in ("csv", "jsonl")
    for place in ("folder", "link")
    for kind in ("file", "link")
]
OPERATIONS = {
    "append": 6, "half": 3, "write": 3, "write_same_length": 4, "write_and_grow": 3,
    "change_byte": 5, "truncate": 3, "rename_over": 3, "remove": 1, "swap_link": 2,
    "swap_folder": 1.5, "folder_again": 1, "rename_folder": 1, "noise": 1, "wait": 1.5,
    "write_large": 0.15, "pause": 9,
}  # fmt: skip
"""Operations, and how often they come."""


@dataclass
class Scenario:
    """What is done to a file.

    Attributes:
        layout: Where the file is.
        operations: What is done; ``pause``: then the table has to be right.
    """

    layout: str
    operations: list[Operation]

    @classmethod
    def of(cls, seed: str) -> Scenario:
        """Draw a scenario."""
        chance = random.Random(seed)
        names = chance.choices(
            list(OPERATIONS), list(OPERATIONS.values()), k=chance.randrange(4, 14)
        )
        made = [(name, chance.randrange(1_000_000)) for name in (*names, "pause")]
        return cls(chance.choice(LAYOUTS), made)

    def run(self, source: Run = files.run, seconds: float = SECONDS) -> str | None:
        """Run it; return what is wrong, None if nothing is."""
        folder = Path(tempfile.mkdtemp(prefix="ff-", dir="/tmp"))
        try:
            world = World(folder, self.layout)
            with FollowedFile(world.path, folder, source) as file:
                if (wrong := _pause(world, file, seconds)) is not None:
                    return f"at first: {wrong}"
                for at, operation in enumerate(self.operations):
                    if operation[0] == "pause":
                        wrong = _pause(world, file, seconds)
                        if wrong is None and operation[1] % 5 == 0:  # and it stays so
                            time.sleep(0.15)
                            wrong = _pause(world, file, 0.0)
                    else:
                        world.do(operation)
                    if wrong is None and file.failure is not None:
                        wrong = f"the source ended: {file.failure!r}"
                    if wrong is not None:
                        return f"at operation {at + 1}: {wrong}"
            return None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def shrunk(self, fails: Callable[[Scenario], bool], seconds: float = 90) -> Scenario:
        """Return the fewest operations that still fail, as far as the time goes."""
        until = time.monotonic() + seconds
        best, size = self, max(1, len(self.operations) // 2)
        while size:
            at = 0
            while at < len(best.operations) and time.monotonic() < until:
                kept = best.operations[:at] + best.operations[at + size :]
                fewer = Scenario(best.layout, kept)
                if fails(fewer):
                    best = fewer
                else:
                    at += size
            size //= 2
        for layout in LAYOUTS:
            simpler = Scenario(layout, best.operations)
            if layout == best.layout or time.monotonic() > until:
                break
            if fails(simpler):
                return simpler
        return best


def _pause(world: World, file: FollowedFile, seconds: float) -> str | None:
    """Wait until the table is the file's; return how it is not, None if it is."""
    wanted = world.wanted()
    if wanted is None:
        return None  # the last good table stays; what it was is not known here
    rows, half = wanted
    found: list[Any] = [None]

    def right() -> bool:
        table = file.table()
        if table is None:
            found[0] = None
            return not rows and half is None
        if table.column_names != COLUMNS:
            found[0] = table.column_names
            return False
        found[0] = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        if found[0] == rows:
            return True
        if half is None or found[0] != [*rows, half]:
            return False
        return file.marks("unfinished") or file.marks("tail")

    if file.wait(right, seconds):
        return None
    return f"the table is {_short(found[0])},\nthe file {_short(rows)} and {half}\n" + (
        f"said: {file.said()[-300:]}" if file.said() else "nothing said"
    )


def _short(rows: Any) -> str:
    if not isinstance(rows, list) or len(rows) < 8:
        return repr(rows)
    return f"{len(rows)} rows, {rows[:3]} … {rows[-2:]}"


def run_all(
    seed: int, count: int, source: Run = files.run, seconds: float = SECONDS
) -> tuple[int, str | None]:
    """Run scenarios; return how many were run, and the report of the first that failed."""
    failed = threading.Event()

    def one(at: int) -> tuple[Scenario, str] | None:
        if failed.is_set():
            return None
        scenario = Scenario.of(f"{seed}/{at}")
        wrong = scenario.run(source, seconds)
        if wrong is None:
            return None
        failed.set()
        return scenario, wrong

    with ThreadPoolExecutor(ASIDE) as pool:
        results = list(pool.map(one, range(count)))
    for at, result in enumerate(results):
        if result is not None:
            scenario, wrong = result

            def fails(this: Scenario) -> bool:
                # Three times: many faults are races.
                return any(this.run(source, seconds) is not None for _ in range(3))

            least = scenario.shrunk(fails)
            runs = (least.run(source, seconds) for _ in range(3))
            again = next(filter(None, runs), f"not again; the first time: {wrong}")
            lines = "\n".join(f"    {name} {seed}" for name, seed in least.operations)
            return at, (
                f"scenario {at} of seed {seed}, {len(scenario.operations)} operations, "
                f"shrunk to {len(least.operations)}, {least.layout}:\n{lines}\n{again}"
            )
    return count, None


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_table_is_the_file() -> None:
    began = time.monotonic()
    count, report = run_all(SEED, COUNT)
    assert report is None, report
    print(f"{count} scenarios of seed {SEED} in {time.monotonic() - began:.0f} s")


@pytest.mark.timeout(120)
def test_a_source_that_does_not_look_again_is_found() -> None:
    def lazy(options: files.Options, publish: Publish, stop: threading.Event) -> None:
        text = Path(options.source).read_text()
        form = "csv" if options.source.endswith(".csv") else "jsonl"
        rows = [row_of(line, form) for line in text.split("\n")[:-1]]
        whole = [dict(zip(COLUMNS, row, strict=True)) for row in rows if row is not None]
        publish("lazy").send(whole)
        stop.wait()

    _, report = run_all(3, 10, lazy, seconds=0.1)
    assert report is not None
    assert "shrunk to 2" in report or "shrunk to 1" in report, report


def test_scenarios_are_the_same_for_the_same_seed() -> None:
    assert Scenario.of("1/2") == Scenario.of("1/2") != Scenario.of("1/3")
    scenarios = [Scenario.of(f"1/{at}") for at in range(300)]
    assert {name for one in scenarios for name, _ in one.operations} == set(OPERATIONS)
    assert {one.layout for one in scenarios} == set(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_operation_leaves_what_can_be_read(layout: str, tmp_path: Path) -> None:
    for number, name in enumerate(OPERATIONS.keys() - {"pause", "wait", "write_large"}):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name, layout)
        before = world.read()
        for at in range(4):
            world.do((name, 10 * number + at))
        wanted = world.wanted()
        assert (wanted is None) == (name == "remove"), name
        if wanted is not None:
            same = name == "noise" or (name == "rename_folder" and world.read() == before)
            assert (world.read() == before) == same, name
            text = (world.read() or "").split("\n")[:-1]
            lines = len(text) - (world.form == "csv")
            assert len(wanted[0]) == lines, (name, world.read())
