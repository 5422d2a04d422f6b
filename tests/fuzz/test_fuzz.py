"""The short form of `make fuzz`: a few thousand damaged messages each."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import run
from tests.fuzz.sockets import PARTS
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_messages_do_no_harm(target: str) -> None:
    found = run(target, 500 if target == "tape" else 3000)
    assert not found.deaths
    assert not found.faults
    assert found.is_clean
    assert len(found.outcomes) > 1, found.outcomes  # some are refused, some are not


@pytest.mark.parametrize("part", PARTS)
def test_damaged_messages_on_a_socket_do_no_harm(part: str) -> None:
    assert "grown" in PARTS[part](1500)
