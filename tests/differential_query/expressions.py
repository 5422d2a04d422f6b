"""Filters: random expressions over the whole grammar, against the reference and pandas' query."""

from __future__ import annotations

import random
import re
import warnings
from typing import Any, Final

import numpy as np
import pandas as pd

from livetable.tui.query.evaluate import mask_of
from livetable.tui.query.expression import parse
from livetable.tui.query.nodes import BadExpression
from tests.differential_query.frames import (
    CATEGORIES,
    DECIMALS,
    FLOATS,
    KINDS,
    TEXTS,
    WHOLE,
    WORDS,
    random_frame,
    smaller,
    table_in,
)  # fmt: skip
from tests.differential_query.reference import COMPARED, Reference

_COMPARED: Final = ("==", "!=", "<", "<=", ">", ">=")
_PATTERNS: Final = ("a", "b", "^a", "b$", "a|b", "[0-9]+", "x.y", "A", "a.*c", "(ab)+", r"\\d", "")
_LITERALS: Final = (
    "0", "1", "-2", "3", "0.1", "0.5", "-1.5", "2.5", "9007199254740993", "9223372036854775807",
    "18446744073709551617", "1e17", "127", "10**9", "2**53 + 1", "0.01",
)  # fmt: skip


def number(chance: random.Random, depth: int = 0) -> str:
    """Return an expression that is a number."""
    shape = chance.random()
    if depth > 2 or shape < 0.5:
        return chance.choice((*WHOLE, *FLOATS, *DECIMALS))
    if shape < 0.65:
        return chance.choice(_LITERALS)
    if shape < 0.85:
        sign = chance.choice(["+", "-", "*", "/", "//", "%"])
        return f"({number(chance, depth + 1)} {sign} {number(chance, depth + 1)})"
    if shape < 0.88:
        return f"{chance.choice(('n', 'i8', 'u8'))} ** {chance.randint(0, 3)}"
    if shape < 0.92:
        return f"len({chance.choice(TEXTS)})"
    name = chance.choice(("abs", "-", "sign", "floor", "ceil", "round"))
    return f"{name}({number(chance, depth + 1)})"


def condition(chance: random.Random, depth: int = 0) -> str:
    """Return an expression that is true or false."""
    shape = chance.random()
    if depth < 2 and shape < 0.2:
        sign = chance.choice(("and", "or", "&", "|"))
        return f"({condition(chance, depth + 1)}) {sign} ({condition(chance, depth + 1)})"
    if depth < 2 and shape < 0.3:
        return f"not ({condition(chance, depth + 1)})"
    compared = chance.choice(_COMPARED)
    if shape < 0.65:
        return f"{number(chance)} {compared} {number(chance)}"
    if shape < 0.7:
        listed = ", ".join(chance.sample(_LITERALS[:8], 3))
        sign = chance.choice(("in", "not in", "==", "!="))
        return f"{chance.choice((*WHOLE, *FLOATS))} {sign} [{listed}]"
    if shape < 0.75:
        return f"({number(chance, 2)}).between({chance.choice(_LITERALS)}, {number(chance, 2)})"
    if shape < 0.8:
        return chance.choice(("on", "nb", "~on", "on == 1", "nb == True", "on > 0", "on + n > 1"))
    if shape < 0.83:
        return f"c {compared} {chance.choice(CATEGORIES)!r}"
    if shape < 0.87:
        name = chance.choice((*FLOATS, *TEXTS, *DECIMALS, "c", "t", "ni"))
        return f"{name}.{chance.choice(('isna', 'notna', 'isnull', 'notnull'))}()"
    return _of_text(chance, compared)


def _of_text(chance: random.Random, compared: str) -> str:
    name, word = chance.choice(TEXTS), chance.choice(WORDS)
    shape = chance.randint(0, 5)
    if shape == 0:
        return f"{name} {compared} {word!r}"
    if shape == 1:
        return f"{name} {chance.choice(('in', 'not in'))} {list(chance.sample(WORDS, 3))!r}"
    if shape == 2:
        return f"{name}.str.{chance.choice(('startswith', 'endswith'))}({word!r})"
    if shape == 3:
        return f"{name}.str.{chance.choice(('upper', 'lower'))}() == {word!r}"
    if shape == 4:
        return f"{name} {chance.choice(('is None', 'is not None'))}"
    function = chance.choice(("contains", "match", "fullmatch"))
    option = chance.choice(("", ", case=False", ", regex=False" if function == "contains" else ""))
    return f"{name}.str.{function}('{chance.choice(_PATTERNS)}'{option})"


def compare(chance: random.Random) -> str | None:
    """Compare one expression; return the difference, None if there is none.

    Raises:
        Unknown: no oracle knows what it means.
    """
    text, seed = condition(chance), chance.random()
    names = set(re.findall(r"\w+", text))
    frame = random_frame(chance, tuple(name for name in KINDS if name in names))
    found = _difference(frame, text, seed)
    if found is None:
        return None
    least = smaller(frame, lambda less: _difference(less, text, seed) is not None)
    return f"{text}\n{_difference(least, text, seed)}\n{_listed(least, text)}"


def _listed(frame: pd.DataFrame, text: str) -> str:
    return "\n".join(
        f"  {name} {frame[name].dtype}: {frame[name].tolist()!r}"
        for name in frame.columns if name in text
    )  # fmt: skip


