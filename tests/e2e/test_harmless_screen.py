"""What comes out of the viewer's pseudo-terminal while it shows the worst texts there are."""

from __future__ import annotations

import base64
import random
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.writer import TapeWriter
from tests.terminal import Terminal

OURS = re.compile(
    rb"\x1b\[?[0-9;?]*\x18"  # one that is cut off by leaving, and taken back
    rb"|\x1b\[[0-9;]*m"  # colours and styles
    rb"|\x1b\[[0-9;]*[HGCKJXLMr]|\x1b\[6n|\x1b\[c"  # moved, erased, scrolled; where, what?
    rb"|\x1b\[\?[0-9;]+[hl]|\x1b\[\?[0-9]+\$p|\x1b\]22;default\x07"  # questions; a pointer
    rb"|\x1b\[[<>=][0-9;]*u"  # modes, and which there are
    rb"|\x1b\[22;0t|\x1b\[23;0t|\r|\n|\x18"
)
CONTROL = re.compile(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")
WORST = [
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;b3duZWQ=\x07", "\x1bP+q544e\x1b\\", "\x1b_Gf=24;AAAA\x1b\\", "\x1b^x\x1b\\",
    "\x1bX x\x1b\\", "\x1bc", "\x1b[2J", "\x1b[?1049l", "\x1b[200~rm -rf\x1b[201~", "\x1b[6n",
    "\x9b2J", "\x9d0;owned\x9c", "\x90q\x9c", "\x1b(0", "\x1b#8", "\x1b[5i", "\x1b[21t",
    "[bold]x[/bold]", "[/foo]", "[@click=app.quit]x[/]", "[link=http://x]x[/link]", "\\[x]",
    "\x0e\x0f\x05\x07\x08\x7f\x00", "a\rb\nc\td\x0be\x0c", "\u202eevil\u202c", "\u2066x\u2069",
    "e\u0301" * 3 + "\u0300" * 50, "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "שלום עולם", "مرحبا", "漢字かな",
    "ｆｕｌｌ", "\ufe0f☺️",
    "\u00ad\u200b\u200d\u2060\ufeff", "\u115f\u1160\u3164\uffa0", "\ud800",
    "\U000e0041", "\x85\u2028\u2029",
]  # fmt: skip


def _sequences(count: int) -> Iterator[str]:
    """Yield control sequences that nobody has thought of."""
    chance = random.Random(7)
    introducers = [
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b_",
        "\x1b^",
        "\x1bX",
        "\x1b",
        "\x9b",
        "\x9d",
        "\x90",
    ]
    for _ in range(count):
        middle = "".join(
            chance.choice("0123456789;:?>=<!$\"' ") for _ in range(chance.randrange(6))
        )
        yield (
            chance.choice(introducers)
            + middle
            + chr(chance.randrange(0x20, 0x7F))
            + chance.choice(("", "\x07", "\x1b\\", "\x9c"))
        )


def _characters() -> Iterator[str]:
    """Yield all characters of the classes that do something, a share of those that look odd."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        direction = unicodedata.bidirectional(character)
        marks = category in ("Cc", "Cf", "Zl", "Zp", "Zs") or direction in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip
        share = {"Cn": 7919, "Co": 7919, "Cs": 97, "Mn": 13, "Mc": 13, "Me": 1, "Sk": 7, "So": 31}
        rare = (
            code % share[category] == 0
            if category in share
            else direction in ("R", "AL") and code % 41 == 0
        )
        if marks or rare:
            yield f"a{character}b"


def texts() -> list[str]:
    """Return the texts of all rows."""
    return [*WORST, *_sequences(2000), *_characters()]


def _rows(terminal: Terminal) -> dict[int, list[str]]:
    """Return the cells of the lines on the screen that are rows, by the rows' numbers."""
    found = {}
    for line in range(2, terminal.screen.lines - 2):
        cells = [terminal.cell(line, column).data for column in range(terminal.screen.columns)]
        number = re.match(r"\s*(\d+)␛", "".join(cells))
        if number is not None and "§" in cells:
            found[int(number[1])] = cells
    return found


@pytest.mark.parametrize("size", [(60, 100)])
def test_only_what_livetable_makes_comes_out(runtime_folder: Path, size: tuple[int, int]) -> None:
    rows = texts()
    assert len(rows) > 2500
    frame = pd.DataFrame(
        {"text": None, "mark": "§§", **{text: 0 for text in WORST[:20]}},
        index=pd.Index([f"{number}\x1b[31m" for number in range(len(rows))], name="\x1b]0;n\x07"),
    )
    frame["text"] = pd.Series(rows, dtype=object, index=frame.index)
    table = Publisher("nasty [bold]x[/bold]".replace("/", ""))
    table.note("\x1b]0;noted\x07 [/b] \u202e")
    table.send(frame)
    with Terminal("livetable", table.name, folder=runtime_folder, size=size) as terminal:
        terminal.wait_for("● live")
        terminal.wait_for("§§")
        shown: dict[int, list[str]] = {}
        while True:
            # Where the next column stands, by another terminal's reckoning.
            places = {cells.index("§") for cells in shown.values()}
            assert len(places) <= 1, (places, terminal.text)
            last = max(shown, default=-1)
            if last == len(rows) - 1:
                break
            if shown:
                terminal.send("\x1b[6~")

            def is_next(last: int = last) -> bool:
                now = _rows(terminal)
                if len(now) < size[0] - 4 or list(now) != list(range(min(now), max(now) + 1)):
                    return False  # half painted
                shown.clear()
                shown.update(now)
                return min(now) <= last + 1 and max(now) > last

            terminal.wait_for(is_next)
        terminal.send("G")
        terminal.send("l" * 10 + "i")  # other headers, and a panel
        terminal.wait_for("│")
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        check_bytes(bytes(terminal.raw))
    table.close()


def check_bytes(raw: bytes) -> None:
    """Check that of what came out nothing is a control that livetable did not make."""
    out = OURS.sub(b"", raw)
    left = CONTROL.search(out)
    assert left is None, out[max(0, left.start() - 30) : left.start() + 30]
    assert b"owned" not in b"".join(re.findall(rb"\x1b\].*?(?:\x07|\x1b\\)", raw))
    text = raw.decode("utf-8", "replace")  # a paint that leaving took back may be cut anywhere
    controls = {c for c in text if unicodedata.category(c) in ("Cf", "Zl", "Zp", "Cs", "Cn")}
    assert controls <= {"\u200e"}, controls


NAME = "\x1b]0;owned\x07[bold]x[b]\x9b2J\u202e\r\n\tmine"
"""As bad as a name can be."""


def watch(folder: Path, *command: str, until: str, keys: str = "") -> bytes:
    """Return what comes out of a viewer that is used for a moment."""
    with Terminal("livetable", *command, folder=folder, size=(30, 120)) as terminal:
        terminal.wait_for(until)
        for key in keys:
            terminal.send(key)
            before = len(terminal.raw)
            terminal.wait_for(lambda before=before: len(terminal.raw) > before)  # type: ignore[misc]
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        return bytes(terminal.raw)


def test_file_names_and_what_is_wrong_with_files(runtime_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{NAME}.csv"
    file.write_text("a,b\n1,2\n")
    check_bytes(watch(runtime_folder, str(file), until="● live", keys="li"))
    file.write_bytes(b"\xff\xfe\x00\x1b]0;owned\x07")
    with Terminal("livetable", str(file), folder=runtime_folder) as terminal:
        terminal.wait_for("mine")
        terminal.wait_for(lambda: "◌" in terminal.text or "○" in terminal.text)
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        check_bytes(bytes(terminal.raw))
    missing = tmp_path / NAME / "x.csv"
    with Terminal("livetable", str(missing), folder=runtime_folder) as terminal:
        assert terminal.wait_for_end() == 2
        check_bytes(bytes(terminal.raw))


def test_tape_headers(runtime_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.tape"
    writer = TapeWriter(path, NAME)
    data = Encoder()(capture(pd.DataFrame({NAME: [NAME]}))).data
    for seq in (1, 2):
        header = Header(
            "snapshot", NAME, position=Position(NAME, seq), note=NAME, key=((NAME,),), rows=1,
            columns=1, size=len(data),
        )  # fmt: skip
        writer.add(1_700_000_000.0 + seq, header, data)
    writer.close()
    check_bytes(watch(runtime_folder, str(path), until="tape", keys=",.i"))


def test_a_catalogue_that_lies(runtime_folder: Path) -> None:
    with Publisher("plain", endpoint="tcp://127.0.0.1:0") as plain:
        state = plain._state
        true = state.info
        # As no livetable would tell it: the viewer must not trust the other side for it.
        state.info = lambda *some: replace(  # type: ignore[method-assign]
            true(*some), process=NAME, key=((NAME,),)
        )
        with Publisher("other", endpoint=plain.endpoint) as other:
            plain.send({"a": [1]})
            other.send({"a": [1]})
            check_bytes(watch(runtime_folder, plain.endpoint, until="mine", keys="j"))


def test_what_is_copied(runtime_folder: Path) -> None:
    with Publisher("orders") as orders:
        orders.send({"text": [NAME]})
        raw = watch(runtime_folder, "orders", until="● live", keys="y")
    (copied,) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", raw)
    assert base64.b64decode(copied).decode() == NAME
    check_bytes(raw.replace(b"\x1b]52;c;" + copied + b"\x07", b""))
