"""livetable.tables(): which tables there are, as a script has them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from livetable import BadEndpoint, Publisher, TableInfo, tables
from tests.waiting import killed_after, wait_for

FRAME = pd.DataFrame({"id": [1, 2], "price": [0.5, 1.5]})


def test_the_tables_of_this_machine_by_name() -> None:
    assert tables() == []
    with Publisher("orders", key="id") as orders, Publisher("empty"):
        orders.send(FRAME)
        wait_for(lambda: [one.rows for one in tables()] == [0, 2])
        empty, info = tables()
        assert (empty.table, empty.age) == ("empty", None)
        assert isinstance(info, TableInfo)
        assert (info.table, info.rows, info.columns, info.pid) == ("orders", 2, 2, os.getpid())
        assert info.state == "live"
        assert info.age is not None
        assert info.age < 60
        assert info.rate is not None
        assert info.process
        assert info.endpoint.startswith("ipc://")
    assert tables() == []


def test_the_tables_of_an_endpoint() -> None:
    with Publisher("orders", endpoint="tcp://127.0.0.1:*") as orders:
        orders.send(FRAME)
        wait_for(lambda: tables(orders.endpoint)[0].rows == 2)
        (info,) = tables(orders.endpoint)
        assert (info.table, info.endpoint) == ("orders", orders.endpoint)
    with pytest.raises(BadEndpoint):
        tables("nonsense")
    with pytest.raises(TimeoutError, match=r"nothing answered at tcp://127.0.0.1:9 within 0.2 s"):
        tables("tcp://127.0.0.1:9", timeout=0.2)


SILENT = """
import time
from livetable import Publisher
with Publisher("silent") as table:
    table.send({"a": [1]})
    print("there", flush=True)
    time.sleep(60)
"""


def test_a_process_that_stands_still_is_silent_and_holds_nobody_up() -> None:
    started = subprocess.Popen([sys.executable, "-c", SILENT], stdout=subprocess.PIPE)
    with killed_after(started) as it, Publisher("orders") as orders:
        orders.send(FRAME)
        assert it.stdout is not None
        it.stdout.readline()
        wait_for(lambda: [one.state for one in tables()] == ["live", "live"])
        it.send_signal(signal.SIGSTOP)
        live, silent = tables(timeout=0.3)
        assert (live.table, live.state, live.rows) == ("orders", "live", 2)
        assert silent == TableInfo(
            "silent", None, None, None, None, None, it.pid, "silent", silent.endpoint
        )
