"""Pickled frames of several versions of pandas, and how they are shown."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("pickles")


FILES = sorted(FOLDER.glob("*.pickle"))
