"""livetable.feed.sources.whereabouts: the way to a file, and what changes on it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from livetable.feed.sources.whereabouts import events, way_to
from tests.waiting import wait_for


def test_the_way_leads_through_links(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_text("a\n")
    (tmp_path / "links").mkdir()
    os.symlink("../data/x.csv", tmp_path / "links/cur.csv")
    os.symlink(tmp_path / "links", tmp_path / "current")
    way = way_to(tmp_path / "current/cur.csv")
    folders = {folder for folder, _, _ in way.folders}
    assert {str(tmp_path), str(tmp_path / "links"), str(tmp_path / "data")} <= folders
    assert str(tmp_path / "data/x.csv") in way.names
    missing = way_to(tmp_path / "no/such/file")
    assert str(tmp_path / "no") in missing.names
    os.symlink("loop", tmp_path / "loop")
    assert way_to(tmp_path / "loop/x").folders


def test_a_folder_that_is_made_anew_is_watched_again(tmp_path: Path) -> None:
    folder, stop = tmp_path / "out", threading.Event()
    folder.mkdir()
    path, seen = folder / "x.csv", []

    def watch() -> None:
        for _ in events(path, stop, lambda: None):
            seen.append(path.read_text() if path.exists() else None)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        wait_for(lambda: seen == [None])
        path.write_text("1")
        wait_for(lambda: seen[-1] == "1")
        folder.rename(tmp_path / "away")
        wait_for(lambda: seen[-1] is None)
        (tmp_path / "away").rename(folder)
        wait_for(lambda: seen[-1] == "1")
        path.write_text("2")
        wait_for(lambda: seen[-1] == "2")
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
