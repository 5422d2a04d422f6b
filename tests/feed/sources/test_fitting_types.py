"""livetable.feed.sources.fitting_types: rows are read again until their types fit all of them."""

from __future__ import annotations

import pytest

from livetable.feed.sources.fitting_types import OtherTypes, read_until_types_fit


def test_each_time_it_is_read_with_what_the_last_one_found_out() -> None:
    given: list[object] = []

    def read(known: object) -> str:
        given.append(known)
        if len(given) < 3:
            raise OtherTypes(len(given))
        return "all rows"

    assert read_until_types_fit(read, "first") == "all rows"
    assert given == ["first", 1, 2]


def test_any_other_error_is_not_its_business() -> None:
    def read(known: object) -> None:
        assert known is None
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        read_until_types_fit(read)
