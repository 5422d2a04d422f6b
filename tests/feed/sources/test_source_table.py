"""livetable.feed.sources.source_table: each word, scheme and suffix names one source."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from livetable.feed.base.addresses import BROKERS
from livetable.feed.sources.source_table import (
    FILE,
    SOURCES,
    TAPE,
    by_scheme,
    by_suffix,
    by_word,
    kinds_with,
    suffix_of,
)


def test_no_name_is_two_sources() -> None:
    for names in ("words", "schemes", "suffixes"):
        count = Counter(name for source in SOURCES for name in getattr(source, names))
        assert count
        assert set(count.values()) == {1}, names


def test_words_schemes_and_suffixes_are_looked_up() -> None:
    assert by_word("replay") is TAPE
    assert by_word("nats") is None
    assert by_suffix("x.y/LOG.Tape") is TAPE
    assert by_suffix("a.parquet") is FILE
    assert by_suffix("parquet") is None
    for scheme, (package, extra) in BROKERS.items():
        source = by_scheme(f"{scheme}://host")
        assert source is not None
        assert source.extra is not None
        assert (source.extra.package, source.extra.name) == (package, extra)
    assert by_scheme("tcp") is None
    assert by_scheme("smtp://x") is None


def test_a_suffix_is_what_follows_the_last_point() -> None:
    assert suffix_of("a.b.CSV") == ".csv"
    assert suffix_of("csv") == "csv"


def test_an_option_serves_the_kinds_of_source_that_read_it() -> None:
    assert kinds_with("sep") == {"file", "folder", "pipe", "command"}
    assert kinds_with("append_only") == {"file", "folder"}
    assert kinds_with("pull") == {"endpoint"}
    assert kinds_with("nothing") == frozenset()


def test_it_is_light() -> None:
    code = (
        "import sys, livetable.feed.sources.file_types\n"
        "print([one for one in ('pyarrow', 'numpy', 'zmq', 'argparse') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
