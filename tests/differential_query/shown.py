"""What the screen shows: that search finds it, and that numbers can be read back from it."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from livetable.tui.model.table import Column
from livetable.tui.query.text_match import containing
from livetable.tui.text.column_format import NULL, ColumnFormat
from livetable.tui.text.column_style import ColumnStyle, NumberForm
from livetable.tui.text.rounding import SIGN, read_back
from tests.differential_query.arranged import _report
from tests.differential_query.frames import (
    DECIMALS,
    FLOATS,
    TEXTS,
    WHOLE,
    random_frame,
    table_in,
)  # fmt: skip

_SEARCHED: Final = (
    *WHOLE, *FLOATS, *DECIMALS, *TEXTS, "c", "t", "z", "took", "tm", "day", "on", "nb",
)  # fmt: skip


def search(chance: random.Random) -> str | None:
    """Look for a part of what one cell shows: all rows that show it are found, and that one is."""
    name, seed, digits = chance.choice(_SEARCHED), chance.random(), chance.randint(0, 3)
    style = ColumnStyle()
    if name in (*WHOLE, *FLOATS, *DECIMALS) and chance.random() < 0.4:
        style = ColumnStyle(form=chance.choice(list(NumberForm)), digits=digits)

    def difference(frame: pd.DataFrame) -> str | None:
        how, table = table_in(random.Random(seed), frame)
        if name not in table.titles:
            return None
        at = table.titles.index(name)
        values = table.values_at(at)
        form = ColumnFormat(table.types[at], style)
        plain = form.values(values)
        form.measure(plain)
        texts = form.texts(plain)
        inner = random.Random(seed)
        row = inner.randrange(len(texts))
        text = texts[row]
        if plain[row] is None or not text:
            return None
        start = inner.randrange(len(text))
        word = text[start : start + inner.randint(1, 6)]
        if word in ("≈", SIGN):
            return None
        shows = [one is not None and word.lower() in shown.lower()
                 for one, shown in zip(plain, texts, strict=True)]  # fmt: skip
        given = form if style.writes else None
        found = containing(word, (Column(name, values),), len(values), (given,)).tolist()
        missed = [at for at, one in enumerate(shows) if one and not found[at]]
        if missed:
            return f"search {word!r} in {name} by {how}, {style.form}: misses {texts[missed[0]]!r}"
        exact = not style.writes and name not in (*FLOATS, *DECIMALS, *WHOLE, "on", "nb")
        if exact and found != shows:
            return f"search {word!r} in {name} by {how}: {found}, shown {texts}"
        return None

    return _report(random_frame(chance, (name,)), difference)


def write(chance: random.Random) -> str | None:
    """Write numbers in a form, and read them back: they are the nearest that the form can say."""
    name, seed = chance.choice((*WHOLE, *FLOATS, *DECIMALS)), chance.random()
    forms = [one for one in NumberForm if one is not NumberForm.HEX]
    style = ColumnStyle(form=chance.choice(forms), digits=chance.choice((None, 0, 1, 3, 5)))
    if style.form is NumberForm.SI and style.digits == 0:
        style = ColumnStyle(form=style.form, digits=3)

    def difference(frame: pd.DataFrame) -> str | None:
        how, table = table_in(random.Random(seed), frame)
        at = table.titles.index(name)
        form = ColumnFormat(table.types[at], style)
        values = form.values(table.values_at(at))
        form.measure(values)
        for value, text in zip(values, form.texts(values), strict=True):
            if text == NULL or isinstance(value, str):
                continue
            if isinstance(value, float) and not math.isfinite(value):
                if text not in ("NaN", "∞", "-∞"):
                    return f"{value!r} is written {text!r}"
                continue
            if not _is_near(value, text, style):
                return f"{value!r} by {how} in {style} is written {text!r}"
        return None

    return _report(random_frame(chance, (name,)), difference)


def _is_near(value: Any, text: str, style: ColumnStyle) -> bool:
    said, is_it = Fraction(read_back(text, style)), Fraction(value)
    digits = sum(one.isdigit() for one in text.partition("e")[0])
    scale = Fraction(1)
    if style.form in (NumberForm.SI, NumberForm.BYTES):
        base = 1000 if style.form is NumberForm.SI else 1024
        figures, _, prefix = text.removeprefix(SIGN).partition(" ")
        if abs(float(figures)) >= base and not prefix.startswith("E"):
            return False  # 1000 k is 1 M
        most = (style.digits or 3) if style.form is NumberForm.SI else max(digits, 1)
        slack = abs(is_it) * Fraction(51, 100) * Fraction(10) ** (2 - most)
        return abs(said - is_it) <= slack + (1 if style.form is NumberForm.BYTES else 0)
    if style.form is NumberForm.PERCENT:
        scale = Fraction(1, 100)
    if "e" in text:
        return math.isclose(said, is_it, rel_tol=1e-2)
    behind = len(text.removesuffix(" %").partition(".")[2])
    slack = scale * Fraction(51, 100) / 10**behind
    if isinstance(value, Decimal | int):
        return bool(abs(said - is_it) <= slack)
    return bool(abs(said - is_it) <= slack + abs(is_it) / 10**15)
