"""livetable.feed.base.crash_report: one sentence and a file, without secrets."""

from __future__ import annotations

from pathlib import Path

from livetable.feed.base.crash_report import kept, told


def test_a_fault_is_kept_without_secrets() -> None:
    error = RuntimeError("nats://ann:s3cretPW@host:4222 was lost")
    assert told(error).endswith("nats://ann:***@host:4222 was lost")
    try:
        raise error
    except RuntimeError:
        path = Path(kept().removeprefix("Traceback saved to ").partition(";")[0])
    text = path.read_text()
    path.unlink()
    assert "nats://ann:***@host:4222 was lost" in text
    assert "s3cretPW" not in text
