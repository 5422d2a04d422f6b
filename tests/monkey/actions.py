"""What a hand at a terminal may do, as the bytes that the terminal sends."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from livetable.tui.app import all_bindings

Act = tuple[str, str | tuple[int, int]]
"""What it is called, and what is sent: a text, or a size (lines and columns)."""

SEQUENCES: Final = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H",
    "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "tab": "\t", "enter": "\r",
    "escape": "\x1b[27u", "space": " ", "shift+left": "\x1b[1;2D", "shift+right": "\x1b[1;2C",
    "shift+tab": "\x1b[Z", "ctrl+home": "\x1b[1;5H", "ctrl+end": "\x1b[1;5F", "backspace": "\x7f",
    "delete": "\x1b[3~", "ctrl+p": "\x10", "minus": "-", "plus": "+", "ampersand": "&",
    "slash": "/", "less_than_sign": "<", "greater_than_sign": ">", "percent_sign": "%",
    "left_parenthesis": "(", "right_parenthesis": ")", "equals_sign": "=", "comma": ",",
    "full_stop": ".", "left_square_bracket": "[", "right_square_bracket": "]",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "at": "@", "vertical_line": "|",
    "question_mark": "?", "semicolon": ";", "apostrophe": "'", "quotation_mark": '"',
    "exclamation_mark": "!", "$": "$",
}  # fmt: skip
LEAVING: Final = ("q", "ctrl+c", "ctrl+w", "ctrl+z")
"""They are not pressed: what they do is what they should."""

TEXTS: Final = (
    "price > 50", "price > 50 and done", "qty == 1 or name == 'tech'", "not done", "tech",
    "created > '2026-06-01'", "created > 2026-11-27", "price > 'x'", "name > 5", "price", "price >",
    "nope > 1", "id", "(", "'", "`", "price = 1", "x" * 90, "[red]", "数据", "mid = price * 2",
    "mid = price / qty", "c = name", "d(price)", "pct(price, 1)", "price > 0: red", "done: bold",
    "price > 1: nothing", "price > 140 until price < 0", "-3", "14:00", "zzz", "ms", "0501",
    "price.between(0, 50)", "name.str.contains('e')", "qty.isna()", "price / 0 > 1", "price < -99",
)  # fmt: skip
PROMPTS: Final = ("f", "/", "=", "r", "W", "@", "U", "e", "!")
SIZES: Final = (
    (24, 80), (50, 200), (24, 80), (10, 40), (3, 20), (1, 1), (2, 200), (60, 12), (30, 120),
)  # fmt: skip


def keys() -> list[str]:
    """Return all keys of the viewer that do not leave it, as they are sent."""
    found = []
    for binding in all_bindings():
        for name in binding.key.split(","):
            if name in LEAVING:
                continue
            if name in SEQUENCES:
                found.append(SEQUENCES[name])
            elif name.startswith("ctrl+") and len(name) == 6:
                found.append(chr(ord(name[5]) - 96))
            elif len(name) == 1:
                found.append(name)
    return sorted(set(found) | {SEQUENCES["ctrl+p"], SEQUENCES["backspace"], SEQUENCES["escape"]})


def mouse(button: int, x: int, y: int, end: str) -> str:
    """Return what a terminal sends for the mouse, from (0, 0) at the left above."""
    return f"\x1b[<{button};{x + 1};{y + 1}{end}"


class Hand:
    """Gives one act after the other, the same ones for the same seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._keys = keys()
        self.size = (24, 80)
        self._acts: list[tuple[int, Callable[[], Act]]] = [
            (30, self._key), (10, self._burst), (12, self._prompt), (12, self._click),
            (4, self._drag), (4, self._wheel), (5, self._paste), (4, self._resize),
            (3, self._palette), (6, self._escape),
        ]  # fmt: skip

    def act(self) -> Act:
        """Return the next act."""
        weights, acts = zip(*self._acts, strict=True)
        chosen: Callable[[], Act] = self._chance.choices(acts, weights)[0]
        return chosen()

    def _key(self) -> Act:
        key = self._chance.choice(self._keys)
        return "key", key * self._chance.choice((1, 1, 1, 2, 5))

    def _burst(self) -> Act:
        chance = self._chance
        return "burst", "".join(chance.choice(self._keys) for _ in range(chance.randrange(2, 7)))

    def _prompt(self) -> Act:
        chance = self._chance
        end = chance.choice(("\r", "\r", "\r", "\x1b[27u", "", "\t\r", "\r\r", "\x1b[27u\x1b[27u"))
        return "prompt", chance.choice(PROMPTS) + chance.choice(TEXTS) + end

    def _place(self) -> tuple[int, int]:
        lines, columns = self.size
        x, y = self._chance.randrange(columns), self._chance.randrange(lines)
        # Not at the last line's end: a click at "q Quit" leaves.
        return (min(x, max(0, columns // 2)) if y == lines - 1 else x), y

    def _click(self) -> Act:
        x, y = self._place()
        button = self._chance.choice((0, 0, 0, 0, 2, 4, 16))
        once = mouse(button, x, y, "M") + mouse(button, x, y, "m")
        before = self._chance.choice(("", "", "", "\x1b[27u", "\r"))
        return "click", before + once * self._chance.choice((1, 1, 2, 3))

    def _drag(self) -> Act:
        (x, y), (to, _) = self._place(), self._place()
        y = self._chance.choice((y, 1, 2))
        held = "".join(mouse(32, at, y, "M") for at in range(min(x, to), max(x, to), 3))
        return "drag", mouse(0, x, y, "M") + held + self._chance.choice((mouse(0, to, y, "m"), ""))

    def _wheel(self) -> Act:
        x, y = self._place()
        return "wheel", mouse(self._chance.choice((64, 65, 66, 67)), x, y, "M") * 4

    def _paste(self) -> Act:
        text = self._chance.choice((*TEXTS, "a\nb\nc", "\x07\x1b]0;x\x07", "", "ü" * 500))
        return "paste", f"\x1b[200~{text}\x1b[201~"

    def _resize(self) -> Act:
        self.size = self._chance.choice(SIZES)
        return "resize", self.size

    def _palette(self) -> Act:
        end = self._chance.choice(("\r", "\x1b[27u", "", "\x1b[27u\x1b[27u"))
        word = self._chance.choice(("sort", "theme", "group", "zzz", "pick", "sc", ""))
        return "palette", f"\x10{word}{end}"

    def _escape(self) -> Act:
        return "escape", "\x1b[27u"
