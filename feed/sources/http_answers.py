"""A table as the body of an HTTP answer, in the form that was asked for."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any, Final


def frame_of(body: memoryview) -> Any:
    from livetable.feed.frames.decoder import Decoder
    from livetable.feed.rows.dataframe import to_dataframe
    from livetable.feed.rows.replica import followed

    decoded = Decoder()(body)
    frame = to_dataframe(followed(decoded))
    return frame if decoded.labels.range is not None else frame.reset_index()


def _json(body: memoryview) -> bytes:
    from livetable.feed.frames.decoder import Decoder
    from livetable.feed.rows.dataframe import to_arrow
    from livetable.feed.rows.replica import followed

    rows = to_arrow(followed(Decoder()(body))).to_pylist()
    return json.dumps(_plain(rows), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it: exactly, or as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _csv(body: memoryview) -> bytes:
    text: str = frame_of(body).to_csv(index=False)
    return text.encode()


def _arrow(body: memoryview) -> bytes:
    return bytes(body)


def _parquet(body: memoryview) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.ipc.open_stream(body).read_all(), out)
    return out.getvalue()


WRITERS: Final[dict[str, tuple[str, Callable[[memoryview], bytes]]]] = {
    "json": ("application/json", _json),
    "csv": ("text/csv", _csv),
    "arrow": ("application/vnd.apache.arrow.stream", _arrow),
    "parquet": ("application/vnd.apache.parquet", _parquet),
}