def _difference(frame: pd.DataFrame, text: str, seed: float) -> str | None:
    how, table = table_in(random.Random(seed), frame)
    expression = parse(text, table.titles)
    reference = Reference(frame)
    meant = reference.rows(expression.root)
    try:
        ours = mask_of(expression, table, table.rows).tolist()
    except BadExpression as error:
        return f"by {how}: refused, {error.sentence}"
    if ours != meant:
        return f"by {how}: livetable {_rows(ours)}, arithmetic {_rows(meant)}"
    theirs = _queried(frame, text)
    if theirs is not None and theirs != ours and not reference.oddities:
        return f"by {how}: livetable {_rows(ours)}, pandas {_rows(theirs)}"
    return None


def _rows(mask: list[bool]) -> list[int]:
    return [at for at, true in enumerate(mask) if true]


def _queried(frame: pd.DataFrame, text: str) -> list[bool] | None:
    """Return for which rows pandas finds an expression true, None if it can't tell."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found: Any = frame.query(text)
        except Exception:  # it has no such function, no such comparison
            return None
    if not isinstance(found, pd.DataFrame):  # of a condition without a column it takes a row
        return None
    return [row in set(found["id"]) for row in frame["id"]]


# -- times ---------------------------------------------------------------------------------------

_MOMENTS: Final = (
    "2026-03", "2026-03-29", "2026-03-29 01:30", "2026-03-29T00:00:01", "20260329",
    "2026-03-29 00:30:00.5", "2026-03-28T23:00:00.000000", "2026",
)  # fmt: skip
_ZONED: Final = ("2026-03-29T00:30Z", "2026-03-29 02:30+01:00", "2026-03-28T20:00:01-03:30")
_SPANS: Final = (
    "2h", "02:00:00", "1h30m", "90min", "1d 01:01:01", "-1h", "1 days 02:00:00", "59s", "PT1H",
    "500ms", "-1 days +23:00:00", "1.5h",
)  # fmt: skip


def compare_times(chance: random.Random) -> str | None:
    """Compare times, dates and durations with what is written; pandas reads it as well."""
    name = chance.choice(("t", "z", "took", "tm", "day"))
    compared = chance.choice(_COMPARED)
    texts = {"took": _SPANS, "tm": ("09:30", "9:30", "00:00:07", "23:00:00.5")}.get(name, _MOMENTS)
    if name == "z":
        texts = (*texts, *_ZONED)
    written, seed = chance.choice(texts), chance.random()

    def difference(frame: pd.DataFrame) -> str | None:
        if name not in frame:
            return None
        how, table = table_in(random.Random(seed), frame)
        text = f"{name} {compared} {written!r}"
        try:
            ours = mask_of(parse(text, table.titles), table, table.rows).tolist()
        except BadExpression as error:
            return f"{text} by {how}: refused, {error.sentence}"
        wanted = _moment(name, written)
        meant = [_holds(compared, _comparable(name, cell), wanted) for cell in frame[name]]
        if ours != meant:
            return f"{text} by {how}: {_rows(ours)}, pandas' own types {_rows(meant)}"
        return None

    frame = random_frame(chance, (name,))
    if difference(frame) is None:
        return None
    least = smaller(frame, lambda less: difference(less) is not None)
    return f"{difference(least)}\n{_listed(least, name)}"


def _moment(name: str, written: str) -> Any:
    if name == "took":
        return pd.Timedelta(written)
    if name == "tm":
        return pd.Timedelta(written if written.count(":") == 2 else f"{written}:00")
    moment = pd.Timestamp(written)
    if name == "z" and moment.tz is None:
        moment = moment.tz_localize("Europe/Berlin", nonexistent="shift_forward", ambiguous=True)
    return moment


def _comparable(name: str, cell: Any) -> Any:
    if cell is None or cell is pd.NaT:
        return None
    if name == "tm":
        return pd.Timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
    return pd.Timestamp(cell) if name == "day" else cell


def _holds(compared: str, cell: Any, wanted: Any) -> bool:
    if cell is None:
        return compared == "!="
    return bool(COMPARED[compared](cell, wanted))


# -- cells -----------------------------------------------------------------------------------------

_TITLES: Final = (
    "a b", "a,b", "it's", 'say "x"', "`x`", "``", "class", "abs", "index", "_column_0_", "µs", "μs",
    "True", "é", "a`b", "", "x-y", "until", "not", "1", "ﬁ", "a & b",
)  # fmt: skip


def compare_cells(chance: random.Random) -> str | None:
    """Filter by a cell: what is written then parses, and is met by the cell's own row."""
    from livetable.tui.query.arrange import equals_filter, filter_mask
    from tests.tui.tables import table_of

    names = ("n", "u", "ni", "f", "f32", "f16", "on", "nb", "s", "c", "d", "h", "t", "z", "took",
             "tm", "day")  # fmt: skip
    kinds = chance.sample(names, 3)
    titles = chance.sample(_TITLES, 3)
    frame = random_frame(chance, tuple(kinds))
    frame = frame.rename(columns=dict(zip(kinds, titles, strict=True)))
    table = table_of(frame, "id")
    row, title = chance.randrange(len(frame)), chance.choice(titles)
    at = table.titles.index(title)
    text = equals_filter(table, at, row)
    if text is None:
        return f"{frame[title].dtype} {frame[title].iloc[row]!r} in {title!r} can't be told"
    try:
        mask = filter_mask(table, text)
    except BadExpression as error:
        return f"{text}: {error.sentence}"
    cell = frame[title].iloc[row]
    same = [_is_same(one, cell) for one in frame[title]]
    return (
        None if mask.tolist() == same else f"{text}: {_rows(mask.tolist())}, wanted {_rows(same)}"
    )


def _is_same(one: Any, other: Any) -> bool:
    gone = [
        cell is None or cell is pd.NA or cell is pd.NaT or cell != cell for cell in (one, other)
    ]
    return all(gone) if any(gone) else bool(one == other)
