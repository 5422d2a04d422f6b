"""The headers of what viewers are told of one table."""

from __future__ import annotations

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Header, Want
from livetable.feed.server.table_state import TableState


def body_header(
    table: TableState,
    snapshot: Snapshot,
    now: float,
    want: int | None = None,
    part: int = 0,
    parts: int = 1,
) -> Header:
    """Return what goes before a body, or before a part of one."""
    body = snapshot.body
    return Header(
        "snapshot" if snapshot.since is None else "delta",
        table.name,
        want,
        snapshot.position,
        age=max(0.0, now - snapshot.monotonic),
        time=snapshot.time,
        rate=table.rate(now),
        rows=body.rows,
        columns=body.columns,
        size=len(body.data),
        part=part,
        parts=parts,
        key=table.key,
        note=table.body_note,
        failure=table.failed,
        source=table.source_of(snapshot),
        since=snapshot.since,
        gone=snapshot.gone,
        ended=table.is_last(snapshot.position),
        silent=table.is_silent,
    )


def idle_header(table: TableState, want: Want, now: float) -> Header:
    """Return what says that there is nothing new."""
    return Header(
        "idle",
        table.name,
        want.number,
        table.shown,
        age=table.age(now),
        rate=table.rate(now),
        note=table.body_note,
        failure=table.failed,
        source=table.source_of(want.have),
        ended=table.is_last(want.have),
        silent=table.is_silent,
    )


def end_header(table: TableState, number: int) -> Header:
    """Return what says that a table is served no more."""
    return Header(
        "end", table.name, number, table.shown, note=table.body_note, failure=table.failed
    )
