"""livetable.feed.brokers.nats: names, logins and what a server without JetStream is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed import Publisher
from livetable.feed.base.extras import MissingExtra
from livetable.feed.brokers import nats
from livetable.feed.errors import BadEndpoint
from tests.brokers import Server, missing
from tests.feed.over_brokers import PRODUCER
from tests.terminal import command_line, environment_for


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_without_jetstream_there_is_one_sentence(tmp_path: Path, runtime_folder: Path) -> None:
    server = Server("nats", tmp_path / "broker", stream=False)
    try:
        producer = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "ignore", "-c", PRODUCER, server.endpoint, "0"],
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        lines = producer.stderr.splitlines()
        assert lines[-1].endswith(f"{server.endpoint} has no JetStream: start nats-server with -js")
        assert "Task was destroyed" not in producer.stderr
        assert producer.stderr.count("Traceback") == 1  # the producer's own
        viewer = subprocess.run(
            command_line(("livetable", server.endpoint, "--once")),
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    finally:
        server.kill()
    assert (viewer.returncode, viewer.stdout) == (1, "")
    assert viewer.stderr.splitlines()[-1].startswith(f"livetable: {server.endpoint} has no JetStr")


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_a_token_and_a_credentials_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("nats", tmp_path / "broker", "--auth", "t0ken word")
    try:
        endpoint = server.endpoint.replace("://", "://t0ken%20word@")
        with Publisher("a", endpoint=endpoint) as made:
            assert made.endpoint == server.endpoint.replace("://", "://***@")
        monkeypatch.setenv("NATS_TOKEN", "t0ken word")
        Publisher("a", endpoint=server.endpoint).close()
        with pytest.raises(BadEndpoint, match=r"can't read .*creds"):
            Publisher("a", endpoint=f"{server.endpoint}?creds={tmp_path}/there.creds")
    finally:
        server.kill()


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_a_credentials_file_lets_one_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nkeys", reason='pip install -e ".[dev]" brings it')
    from tests.natscreds import credentials

    settings, file, seed = credentials(tmp_path / "operator")
    server = Server("nats", tmp_path / "broker", "-c", str(settings))
    try:
        Publisher("a", endpoint=f"{server.endpoint}?creds={file}").close()
        monkeypatch.setenv("NATS_CREDS", str(file))
        with Publisher("a", endpoint=server.endpoint) as made:
            assert made.endpoint == server.endpoint
        other = tmp_path / "other.creds"
        for text, told in (
            (file.read_text().replace(seed, seed[::-1]), "other.creds"),
            (seed, "nsc generate"),
        ):
            other.write_text(text)
            with pytest.raises(BadEndpoint, match=told) as refused:
                Publisher("a", endpoint=f"{server.endpoint}?creds={other}")
            assert seed not in str(refused.value)
            assert seed[::-1] not in str(refused.value)
        monkeypatch.setitem(sys.modules, "nkeys", None)
        with pytest.raises(MissingExtra, match="pip install"):
            Publisher("a", endpoint=server.endpoint)
    finally:
        server.kill()


@given(st.text(min_size=1, max_size=20))
def test_names_as_subjects(name: str) -> None:
    part = nats.token(name.encode("utf-8", "replace").decode())
    assert nats.name_of(part) == name.encode("utf-8", "replace").decode()
    assert not set(part) & set(" .*>\t\r\n")
