"""What is kept up after random deltas equals what is worked out anew."""

from __future__ import annotations

import random
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.query.group import TOTALS
from livetable.tui.query.row_match import changed_rows
from livetable.tui.query.statistics import figures_of
from tests.differential_query.frames import DECIMALS, FLOATS, TEXTS, WHOLE, random_frame
from tests.tui.tables import Line, table_of

_COLUMNS: Final = (*WHOLE[:6], *FLOATS[:3], "e", *TEXTS, "t", "took", "c")
_DECIMAL: Final = pd.ArrowDtype(pa.decimal128(38, 2))


def follow(chance: random.Random) -> str | None:
    """Follow a table through deltas with one arrangement; compare with one made anew each time."""
    names = tuple(chance.sample(_COLUMNS, 4))
    grouped = chance.random() < 0.5
    chosen = Arrangement(
        sort=() if grouped else (SortKey((names[0], 0), chance.random() < 0.5),),
        filters=(f"{names[1]}.notna()",) if chance.random() < 0.5 else (),
        groups=((names[2], 0),) if grouped else (),
        totals=tuple(((name, 0), chance.choice(TOTALS)) for name in names),
    )
    frame = _frame(chance, names)
    dtypes = frame.dtypes
    line, before = Line("id"), None
    for _ in range(6):
        table = line.table(frame, frame["id"].tolist())
        done = arrange(table, chosen, before)
        anew = table_of(frame, "id")
        meant = arrange(anew, chosen)
        if (said := _difference(done.table, meant.table)) is not None:
            return f"{chosen}\n{said}\n{frame.to_dict('list')}"
        for name in names:
            # The first is the type: categories are texts in a table that changes row by row.
            if figures_of(table, (name, 0))[1:] != figures_of(anew, (name, 0))[1:]:
                return f"figures of {name}\n{frame.to_dict('list')}"
        if before is not None and len(changed_rows(table, table)):
            return f"a table differs from itself\n{frame.to_dict('list')}"
        before = done
        frame = _changed(chance, frame, names).astype(dtypes)
    return None


def _frame(chance: random.Random, names: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame whose types are the same whatever its values are."""
    frame = random_frame(chance, names)
    return frame.astype({name: _DECIMAL for name in DECIMALS if name in frame})


def _changed(chance: random.Random, frame: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame after some rows changed, came and went."""
    other = _frame(chance, names).set_index("id")
    frame = frame.set_index("id")
    for key in other.index:
        if chance.random() < 0.5:
            kept = [one for one in frame.index if one != key]
            if key in frame.index:  # in its place
                frame.loc[key] = other.loc[key]
            else:
                frame = pd.concat([frame.loc[kept], other.loc[[key]]])
    gone = [key for key in frame.index if chance.random() < 0.2]
    frame = frame.drop(index=gone[: max(0, len(frame) - 1)])
    return frame.reset_index()


def _difference(ours: Table, meant: Table) -> str | None:
    if ours.titles != meant.titles:
        return f"columns {ours.titles}, anew {meant.titles}"
    for at, title in enumerate(ours.titles):
        found, wanted = (repr(_cells(one, at)) for one in (ours, meant))
        if found != wanted:
            return f"{title}: {found}, anew {wanted}"
    return None


def _cells(table: Table, at: int) -> list[Any]:
    found: list[Any] = table.window(at, 0, table.rows).to_pylist()
    return found
