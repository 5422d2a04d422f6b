"""Sorts, groups and figures, against pandas, DuckDB and Python's fractions."""

from __future__ import annotations

import datetime
import math
import random
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import duckdb
import pandas as pd

from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.query.group import TOTALS, total_of
from livetable.tui.query.statistics import figures_of
from tests.differential_query.frames import (
    CATEGORIES,
    DECIMALS,
    FLOATS,
    TEXTS,
    WHOLE,
    random_frame,
    smaller,
    table_in,
)  # fmt: skip

_SORTED: Final = (
    *WHOLE,
    *FLOATS,
    *DECIMALS,
    *TEXTS,
    "c",
    "t",
    "z",
    "took",
    "tm",
    "day",
    "on",
    "nb",
)
_KEYS: Final = ("i8", "n", "u", "ni", "f", "f32", "on", "nb", *TEXTS, "c", "t", "z", "took", "day")
_TOTALLED: Final = (*WHOLE, *FLOATS, *DECIMALS, *TEXTS, "t", "took", "day")
_MOMENT: Final = pd.Timestamp | pd.Timedelta | datetime.date | datetime.time


def plain(value: Any) -> Any:
    """Return a cell as what it is: None for missing, exact numbers as fractions."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if isinstance(value, datetime.timedelta):
        return pd.Timedelta(value)
    if isinstance(value, datetime.datetime):
        return pd.Timestamp(value)
    if isinstance(value, bool | str | _MOMENT):
        return value
    if type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, Decimal | int) or type(value).__name__.startswith(("int", "uint")):
        return Fraction(value if isinstance(value, Decimal) else int(value))
    return float(value)


def _report(frame: pd.DataFrame, difference: Callable[[pd.DataFrame], str | None]) -> str | None:
    if difference(frame) is None:
        return None
    least = smaller(frame, lambda less: difference(less) is not None)
    cells = "\n".join(f"  {name} {least[name].dtype}: {least[name].tolist()!r}" for name in least)
    return f"{difference(least)}\n{cells}"


# -- sorts -----------------------------------------------------------------------------------------


def sort(chance: random.Random) -> str | None:
    """Compare an order by one column or two."""
    names = tuple(chance.sample(_SORTED, chance.randint(1, 2)))
    down, seed = [chance.random() < 0.5 for _ in names], chance.random()

    def difference(frame: pd.DataFrame) -> str | None:
        how, table = table_in(random.Random(seed), frame)
        keys = tuple(SortKey((name, 0), way) for name, way in zip(names, down, strict=True))
        done = arrange(table, Arrangement(sort=keys))
        ours = done.table.window(0, 0, done.table.rows).to_pylist()
        meant = list(range(len(frame)))
        for name, way in reversed(list(zip(names, down, strict=True))):
            cells = [plain(value) for value in frame[name]]
            nan = [isinstance(value, float) and value != value for value in frame[name]]
            places = [_place(name, cell) for cell in cells]
            there = [at for at in meant if cells[at] is not None]
            gone = [at for at in meant if cells[at] is None]
            there.sort(key=places.__getitem__, reverse=way)  # Python's is stable either way
            if name in FLOATS and how == "numpy":
                gone.sort(key=lambda at, nan=nan: not nan[at])  # type: ignore[misc]
            meant = there + gone
        meant = [frame["id"].iloc[at] for at in meant]
        if done.problems or ours != meant:
            return f"sort {names} {down} by {how}: {done.problems} {ours}, wanted {meant}"
        theirs = _pandas_order(frame, names, down)
        if theirs is not None and theirs != ours:
            return f"sort {names} {down} by {how}: {ours}, pandas {theirs}"
        return None

    return _report(random_frame(chance, names), difference)


def _place(name: str, cell: Any) -> Any:
    return CATEGORIES.index(cell) if name == "c" and cell is not None else cell


def _pandas_order(frame: pd.DataFrame, names: Any, down: list[bool]) -> list[int] | None:
    if len(names) > 1 or names[0] in ("d", "tm", "day"):  # objects with None have no order there
        return None
    found = frame.sort_values(names[0], ascending=not down[0], kind="stable")
    order: list[int] = found["id"].tolist()
    return order


# -- groups ----------------------------------------------------------------------------------------


def group(chance: random.Random) -> str | None:
    """Compare groups by one column or two, with a total of each kind."""
    keys = tuple(chance.sample(_KEYS, chance.randint(1, 2)))
    others = tuple(chance.sample([one for one in _TOTALLED if one not in keys], 3))
    totals = {name: chance.choice(TOTALS) for name in others}
    seed = chance.random()

    def difference(frame: pd.DataFrame) -> str | None:
        there = {name: total for name, total in totals.items() if name in frame}
        if not set(keys) <= set(frame):
            return None
        how, table = table_in(random.Random(seed), frame)
        chosen = Arrangement(
            groups=tuple((key, 0) for key in keys),
            totals=tuple(((name, 0), total) for name, total in there.items()),
        )
        done = arrange(table, chosen)
        if done.problems:
            return f"group {keys} by {how}: {done.problems}"
        groups = _groups(frame, keys)
        for number, key in enumerate(keys):
            wanted = [key_[number] for key_ in groups]
            if (found := _shown(done.table, key)) != wanted:
                return f"group {keys} by {how}: {key} {found}, wanted {wanted}"
        if _shown(done.table, "rows") != [len(rows) for rows in groups.values()]:
            return f"group {keys} by {how}: rows {_shown(done.table, 'rows')}"
        for name, wanted_total in there.items():
            at = table.column_at((name, 0))
            assert at is not None
            total = total_of(table.types[at], wanted_total)
            title = f"{total}({name})"
            cells = [[plain(frame[name].iloc[at]) for at in rows] for rows in groups.values()]
            meant = [_total(total, [one for one in each if one is not None]) for each in cells]
            if not _alike(_shown(done.table, title), meant, total):
                return f"{title} by {keys}, {how}: {_shown(done.table, title)}, wanted {meant}"
        return _against_others(frame, keys, there, done.table)

    return _report(random_frame(chance, (*keys, *others)), difference)


def _groups(frame: pd.DataFrame, keys: tuple[str, ...]) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = {}
    for row in range(len(frame)):
        groups.setdefault(tuple(plain(frame[key].iloc[row]) for key in keys), []).append(row)
    return groups


def _shown(table: Table, title: str) -> list[Any]:
    at = table.column_at((title, 0))
    assert at is not None, (title, table.titles)
    return [plain(value) for value in table.window(at, 0, table.rows).to_pylist()]


def _total(name: str, cells: list[Any]) -> Any:
    if name == "count":
        return Fraction(len(cells))
    if name == "sum" and not (cells and isinstance(cells[0], pd.Timedelta)):
        return sum(cells) if cells else Fraction(0)
    if not cells:
        return pd.Timedelta(0) if name == "sum" else None
    if name in ("min", "max"):
        return min(cells) if name == "min" else max(cells)
    if name == "last":
        return cells[-1]
    if isinstance(cells[0], pd.Timedelta):
        total = sum(cells, pd.Timedelta(0))
        return total if name == "sum" else total / len(cells)
    return sum(cells) / len(cells)


def _alike(found: list[Any], meant: list[Any], total: str) -> bool:
    return len(found) == len(meant) and all(
        _near(one, other, total) for one, other in zip(found, meant, strict=True)
    )


def _near(one: Any, other: Any, total: str) -> bool:
    if one is None or other is None or other != other:
        # A sum of nothing; inf - inf, which is NaN.
        return one is other or (one is None and (other == 0 or other != other))
    if isinstance(one, pd.Timedelta) and other == 0:  # of no durations
        return total == "sum" and not one
    if isinstance(one, pd.Timedelta | datetime.timedelta) and total == "mean":
        return bool(abs(one - other) <= pd.Timedelta(1, "us"))
    if isinstance(one, float):
        other = float(other) if abs(other) < 1e300 else math.copysign(math.inf, other)
        return one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-300) or (
            abs(other) < 1e3 and total in ("sum", "mean"))  # fmt: skip
    return bool(one == other)


def _against_others(
    frame: pd.DataFrame, keys: tuple[str, ...], totals: dict[str, str], table: Table
) -> str | None:
    """Compare sums and counts of small whole numbers with pandas' and DuckDB's."""
    names = [
        name for name, total in totals.items() if name in ("i8", "u8", "i32") and total != "last"
    ]
    if "c" in keys or not names:
        return None
    for name in names:
        total = totals[name]
        theirs = frame.groupby(list(keys), sort=False, dropna=False)[name]
        asked = (
            theirs.agg(total) if total != "sum" else theirs.apply(lambda one: sum(map(int, one)))
        )
        ours = _shown(table, f"{total}({name})")
        if sorted(map(float, ours)) != sorted(map(float, asked.tolist())):
            return f"{total}({name}) by {keys}: {ours}, pandas {asked.tolist()}"
        by = ", ".join(f'"{key}"' for key in keys)
        if set(keys) & {"f", "f32", "tm", "day", "took"}:  # of objects it knows little
            continue
        sums = duckdb.query_df(frame, "frame", f'select {total}("{name}") from frame group by {by}')
        if sorted(map(float, ours)) != sorted(float(one) for (one,) in sums.fetchall()):
            return f"{total}({name}) by {keys}: {ours}, DuckDB {sums}"
    return None


# -- figures ---------------------------------------------------------------------------------------


def figure(chance: random.Random) -> str | None:
    """Compare a column's figures."""
    name = chance.choice((*WHOLE, *FLOATS, *DECIMALS))
    seed = chance.random()

    def difference(frame: pd.DataFrame) -> str | None:
        how, table = table_in(random.Random(seed), frame)
        found = {label: text for label, text, _ in reversed(figures_of(table, (name, 0)))}
        cells = [plain(value) for value in frame[name]]
        known = [cell for cell in cells if cell is not None]
        wanted: dict[str, Any] = {"distinct": Fraction(len(set(known)))}
        if not known:
            return None
        wanted |= {"min": min(known), "max": max(known)}
        if all(map(math.isfinite, known)):
            exact = list(map(Fraction, known))
            mean = sum(exact) / len(exact)
            wanted |= {"sum": sum(exact), "mean": mean}
            if len(exact) > 1:
                square = sum((one - mean) ** 2 for one in exact) / (len(exact) - 1)
                wanted["std"] = math.sqrt(square)
                wanted["50%"] = _median(exact)
        for label, value in wanted.items():
            if not _says(found[label], value, max(abs(one) for one in known)):
                return f"{label} of {name} by {how}: {found[label]!r}, wanted {value!r}"
        return None

    return _report(random_frame(chance, (name,)), difference)


def _median(cells: list[Fraction]) -> Fraction:
    cells = sorted(cells)
    return (cells[(len(cells) - 1) // 2] + cells[len(cells) // 2]) / 2


def _says(text: str, value: Any, size: Any) -> bool:
    """Tell whether a text says a number, as exactly as it is written."""
    bare = text.lstrip("≈").replace(",", "")
    if not re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", bare):
        return bool(float(bare) == value)
    said = Fraction(bare)
    if not text.startswith("≈") and not isinstance(value, float):
        return said == value or (
            isinstance(size, float) and math.isclose(said, value, rel_tol=1e-9)
        )
    slack = 1e-5 * abs(value) + (1e-9 * float(size) if isinstance(size, float) else 0)
    return bool(abs(said - Fraction(value)) <= slack + Fraction(1, 10**6))
