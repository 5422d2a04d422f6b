"""livetable.feed.cli.main: the command `livetable-feed`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from livetable.feed.cli import main as feed_command
from tests.waiting import killed_after


def test_each_free_port_that_tables_are_made_at_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["http://127.0.0.1:0", "--bind", "tcp://127.0.0.1:0"]
    make = feed_command._maker(feed_command.build_parser().parse_args(given))
    named = ""
    for _ in range(2):  # once the last table has ended, the next one takes another port
        with make("orders") as orders, make("others") as others:
            assert orders.endpoint == others.endpoint
            assert not orders.endpoint.endswith(":0")
            said = capsys.readouterr().err.splitlines()
            assert said in ([f"to watch the tables: livetable {orders.endpoint}"], [])
            named = said[0] if said else named  # the same one again
            assert named.endswith(orders.endpoint)


def test_a_source_that_hangs_does_not_keep_its_process(runtime_folder: Path) -> None:
    code = (
        "import sys, time; from livetable.feed.cli import main\n"
        "main.LAST_SECONDS = 0.5\n"
        "from livetable.feed.sources import demo\n"
        "def run(options, publisher, stop):\n"
        "    print('on', flush=True)\n"
        "    time.sleep(60)\n"
        "demo.run = run\n"
        "sys.exit(main.main(['demo', '--name', 'hangs']))\n"
    )
    command = [sys.executable, "-c", code]
    with killed_after(subprocess.Popen(command, stdout=subprocess.PIPE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        process.terminate()
        assert process.wait(20) == 0
