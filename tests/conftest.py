"""Fixtures that own folders, publishers and processes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says nothing on a machine with other work.
settings.register_profile("livetable", deadline=None)
settings.load_profile("livetable")


@pytest.fixture(autouse=True)
def runtime_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a runtime folder of its own: short, as it becomes part of socket paths."""
    folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    # Processes of tests would compile all of livetable each time.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setattr("livetable.feed.local.folders.folders", lambda: [folder / "livetable"])
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
