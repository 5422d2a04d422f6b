"""livetable.feed.sources.files: files that are rewritten, torn, gone."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from livetable.feed.sources import files
from livetable.feed.sources import followed as module
from livetable.feed.sources.registry import find_source
from tests.feed.sources.following import followed
from tests.feed.sources.published import Published
from tests.waiting import wait_for

FRAME = pd.DataFrame({"id": [1, 2], "x": [0.5, 1.5], "s": ["a", "b"]})
ROWS = FRAME.to_dict("records")
WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "t.ndjson": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "t.json": lambda frame, path: frame.to_json(path, orient="records"),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.feather": lambda frame, path: frame.to_feather(path),
    "t.arrow": lambda frame, path: frame.to_feather(path, compression="uncompressed"),
    "t.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "t.JSONL.gz": lambda frame, path: path.write_bytes(
        gzip.compress(frame.to_json(orient="records", lines=True).encode())
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_are_read_and_read_again(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](FRAME, path)
    with followed(path) as file:
        wait_for(lambda: file.rows == ROWS)
        (tmp_path / "other").touch()  # not ours
        WRITERS[name](FRAME.assign(x=[7.5, 8.5]), path)
        wait_for(lambda: [row["x"] for row in file.rows] == [7.5, 8.5])
        path.unlink()
        wait_for(lambda: file.note == f"{name}: No such file or directory")
        assert len(file.rows) == 2  # the last good table stays
        WRITERS[name](FRAME, path)
        wait_for(lambda: file.rows == ROWS)
        wait_for(lambda: file.note is None)
    assert find_source(str(path)) is not None


@pytest.mark.parametrize("name", ["t.feather", "t.parquet", "t.json", "t.csv.gz", "t.arrow"])
def test_half_a_file_never_shows(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](FRAME, path)
    data = path.read_bytes()
    with followed(path) as file:
        wait_for(lambda: file.rows == ROWS)
        path.write_bytes(data[: len(data) * 2 // 3])
        wait_for(lambda: file.note is not None and file.note.startswith(f"{name}: "))
        assert file.rows == ROWS
        path.write_bytes(b"")
        wait_for(lambda: file.note == f"{name}: is empty")
        path.write_bytes(data)
        wait_for(lambda: file.note is None)
        assert file.rows == ROWS


def test_a_separator_and_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("name;x\nJosé;1\n".encode("latin-1"))
    with followed(path, sep=";", encoding="latin-1") as file:
        wait_for(lambda: file.rows == [{"name": "José", "x": 1}])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    options = files.Options(source=str(tmp_path / "no/t.csv"))
    with pytest.raises(module.BadFile, match="no folder"):
        files.run(options, Published(), threading.Event())


REWRITER = """
import sys, time, pandas as pd
path, seconds = sys.argv[1], float(sys.argv[2])
began, n = time.time(), 0
while time.time() - began < seconds:
    n += 1
    x = [n * 1000 + at for at in range(2000)]
    pd.DataFrame({"x": x, "n": n, "sum": sum(x)}).to_feather(path)
print(n)
"""


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(120)])]
)
def test_a_file_that_is_rewritten_as_fast_as_can_be(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "t.feather"
    FRAME.to_feather(path)
    with followed(path) as file:
        shown: list[int] = []
        send = file.publisher.send

        def check(frame: Any) -> None:
            columns = frame.to_pydict()
            if "n" in columns:
                assert len(set(columns["n"])) == 1
                assert columns["sum"][0] == sum(columns["x"])
                shown.append(columns["n"][0])
            send(frame)

        file.publisher.send = check  # type: ignore[method-assign]
        writer = subprocess.run(
            [sys.executable, "-c", REWRITER, str(path), str(seconds)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        began = time.monotonic()
        last = int(writer.stdout)
        wait_for(lambda: shown and shown[-1] == last)
        assert time.monotonic() - began < 5  # promised: half a second; the machine may be busy
        assert shown == sorted(set(shown))
        assert len(shown) > 3
        wait_for(lambda: file.note is None)


def test_a_named_pipe_with_a_files_name(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with followed(path, limit=None) as file:
        with path.open("w") as writer:
            writer.write("a,b\n1,2\n")
        wait_for(lambda: file.rows == [{"a": 1, "b": 2}])
        wait_for(lambda: file.publisher._state.ended)
