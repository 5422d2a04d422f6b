"""livetable.feed.sources.pickle_reader: known tricks, bombs and damaged pickles are refused."""

from __future__ import annotations

import os
import pickle
import pickletools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.sources.pickle_frames import thaw
from livetable.feed.sources.pickle_reader import Refused, read
from tests.feed.sources.pickled import FILES


class Trick:
    """Runs something when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def tricks(target: Path) -> dict[str, bytes]:
    touch = f"touch {target}"
    nested = pickle.dumps(Trick(os.system, touch))
    frame = pd.DataFrame({"a": [1], "o": pd.Series([Trick(os.system, touch)], dtype=object)})
    known = {
        "os.system": pickle.dumps(Trick(os.system, touch)),
        "in a cell": pickle.dumps(frame),
        "eval": pickle.dumps(Trick(eval, f"open({str(target)!r}, 'w')")),
        "exec": pickle.dumps(Trick(exec, f"open({str(target)!r}, 'w')")),
        "open": pickle.dumps(Trick(open, str(target), "w")),
        "subprocess": pickle.dumps(Trick(subprocess.Popen, ["touch", str(target)])),
        "pickle in pickle": pickle.dumps(Trick(pickle.loads, nested)),
        "read_pickle": pickle.dumps(Trick(pd.read_pickle, str(target))),
        "to_csv": pickle.dumps(Trick(pd.DataFrame.to_csv, pd.DataFrame(), str(target))),
        "numpy": pickle.dumps(Trick(np.save, str(target), 1)),
        # Written by hand: old opcodes, and admitted names put to other uses.
        "INST": b"(S'touch " + str(target).encode() + b"'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nS'touch " + str(target).encode() + b"'\no.",
        "extension": b"\x80\x02\x82\x01.",
        "persistent": b"Px\n.",
        "getattr": b"\x80\x04cbuiltins\ngetattr\ncpandas\nDataFrame\nX\x06\x00\x00\x00to_csv\x86R"
        b"X" + len(str(target)).to_bytes(4, "little") + str(target).encode() + b"\x85R.",
        "dotted name": b"\x80\x04\x8c\x06pandas\x8c\x0bio.os.system\x93.",
        "build on a symbol": b"\x80\x04cpandas\nDataFrame\n}b.",
        "call of a string": b"\x80\x04\x8c\x01x)R.",
    }
    return known


TRICKS = sorted(tricks(Path("/x")))


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_are_refused_and_nothing_runs(tmp_path: Path, name: str) -> None:
    target = tmp_path / "proof"
    with pytest.raises(Refused, match="read the pickle"):
        thaw(read(tricks(target)[name]))
    assert not target.exists()


def test_the_tricks_are_real(tmp_path: Path) -> None:
    target = tmp_path / "proof"
    pickle.loads(tricks(target)["os.system"])
    assert target.exists()


def test_nothing_is_imported_for_a_name() -> None:
    code = (
        "import sys, livetable.feed.sources.pickle_reader as p\n"
        "before = set(sys.modules)\n"
        "for name in (b'this\\ns', b'antigravity\\nfly', b'zoneinfo\\nZoneInfo', b'os\\nsystem'):\n"
        "    try: p.read(b'c' + name + b'\\n.')\n"
        "    except p.Refused: pass\n"
        "print(set(sys.modules) - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_no_bombs() -> None:
    nested = "x"
    value: Any = nested
    for _ in range(40):  # a few hundred bytes that are 10**19 cells when written out
        value = [value] * 3
    data = pickle.dumps(pd.DataFrame({"o": pd.Series([value, 1], dtype=object)}))
    assert len(data) < 5000
    cell = thaw(read(data))["o"][0]
    assert len(cell) < 10_000
    with pytest.raises(Refused):
        read(b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".")


def test_what_ends_a_process_is_refused() -> None:
    deep = b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns."
    with pytest.raises(Refused):
        read(deep)
    value: Any = ("x",) * 64
    for _ in range(5):
        value = (value,) * 64
    cells = thaw(read(pickle.dumps(pd.DataFrame({"o": pd.Series([value], dtype=object)}))))
    assert len(str(cells["o"][0])) < 100_000
    many = dict.fromkeys(range(20_000))
    with pytest.raises(Refused):
        read(pickle.dumps(many))


def test_mutated_pickles_are_refused_or_frames() -> None:
    random_ = random.Random(20261122)
    outcomes = {"frame": 0, "refused": 0}
    for _ in range(1500):
        data = bytearray(random_.choice(FILES).read_bytes())
        for _ in range(random_.randint(1, 4)):
            at = random_.randrange(2, len(data))
            how = random_.random()
            if how < 0.6:
                data[at] = random_.randrange(256)
            elif how < 0.8:
                del data[at : at + random_.randint(1, 8)]
            else:
                data[at:at] = random_.randbytes(random_.randint(1, 8))
        try:
            frame = thaw(read(bytes(data)))
            Decoder()(Encoder()(capture(frame)).data)
            outcomes["frame"] += 1
        except Refused:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5, outcomes


def test_no_admitted_name_is_missing_from_real_pickles() -> None:
    for file in FILES:
        assert any(op.name == "STOP" for op, _, _ in pickletools.genops(file.read_bytes()))
