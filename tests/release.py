"""`python -m tests.release`: build wheel and sdist, install the wheel far from here, and use it.

Prints what it found; exit code 1 if a file does not belong, or something does not work.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from pathlib import Path

from tests.waiting import killed_after

ROOT = Path(__file__).parent.parent
BELONGS = re.compile(
    r"livetable/((feed|tui)/([\w]+/)*)?(\w+\.py|py\.typed|\w+\.tcss)"
    r"|livetable-[\d.]+\.dist-info/(METADATA|WHEEL|RECORD|top_level\.txt|entry_points\.txt"
    r"|licenses/LICENSE)"
)
SESSION = """
import time
import pandas as pd
from livetable import Publisher
with Publisher("released") as table:
    table.send(pd.DataFrame({"id": [1, 2], "price": [1.5, 2.5]}))
    print("ready", flush=True)
    time.sleep(60)
"""


def run(*command: str | Path, at: Path) -> str:
    """Run a command in a folder, without this checkout in sight; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept |= {"XDG_RUNTIME_DIR": str(at), "XDG_CONFIG_HOME": str(at)}
    done = subprocess.run(command, cwd=at, env=kept, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def main() -> int:
    """Build, look, install, use."""
    with tempfile.TemporaryDirectory(prefix="lt-", dir="/tmp") as folder:
        at = Path(folder)
        began = time.monotonic()
        run(sys.executable, "-m", "build", "--outdir", at / "dist", ROOT, at=at)
        (wheel,), (sdist,) = (list((at / "dist").glob(f"*.{end}")) for end in ("whl", "tar.gz"))
        with zipfile.ZipFile(wheel) as files:
            names = files.namelist()
        stray = [name for name in names if not BELONGS.fullmatch(name)]
        here = {
            f"livetable/{path.relative_to(ROOT)}"
            for part in ("feed", "tui")
            for path in (ROOT / part).rglob("*")
            if path.suffix in (".py", ".tcss", ".typed")
        }
        here |= {f"livetable/{path.name}" for path in (ROOT / "top").iterdir() if path.is_file()}
        lost = sorted(here - set(names))
        with tarfile.open(sdist) as archive:
            packed = len(archive.getnames())
        print(f"wheel: {len(names)} files, {len(stray)} that do not belong, {len(lost)} missing")
        print(f"sdist: {packed} files; both built in {time.monotonic() - began:.0f} s")
        if stray or lost:
            print(*stray, *lost, sep="\n")
            return 1
        venv.create(at / "venv", with_pip=True)
        bin_ = at / "venv" / "bin"
        run(bin_ / "pip", "install", "-q", wheel, at=at)
        print(f"pip check: {run(bin_ / 'pip', 'check', at=at)}")
        print(run(bin_ / "livetable", "--version", at=at))
        where = run(
            bin_ / "python", "-c", "import livetable.tui.app as m; print(m.__file__)", at=at
        )
        assert str(ROOT) not in where, where
        published = subprocess.Popen(
            [bin_ / "python", "-c", SESSION], cwd=at, stdout=subprocess.PIPE, text=True,
            env={"XDG_RUNTIME_DIR": str(at), "PATH": os.environ["PATH"]},
        )  # fmt: skip
        with killed_after(published) as feed:
            assert feed.stdout is not None
            feed.stdout.readline()
            shown = run(bin_ / "livetable", "released", "--once", "--format", "csv", at=at)
        assert shown == "id,price\n1,1.5\n2,2.5", shown
        from_sdist = at / "from-sdist"
        venv.create(from_sdist, with_pip=True)
        run(from_sdist / "bin" / "pip", "install", "-q", "--no-deps", sdist, at=at)
        listed = run(from_sdist / "bin" / "pip", "show", "-f", "livetable", at=at)
        assert "livetable/tui/livetable.tcss" in listed, listed
        print("wheel and sdist install and work outside of the repository")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
