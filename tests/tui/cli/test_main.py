"""livetable.tui.target, once and the help screen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.feed.errors import BadEndpoint, BadName
from livetable.feed.protocol.table_info import TableInfo
from livetable.tui.app import LivetableApp
from livetable.tui.output.text_formats import as_text
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.help import KEYS
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import BadSource, Target, parse_target
from livetable.tui.text.ages import age_text, rate_text
from livetable.tui.widgets.table_view import LiveTable
from livetable.tui.workers.listing import Listed, as_table, target_of
from tests.tui.model.test_table import table_of
from tests.ugly import ugly_frames


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (None, Target()),
        ("orders", Target(None, "orders")),
        ("tcp://h:1", Target("tcp://h:1")),
        ("tcp://h:1#a b", Target("tcp://h:1", "a b")),
        ("ipc:///x/y", Target("ipc:///x/y")),
        ("x.PARQUET", Target(None, "x.PARQUET", file=Path("x.PARQUET"))),
        ("/tmp/-x.csv.gz", Target(None, "x.csv.gz", file=Path("/tmp/-x.csv.gz"))),
        ("x.TAPE", Target(None, "x", tape=Path("x.TAPE"))),
        ("-", Target(None, "stdin", piped=True)),
    ],
)
def test_targets(source: str | None, target: Target) -> None:
    assert parse_target(source) == target
    assert target.title


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("ftp://x", BadSource),
        ("no-such-folder/*.csv", BadSource),
        ("tcp://x", BadEndpoint),
        ("tcp://", BadEndpoint),
        ("none/x.PARQUET", BadSource),
        ("a/b", BadName),
        ("tcp://h:1#a/b", BadName),
    ],
)
def test_no_targets(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_target(source)


FRAME = pd.DataFrame(
    {
        "a": [1, 2],
        "f": [0.1, float("nan")],
        "t": pd.to_datetime(pd.Series(["2026-01-02", None])).to_list(),
        "b": [True, False],
        "s": ['x,"y"', None],
        "": [b"\x00", None],
    },
    index=pd.Index(["p", "q"], name="id"),
)


def test_csv() -> None:
    assert as_text(table_of(FRAME), "csv") == (
        'id,a,f,t,b,s,\np,1,0.1,2026-01-02,true,"x,""y""",00\nq,2,,,false,,\n'
    )


