"""livetable.feed.base.crash_report: one sentence and a file, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from livetable.feed.base.crash_report import crash_sentence, save_traceback


def test_a_fault_is_kept_without_secrets() -> None:
    error = RuntimeError("nats://ann:s3cretPW@host:4222 was lost")
    try:
        raise error
    except RuntimeError:
        sentence = crash_sentence(error)
    said, _, where = sentence.partition(". Traceback saved to ")
    assert said == "livetable crashed: RuntimeError: nats://ann:***@host:4222 was lost"
    path = Path(where.removesuffix("; please report it."))
    text = path.read_text()
    path.unlink()
    assert "nats://ann:***@host:4222 was lost" in text
    assert "s3cretPW" not in text


def test_a_full_disk_is_said_in_place_of_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    assert save_traceback() == "Can't save the traceback: [Errno 28] No space left on device"
