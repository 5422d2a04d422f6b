"""Row numbers, and small pages, for the tests of what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from livetable.feed.rows import row_map as rows_module
from livetable.feed.rows import store as store_module
from livetable.feed.rows.row_map import Numbers


def numbers(values: object) -> Numbers:
    return np.array(values, dtype=np.int64)


@pytest.fixture(autouse=True)
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "PAGE", 4)
        patch.setattr(store_module, "_LONGEST", 16)
        yield
