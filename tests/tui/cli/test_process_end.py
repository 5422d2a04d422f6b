"""tui.cli.process_end: the process ends at once, and nothing that it had to say is lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run(code: str) -> subprocess.CompletedProcess[str]:
    lines = textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=60)


def test_what_was_printed_and_registered_is_done() -> None:
    done = run("""
        import atexit, sys
        from livetable.tui.cli.process_end import end_process
        atexit.register(print, "registered")
        sys.stdout.write("printed ")
        sys.stderr.write("said")
        end_process(3)
    """)
    assert (done.returncode, done.stdout, done.stderr) == (3, "printed registered\n", "said")


def test_a_thread_that_must_end_is_waited_for() -> None:
    done = run("""
        import threading, time
        from livetable.tui.cli.process_end import end_process
        def write():
            time.sleep(0.3)
            print("written")
        threading.Thread(target=write).start()
        end_process(4)
    """)
    assert (done.returncode, done.stdout) == (4, "written\n")


def test_closed_outputs_are_no_fault() -> None:
    done = run("""
        import sys
        from livetable.tui.cli.process_end import end_process
        sys.stdout.close()
        sys.stderr = None
        end_process(0)
    """)
    assert done.returncode == 0
