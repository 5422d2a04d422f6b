"""A viewer without a screen: `python -m tests.chaos.viewer ENDPOINT PAUSE LOG`.

Writes each state that it has to LOG: epoch, seq and the table's number; when the table has ended,
the table.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from livetable.feed.client.connection import Client
from livetable.feed.client.events import Refused
from livetable.feed.client.requests import News
from livetable.feed.errors import BodyError
from livetable.feed.frames.decoder import Decoder
from livetable.feed.rows.replica import Followed, Follower
from tests.chaos.told import hash_of_all


def rows_of(now: Followed) -> list[tuple[Any, ...]]:
    """Return the rows as the feed's log has them."""
    columns = [now.values.whole(at).to_pylist() for at in range(len(now.types))]
    return list(zip(*columns, strict=True))


def main() -> None:
    """Look until killed."""
    endpoint, pause, log = sys.argv[1:]
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    client, decoder, follower = Client(endpoint), Decoder(), Follower()
    client.ask("chaos")
    last: list[tuple[Any, ...]] = []
    for event in client.events():
        if isinstance(event, Refused):
            os.write(out, f"{json.dumps(['refused', event.reason])}\n".encode())
        if not isinstance(event, News):
            continue
        header, afresh = event.header, False
        if event.body is not None and header.position is not None:
            try:
                if header.kind == "delta":
                    now = follower.delta(decoder.delta(event.body), header.gone, header.rows)
                else:
                    now = follower.snapshot(decoder(event.body), header.size)
            except BodyError as error:
                follower.lose()
                afresh = True
                os.write(out, f"{json.dumps(['refused', str(error)])}\n".encode())
            else:
                last = rows_of(now)
                told = [header.position.epoch, header.position.seq, hash_of_all(last), header.kind]
                os.write(out, f"{json.dumps(told)}\n".encode())
        if header.ended and header.position is not None:
            told = ["ended", header.position.epoch, header.position.seq, last]
            os.write(out, f"{json.dumps(told)}\n".encode())
        time.sleep(float(pause))
        client.ask("chaos", afresh=afresh)


if __name__ == "__main__":
    main()
