"""livetable.feed.cli.main: the command `livetable-feed`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.waiting import killed_after


def test_a_source_that_hangs_does_not_keep_its_process(runtime_folder: Path) -> None:
    code = (
        "import sys, time; from livetable.feed.cli import main\n"
        "main.LAST_SECONDS = 0.5\n"
        "from livetable.feed.sources import demo\n"
        "def run(options, publish, stop):\n"
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
