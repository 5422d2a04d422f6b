"""A feed with keys, and people at terminals who want to see it."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from livetable.feed.curve import keys
from tests.brokers import free_port
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for


def run(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of somebody's."""
    return subprocess.run(
        command_line(command), env=environment_for(home, {"XDG_CONFIG_HOME": str(home)}),
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip


@pytest.fixture
def feed(runtime_folder: Path) -> Iterator[Callable[..., str]]:
    """Start a feed with the settings in `feed`; give its endpoint."""
    started = []
    home = runtime_folder / "feed"
    home.mkdir()

    def start(*more: str) -> str:
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            command_line(["livetable-feed", "demo", "--bind", endpoint, *more]),
            env=environment_for(home, {"XDG_CONFIG_HOME": str(home)}),
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stderr is not None
        assert "publishing" in process.stderr.readline()
        return endpoint

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_person_is_asked_once_and_let_in_by_their_key(
    runtime_folder: Path, feed: Callable[..., str]
) -> None:
    there, here = runtime_folder / "feed", runtime_folder / "viewer"
    here.mkdir()
    key = run("livetable-feed", "keygen", home=there)
    mine = run("livetable-feed", "keygen", home=here)
    assert (key.returncode, mine.returncode) == (0, 0)
    endpoint = feed("--secure")

    def view() -> Terminal:
        return Terminal(
            "livetable", f"{endpoint}#demo", folder=here, environment={"XDG_CONFIG_HOME": str(here)}
        )

    refused = run("livetable", endpoint, "--once", home=here)
    assert refused.returncode == 1
    assert f"--feed-key '{key.stdout.strip()}'" in refused.stderr
    with view() as terminal:
        terminal.wait_for("Trust it from now on? [y/N]")
        assert key.stdout.strip() in terminal.text
        terminal.send("n\r")
        assert terminal.wait_for_end() == 1
        assert "Nothing was read" in terminal.text
    with view() as terminal:
        terminal.wait_for("[y/N]")
        terminal.send("y\r")
        terminal.wait_for("authorized_viewers")  # the status line tells what to do there
        assert "● live" not in terminal.text
        allowed = there / "livetable" / "authorized_viewers"
        allowed.write_text(mine.stdout)
        terminal.wait_for("● live")  # without being started anew
        terminal.wait_for("AAAA")
    with view() as terminal:
        terminal.wait_for("● live")  # nothing is asked any more
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    (here / "livetable" / "known_feeds").write_text("")
    by_line = run("livetable", f"{endpoint}#demo", "--feed-key", key.stdout, "--once", home=here)
    assert by_line.returncode == 0, by_line.stderr
    known = (here / "livetable" / "known_feeds").read_text()
    (here / "livetable" / "known_feeds").write_text(
        known.replace(key.stdout.split()[1], "A" * 43 + "=")
    )
    with view() as terminal:
        terminal.wait_for("HAS CHANGED")
        assert "● live" not in terminal.text
        terminal.send("q")
        assert terminal.wait_for_end() == 0


def test_a_wide_address_without_a_key_takes_a_word(runtime_folder: Path) -> None:
    home = runtime_folder / "nobody"
    home.mkdir()
    refused = run("livetable-feed", "demo", "--bind", "tcp://*:0", home=home)
    assert refused.returncode == 1
    assert "livetable-feed keygen" in refused.stderr
    assert "--insecure" in refused.stderr
    missing = run("livetable-feed", "key", home=home)
    assert (missing.returncode, missing.stdout) == (1, "")
    both = run("livetable-feed", "demo", "--secure", "--insecure", home=home)
    assert both.returncode == 2
    process = subprocess.Popen(
        command_line(["livetable-feed", "demo", "--bind", "tcp://*:0", "--insecure"]),
        env=environment_for(home), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert wait_for(process.stderr.readline, 20).startswith("publishing")
    process.kill()
    process.communicate()


def test_who_has_no_keys_is_not_read_in_the_place_of_one_who_has(
    runtime_folder: Path,
) -> None:
    port = free_port()
    endpoint = f"tcp://127.0.0.1:{port}"
    keys.trust(endpoint, keys.new_pair().public)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    impostor = context.socket(zmq.PUB)
    impostor.setsockopt(zmq.LINGER, 0)
    impostor.bind(endpoint)
    push = context.socket(zmq.PUSH)
    push.setsockopt(zmq.LINGER, 0)
    other = f"tcp://127.0.0.1:{push.bind_to_random_port('tcp://127.0.0.1')}"
    keys.trust(other, keys.new_pair().public)
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(0.05):
            impostor.send(b'[{"id": 1, "who": "IMPOSTOR"}]')
            with contextlib.suppress(zmq.Again):
                push.send(b'[{"id": 1, "who": "IMPOSTOR"}]', zmq.NOBLOCK)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for command in (
            ["livetable", endpoint, "--once", "--timeout", "8"],
            ["livetable", other, "--pull", "--once", "--timeout", "8"],
            ["livetable-feed", endpoint, "--name", "bridged"],
        ):
            done = subprocess.run(
                command_line(command), env=environment_for(runtime_folder), capture_output=True,
                text=True, timeout=30,
            )  # fmt: skip
            assert done.returncode == 1, done
            assert "IMPOSTOR" not in done.stdout
            assert "KEY" in done.stderr
            assert "Traceback" not in done.stderr
        with Terminal("livetable", endpoint, folder=runtime_folder) as terminal:
            terminal.wait_for("KEY")
            assert "IMPOSTOR" not in terminal.text
    finally:
        stop.set()
        sender.join()
        context.destroy(0)
