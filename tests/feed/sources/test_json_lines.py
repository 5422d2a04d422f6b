"""livetable.feed.sources.json_lines: lines of objects, by Arrow's reader or by Python's."""

from __future__ import annotations

import json
from decimal import Decimal

from livetable.feed.sources.json_lines import lines_of


def test_lines() -> None:
    made, bad = lines_of(b'{"a":1}\nplain\n{"a":2.5}\n[1]\n', {})
    assert made.table.to_pydict() == {"a": [1.0, 2.5]}
    assert [(number, text) for number, text, _ in bad] == [(1, "plain"), (3, "[1]")]
    made, bad = lines_of(b'{"b":"x","a":1}\n{"c":"2024-01-01"}\n', {})
    assert (made.table.column_names, bad) == (["b", "a", "c"], [])
    assert made.table.column("c").to_pylist() == [None, "2024-01-01"]
    large = b"12345678901234567891"
    made, _ = lines_of(b'{"a":' + large + b"}\n", {})
    assert made.table.column("a").to_pylist() == [Decimal(large.decode())]


def test_both_readers_of_lines_agree() -> None:
    lines = [
        {"i": at, "f": at / 8, "s": f"t{at}", "n": None if at % 3 else at, "l": [at, at + 1]}
        for at in range(50)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    fast, _ = lines_of(text, {})
    exact, _ = lines_of(text + b'{"i":50,"f":1e-100}\n', {})
    assert fast.table.to_pylist() == lines
    assert exact.table.slice(0, 50).to_pylist() == lines
