"""Works with a long tape: `python -m benchmarks.tapes write|open|read FILE [BYTES]`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter


def write(path: Path, size: int) -> None:
    """Write a tape of frames of 1,000×20 that have nothing in common."""
    random, encode = np.random.default_rng(1), Encoder()
    writer, seq = TapeWriter(path, "bench"), 0
    while writer.bytes < size:
        seq += 1
        body = encode(capture(pd.DataFrame(random.random((1000, 20))))).data
        header = Header("snapshot", "bench", None, Position("e", seq), rows=1000, columns=20)
        writer.add(seq / 30, header, body)
    writer.close()


def opened(path: Path) -> int:
    """Return the number of rows of the table in a tape's middle."""
    playback = Playback(TapeReader(path))
    middle = playback.time(len(playback) - 1) / 2
    rows = playback.at(playback.number_at(middle)).state.count
    playback.close()
    return rows


def read(path: Path) -> int:
    """Return the same by Arrow alone, which has to read what comes before."""
    with path.open("rb") as file, pa.ipc.open_stream(file) as tape:
        size = path.stat().st_size
        for batch in tape:
            if file.tell() > size / 2 and batch.column(1)[0].as_py() != "index":
                break
    rows: int = pa.ipc.open_stream(batch.column(4)[0].as_buffer()).read_all().num_rows
    return rows


def main() -> None:
    """Do it."""
    what, path, *more = sys.argv[1:]
    began, before = time.perf_counter(), psutil.Process().memory_info().rss
    if what == "write":
        write(Path(path), int(more[0]))
    else:
        assert (opened if what == "open" else read)(Path(path)) == 1000
    took = (time.perf_counter() - began) * 1000
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    print(json.dumps({"ms": took, "MB": grown}))


if __name__ == "__main__":
    main()
