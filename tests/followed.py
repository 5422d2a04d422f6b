"""A file that is followed by the real source, in this process, with a real publisher.

Whatever the source calls its publisher for is passed on and kept, so that a test may ask what was
said without knowing by which method.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from livetable.feed import LivetableError, Publisher
from livetable.feed.cli.main import build_parser
from livetable.feed.sources import files
from livetable.feed.sources.publish import Run
from livetable.feed.sources.registry import options_from
from tests.feed.sources.published import Published

_numbers = itertools.count()


class Told:
    """A publisher that keeps what it is called for.

    Args:
        publisher: The real one.
    """

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]
    newest: float

    def __init__(self, publisher: Publisher) -> None:
        self.__dict__["real"] = publisher
        self.__dict__["calls"] = []
        self.__dict__["newest"] = 0.0  # when it was called last

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if not callable(found) or name.startswith("_"):
            return found

        def call(*arguments: Any, **more: Any) -> Any:
            self.calls.append((name, arguments, more))
            self.__dict__["newest"] = time.monotonic()
            return found(*arguments, **more)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.real, name, value)

    def __enter__(self) -> Told:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it open: a test looks at the table after its source has ended."""


class FollowedFile:
    """A file that `livetable.feed.sources.files` follows in a thread.

    Args:
        path: The file.
        folder: Where the publisher's socket may be.
        run: The source.
        more: Options of the command line.
    """

    def __init__(self, path: Path, folder: Path, run: Run = files.run, **more: Any) -> None:
        parsed = build_parser().parse_args([str(path)])
        self.options: files.Options = replace(options_from(files, parsed), **more)
        name = f"followed-{next(_numbers)}"
        self.publisher = Publisher(
            name, endpoint=f"ipc://{folder}/{name}", listed=False, key=self.options.key
        )
        self.told = Told(self.publisher)
        self._source = run
        self.stop = threading.Event()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        told: Any = self.told
        try:
            self._source(self.options, Published(told), self.stop)
        except BaseException as error:
            self.failure = error

    def table(self) -> pa.Table | None:
        """Return the table now, None before the first."""
        try:
            data = self.publisher.snapshot()
        except LivetableError:
            return None
        with pa.ipc.open_stream(data) as stream:
            return stream.read_all()

    def said(self) -> str:
        """Return all texts that the source told its publisher, and the error it ended with."""
        texts = [
            str(value)
            for _, arguments, more in self.told.calls
            for value in (*arguments, *more.values())
            if isinstance(value, str | int) and not isinstance(value, bool)
        ]
        if self.failure is not None:
            texts.append(str(self.failure))
        return "\n".join(texts)

    def marks(self, word: str) -> bool:
        """Tell whether the source said a word: in a text, or by what it called or set."""
        for name, arguments, more in self.told.calls:
            if name in ("send", "append", "upsert"):
                continue
            texts = [one for one in (*arguments, *more.values()) if isinstance(one, str)]
            given = [named for named, value in more.items() if value]
            if any(word in text for text in (name, *texts, *given)):
                return True
        return False

    @property
    def is_under_way(self) -> bool:
        """Whether the source said that what there is now is not all: a script would wait."""
        told: dict[str, Any] = {}
        for name, _, more in tuple(self.told.calls):
            if name == "set_source":
                told |= more
        return told.get("reading") is not None or bool(told.get("settling"))

    def wait(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait until a condition holds, at most for so many seconds; tell whether it does."""
        until = time.monotonic() + seconds
        pause = 0.001
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)
        return True

    def close(self) -> None:
        """End the source."""
        self.stop.set()
        self._thread.join(10)
        alive = self._thread.is_alive()
        self.publisher.close()
        assert not alive, "the source does not stop"

    def __enter__(self) -> FollowedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