def test_json() -> None:
    records = json.loads(as_text(table_of(FRAME), "json"))
    assert records[0] == {
        "id": "p", "a": 1, "f": 0.1, "t": "2026-01-02", "b": True, "s": 'x,"y"', "column 6": "00",
    }  # fmt: skip
    lines = as_text(table_of(FRAME), "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == records


def test_names_that_come_twice() -> None:
    (record,) = json.loads(as_text(table_of(ugly_frames()["duplicate columns"]), "json"))
    assert record == {"a": 1, "a 2": 2, "a 3": 3}


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
@pytest.mark.parametrize("name", ugly_frames())
def test_every_ugly_frame_in_every_format(name: str, form: str) -> None:
    table = table_of(ugly_frames()[name])
    text = as_text(table, form)
    if form == "json":
        assert len(json.loads(text)) == table.rows
    elif form == "table":
        assert text.count("\n") == table.rows + 1
        assert text.replace("\n", "").replace("\u200e", "").replace("\u3000", "").isprintable()


def test_listing() -> None:
    info = TableInfo("orders", "e", 3, 1000, 20, 1.5, 61.0, 99, "job.py")
    listing = [Listed("ipc:///x", "orders", 99, info), Listed("ipc:///y", "new", 7, answers=False)]
    text = as_text(as_table(listing, 1), "table")
    assert "1 m" in text
    assert "gone" in text
    assert target_of(listing, 0) == Target("ipc:///x", "orders")
    assert target_of(listing, 9) is None
    assert as_table([], 1).rows == 0


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (None, ""),
        (0.3, "now"),
        (9.9, "9 s"),
        (12.9, "10 s"),
        (59, "55 s"),
        (61, "1 m"),
        (7200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_ages(age: float | None, text: str) -> None:
    assert age_text(age) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0/s"), (0.25, "0.2/s"), (30, "30/s"), (999, "999/s"), (12_345, "12.3k/s")],
)
def test_rates(rate: float, text: str) -> None:
    assert rate_text(rate) == text


def test_every_key_is_in_the_help() -> None:
    said = " ".join(key for _, keys in KEYS for key, _ in keys)
    names = {
        "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
        "ctrl+b": "^b", "ctrl+f": "^f", "home": "Home", "end": "End", "enter": "Enter",
        "escape": "Esc", "question_mark": "?", "ctrl+c": "^c", "ctrl+z": "^z",
        "ampersand": "&", "slash": "/",
        "minus": "-", "plus": "+", "comma": ",", "full_stop": ".", "at": "@", "tab": "Tab",
        "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
        "right_curly_bracket": "}", "less_than_sign": "<", "greater_than_sign": ">",
        "left_parenthesis": "(", "right_parenthesis": ")", "percent_sign": "%",
        "equals_sign": "=", "vertical_line": "|", "ctrl+y": "^y", "ctrl+s": "^s", "ctrl+w": "^w",
    }  # fmt: skip
    # The same as g and G, H and L, Tab; numbers are said as a range.
    unsaid = {"ctrl+home", "ctrl+end", "shift+left", "shift+right", "shift+tab", *"2345678"}
    for owner in (LiveTable, *TablePane.__mro__, TablesScreen, LivetableApp):
        for binding in getattr(owner, "BINDINGS", ()):
            for key in binding.key.split(","):
                assert key in unsaid or names.get(key, key) in said.split(), key


def test_the_viewer_loads_no_pandas() -> None:
    code = (
        "import sys, threading\n"
        "from livetable.feed import Publisher\n"
        "import pyarrow as pa, numpy as np\n"
        "from livetable.tui.app import LivetableApp\n"
        "from livetable.tui.workers.feed import Subscriber\n"
        "from livetable.tui.workers.listing import as_table\n"
        "from livetable.tui.target import Target\n"
        "from livetable.tui.grid.composer import Composer, Viewport, Cursor\n"
        "array = pa.Array.from_buffers(pa.int64(), 3, [None, pa.py_buffer(np.arange(3))])\n"
        "zoned = array.view(pa.timestamp('ns', 'UTC'))\n"
        "p = Publisher('x'); p.send(pa.Table.from_arrays([array, zoned], ['a', 't']))\n"
        "news = threading.Event(); s = Subscriber(Target(p.endpoint, 'x'), news.set)\n"
        "threading.Thread(target=s.run, daemon=True).start()\n"
        "while s.take().table is None: news.wait(5)\n"
        "t = s.take().table; c = Composer(); c.load(t)\n"
        "c.compose(Viewport(0, 5, 0, 80), Cursor(), 0.0)\n"
        "t.find(t, 1, 0); as_table([], 1); s.stop()\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.stderr) == ("False\n", "")


ARRANGE = """
import sys
import pyarrow as pa
from livetable.feed.arrow.arrays import numbers, texts
from livetable.feed.frames.decoder import Decoded, Labels
from livetable.feed.rows.replica import followed
from livetable.feed.protocol.messages import Position
from livetable.tui.query.arrange import Arrangement, Mode, SortKey, arrange, equals_filter
from livetable.tui.model.table import build
from livetable.tui.query.find import Matches

def check(what):
    if "pandas" in sys.modules:
        print("pandas came with", what)
        sys.modules.pop("pandas")

whole = numbers([3, 1, None], "int64")
columns = (
    texts(["b", "a", None]), numbers([1.0, None, 3.0], "float64"), whole,
    texts(["x", "y", "x"]).dictionary_encode(), whole.cast(pa.timestamp("ms")),
    numbers([1, 0, 1], "int64").cast(pa.bool_()),
)
labels = Labels(tuple("ifndtb"), (None,), (None,), (0, 1), ("",) * 6, frozenset())
kinds = tuple(one.type for one in columns)
table = build(followed(Decoded(labels, (), columns, 3, kinds)), ("i",), Position("e", 1))
for column in table.refs:
    for mode in Mode:
        held = Arrangement(sort=(SortKey(column, descending=True),), mode=mode)
        done = arrange(table, held, arrange(table.select(["i", "n"]), held))
        assert not done.problems, done.problems
    check(column)
for text in (
    "f > 1", "n == 2 and b", "i == 'a'", "d in ['x']", "x", "2", "t > '1970-01-01'", "f.isna()",
    "abs(f) > 1", "round(f, 1) == 3", "i.str.contains('a')", "not b", "f / n > 1", "n // 2 == 1",
    "'a' in i", "match(i, 'a')", "i + 'x' == 'ax'", "n % 2 == 1", "f == None", "between(n, 1, 2)",
):
    done = arrange(table, Arrangement(filters=(text,)))
    assert not done.problems, done.problems
    check(text)
for column in range(6):
    equals_filter(table, column, 0)
Matches(done.table, "x").find((0, 0), 1)
table.find(table, 1, 0)
done.table.identities(0, done.table.rows)
check("the rest")
"""


def test_arranging_loads_no_pandas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ARRANGE], capture_output=True, text=True, timeout=50
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_names_of_files_that_look_like_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("~.csv", "./~.csv", "~nobodyhere.csv"):
        Path(name).write_text("a\n1\n")
        target = parse_target(name)
        assert target.file is not None
        assert target.file.exists()
    with pytest.raises(BadSource, match="no folder"):
        parse_target("~nobodyhere/x.csv")
    Path("trail.csv ").write_text("a\n1\n")
    with pytest.raises(BadSource, match=r"ends in none of \.csv"):
        parse_target("./trail.csv ")
    for name in ("orders", "flights.csv.zip"):
        Path(name).write_text("")
    assert parse_target("orders").table == "orders"
    with pytest.raises(BadSource, match="can't be told by its name"):  # nobody waits for ever
        parse_target("flights.csv.zip")
    with Publisher("flights.csv.zip"):
        assert parse_target("flights.csv.zip").table == "flights.csv.zip"
