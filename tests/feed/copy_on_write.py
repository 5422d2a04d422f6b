"""Tests of what only holds where pandas copies on write: pandas 3, or pandas 2 in that mode."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.feed.arrow.pandas_private import is_copy_on_write

needs_copy_on_write = pytest.mark.skipif(
    not is_copy_on_write(pd), reason="pandas 2 copies what is sent"
)
